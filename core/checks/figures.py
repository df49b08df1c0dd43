"""How right a model is: accuracy and its relatives, of all photos and of each class.

Where photos show one class each. Definitions are scikit-learn's; a figure that divides by nothing
is 0 for a class, and a class that no label and no prediction names counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.checks.answers import Answers
from core.checks.bootstrap import bootstrap
from core.checks.calibration import Temperature, fit_temperature
from core.values.intervals import Interval, wilson_interval
from core.values.spec import Outputs

Floats = npt.NDArray[np.float64]

TOP = 5
_LEAST_SHARE = 1e-15


@dataclass(frozen=True)
class Figure:
    """A number and the interval in which the true one lies in 95 of 100 cases."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class ClassFigures:
    """How right a model is on one class.

    Attributes:
        name: of the class.
        precision: share of the photos predicted so that are labelled so; None where there are none.
        recall: share of the photos labelled so that are predicted so; None where there are none.
        f1: their harmonic mean.
        support: how many photos are labelled so.
        predicted: how many photos are predicted so.
    """

    name: str
    precision: Figure | None
    recall: Figure | None
    f1: float
    support: int
    predicted: int


class Report:
    """Figures of one check.

    Args:
        answers: at least one photo.

    Attributes:
        answers: as given.
        used: indices of the classes that a label or a prediction names, U of them.
        names: theirs.
        confusion: counts, shape (U, U); rows are labels, columns predictions.
    """

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self._predicted = answers.predicted
        self.used = np.unique(np.concatenate([answers.labels, self._predicted]))
        self.names = tuple(answers.classes[at] for at in self.used.tolist())
        rows, columns = (
            np.searchsorted(self.used, indices) for indices in (answers.labels, self._predicted)
        )
        count = len(self.used)
        self.confusion: npt.NDArray[np.int64] = np.bincount(
            rows * count + columns, minlength=count**2
        ).reshape(count, count)

    @cached_property
    def accuracy(self) -> Figure:
        """Return the share of photos whose likeliest class is their label."""
        return _share(int(np.trace(self.confusion)), len(self.answers))

    @cached_property
    def top5(self) -> Figure | None:
        """Return the share of photos whose label is among the five likeliest; None of few classes.

        Classes as likely as the fifth count as before it only where they stand before it.
        """
        shares, labels = self.answers.shares, self.answers.labels
        if shares.shape[1] <= TOP:
            return None
        own = shares[np.arange(len(labels)), labels][:, None]
        earlier = np.arange(shares.shape[1])[None] < labels[:, None]
        before = (shares > own) | ((shares == own) & earlier)
        return _share(int((before.sum(axis=1) < TOP).sum()), len(labels))

    @property
    def most_confused(self) -> list[int]:
        """Return positions of ``names``, those first that most mistakes are from or to."""
        cells = self.confusion - np.diag(np.diag(self.confusion))
        order: list[int] = np.argsort(
            -(cells.sum(axis=0) + cells.sum(axis=1)), kind="stable"
        ).tolist()
        return order

    @cached_property
    def classes(self) -> tuple[ClassFigures, ...]:
        """Return the figures of each class that a label or a prediction names."""
        right, support = np.diag(self.confusion), self.confusion.sum(axis=1)
        predicted = self.confusion.sum(axis=0)
        return tuple(
            figures_of_class(name, int(right[at]), int(support[at]), int(predicted[at]))
            for at, name in enumerate(self.names)
        )

    @cached_property
    def others(self) -> dict[str, Figure]:
        """Return the other figures, by their names in ``NAMES``.

        Kappa is not among them where all labels and all predictions are of one class.
        """
        values = self._others(np.ones(len(self.answers)))
        intervals = bootstrap(len(self.answers), self._others)
        return {
            name: Figure(value, interval)
            for name, value, interval in zip(NAMES, values.tolist(), intervals, strict=True)
            if not np.isnan(value)
        }

    def temperature(self, outputs: Outputs) -> Temperature | None:
        """Return the temperature that suits; None where outputs are of no softmax, or too few."""
        return fit_temperature(self.answers) if outputs == "softmax" else None

    @cached_property
    def _surprises(self) -> Floats:
        """Return the negative logarithm of what each label's probability is, shape (N,)."""
        shares, labels = self.answers.shares.astype(np.float64), self.answers.labels
        own = shares[np.arange(len(labels)), labels]
        return np.asarray(-np.log(np.clip(own, _LEAST_SHARE, 1.0)))

    def _others(self, weights: Floats) -> Floats:
        """Return the figures of ``NAMES`` for how often each photo counts, shape (N,)."""
        labels, predicted, count = self.answers.labels, self._predicted, len(self.answers.classes)
        is_right = labels == predicted
        support, said, right = (
            np.asarray(np.bincount(indices, counts, count), np.float64)
            for indices, counts in (
                (labels, weights),
                (predicted, weights),
                (labels[is_right], weights[is_right]),
            )
        )
        total = weights.sum()
        with np.errstate(invalid="ignore", divide="ignore"):
            recall, precision = right / support, right / said
        f1 = _f1(right, support, said)
        used, labelled = (support + said) > 0, support > 0
        chance = float(support @ said) / total**2
        agreement = right.sum() / total
        kappa = (agreement - chance) / (1 - chance) if chance < 1 else float("nan")
        plain_precision, plain_recall = np.nan_to_num(precision), np.nan_to_num(recall)
        return np.array(
            [
                recall[labelled].mean(),
                kappa,
                float(weights @ self._surprises) / total,
                plain_precision[used].mean(),
                plain_recall[used].mean(),
                f1[used].mean(),
                plain_precision @ support / total,
                plain_recall @ support / total,
                f1 @ support / total,
            ]
        )


NAMES = (
    "balanced_accuracy",
    "kappa",
    "log_loss",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "weighted_precision",
    "weighted_recall",
    "weighted_f1",
)
"""Of figures that are no shares of photos. Balanced accuracy is the mean recall of the classes that
are labelled; kappa is Cohen's; macro means count each class once, weighted ones each photo."""


def figures_of_class(name: str, right: int, support: int, predicted: int) -> ClassFigures:
    """Return the figures of a class.

    Args:
        name: of it.
        right: photos that are labelled and predicted so.
        support: photos that are labelled so.
        predicted: photos that are predicted so.
    """
    return ClassFigures(
        name,
        _share(right, predicted) if predicted else None,
        _share(right, support) if support else None,
        2 * right / (support + predicted) if support + predicted else 0.0,
        support,
        predicted,
    )


def _share(right: int, tested: int) -> Figure:
    return Figure(right / tested, wilson_interval(right, tested))


def _f1(right: Floats, support: Floats, predicted: Floats) -> Floats:
    both = support + predicted
    return np.asarray(2 * right / np.maximum(both, np.finfo(float).tiny))
