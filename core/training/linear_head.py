"""A linear head on features: fitted by LBFGS, its L2 chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.models.compiler import without_compiler
from core.training.truth import Truth, shares_of

Numbers = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

PENALTIES = tuple(10.0**exponent for exponent in (3, 2.5, 2, 1.5, 1, 0))
"""Of which the best is taken, the strongest first: each fit begins where the one before ended."""

USUAL_PENALTY = 100.0
"""Where there are too few photos to choose."""

_MOST_STEPS = 60
_LOSS_CHANGE = 1e-5


@dataclass(frozen=True)
class LinearHead:
    """Logits as a linear function of features.

    Attributes:
        weight: float32, shape (K, D).
        bias: float32, shape (K,).
        is_several: whether the logits are of sigmoids, one a class, or of one softmax.
    """

    weight: Numbers
    bias: Numbers
    is_several: bool = False

    def divided_by(self, temperature: float) -> LinearHead:
        """Return the head whose logits are these over a temperature."""
        by = np.float32(temperature)
        return LinearHead(self.weight / by, self.bias / by, self.is_several)

    def probabilities(self, features: Numbers) -> Numbers:
        """Return the probability of each class, shape (N, K), for features of shape (N, D)."""
        logits = features @ self.weight.T + self.bias
        return shares_of(logits, is_several=self.is_several)


def fit(
    features: Numbers, truth: Truth, penalty: float, start: LinearHead | None = None
) -> LinearHead:
    """Return the head that minimises the mean cross-entropy plus half the penalty times |W|² / D.

    Features are brought to mean 0 and, all together, variance 1 for it, so that a penalty means
    the same for every body. Rare classes weigh more.

    Args:
        features: shape (N, D).
        truth: of N photos.
        penalty: of the weights; the bias is free.
        start: a head to begin from, of the same features.
    """
    scaling = _Scaling.of(features)
    given = torch.from_numpy(scaling.scaled(features))
    weight = torch.zeros(truth.classes, features.shape[1])
    bias = torch.zeros(truth.classes)
    if start is not None:
        weight, bias = (torch.from_numpy(one) for one in scaling.of_scaled(start))
    parameters = [weight.requires_grad_(), bias.requires_grad_()]
    with torch.enable_grad(), without_compiler():
        _minimise(parameters, given, _loss_of(truth), penalty)
    return scaling.unscaled(weight.detach().numpy(), bias.detach().numpy(), truth)


class PenaltyChoice:
    """Finds the penalty whose heads say most of photos that they were not fitted to.

    Args:
        features: shape (N, D).
        truth: of N photos.
    """

    def __init__(self, features: Numbers, truth: Truth) -> None:
        self._features, self._truth = features, truth
        self._held_out = np.full((len(PENALTIES), *truth.shown.shape), np.nan, np.float32)

    def hold_out(self, fold: Indices) -> Iterator[None]:
        """Fit heads without the photos at these positions, and let them name these; a step each."""
        rest = np.setdiff1d(np.arange(len(self._truth)), fold)
        truth = self._truth.chosen(rest)
        head: LinearHead | None = None
        for at, penalty in enumerate(PENALTIES):
            head = fit(self._features[rest], truth, penalty, head)
            self._held_out[at, fold] = head.probabilities(self._features[fold])
            yield

    def best(self) -> tuple[float, Numbers]:
        """Return the penalty, and the probabilities by it for each photo while it was held out.

        Returns:
            The usual penalty where nothing was held out; probabilities of shape (N, K), NaN for
            photos that never were.
        """
        tried = np.flatnonzero(~np.isnan(self._held_out[0, :, 0]))
        if not len(tried):
            return USUAL_PENALTY, self._held_out[0]
        said = self._truth.chosen(tried).log_likelihood(self._held_out[:, tried])
        best = int(np.argmax(said.mean(axis=1)))
        return PENALTIES[best], self._held_out[best]


@dataclass(frozen=True)
class _Scaling:
    mean: Numbers
    deviation: float

    @classmethod
    def of(cls, features: Numbers) -> _Scaling:
        mean = features.mean(axis=0)
        return cls(mean, float(np.sqrt(((features - mean) ** 2).mean())) or 1.0)

    def scaled(self, features: Numbers) -> Numbers:
        return np.asarray((features - self.mean) / self.deviation, np.float32)

    def of_scaled(self, head: LinearHead) -> tuple[Numbers, Numbers]:
        """Return weight and bias of a head for scaled features."""
        return head.weight * np.float32(self.deviation), head.bias + head.weight @ self.mean

    def unscaled(self, weight: Numbers, bias: Numbers, truth: Truth) -> LinearHead:
        """Return a head for features as they are."""
        plain = weight / np.float32(self.deviation)
        moved = np.asarray(bias - plain @ self.mean, np.float32)
        return LinearHead(plain, moved, truth.is_several)


def _loss_of(truth: Truth) -> Callable[[Tensor], Tensor]:
    """Return the function that gives the mean loss of logits of shape (N, K)."""
    functional = torch.nn.functional
    if truth.is_several:
        shown = torch.from_numpy(truth.shown.astype(np.float32))
        of_shown = torch.from_numpy(truth.weights)
        return lambda logits: (
            functional.binary_cross_entropy_with_logits(
                logits, shown, pos_weight=of_shown, reduction="sum"
            )
            / len(logits)
        )
    kinds = torch.from_numpy(truth.kinds)
    each = truth.weights[truth.kinds]
    weights = torch.from_numpy(each / each.mean())
    return lambda logits: (
        functional.cross_entropy(logits, kinds, reduction="none") * weights
    ).mean()


def _minimise(
    parameters: list[Tensor], given: Tensor, loss_of: Callable[[Tensor], Tensor], penalty: float
) -> None:
    weight, bias = parameters
    steps = torch.optim.LBFGS(
        parameters,
        max_iter=_MOST_STEPS,
        tolerance_change=_LOSS_CHANGE,
        history_size=10,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        steps.zero_grad()
        logits = torch.nn.functional.linear(given, weight, bias)
        found = loss_of(logits) + penalty / 2 * weight.square().sum() / weight.shape[1]
        found.backward()  # type: ignore[no-untyped-call]
        return found

    steps.step(loss)  # type: ignore[no-untyped-call]
