"""How right a model is where a photo may have several classes, each a yes or no of its own.

Definitions are scikit-learn's; a class that is likelier than not counts as named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.checks.bootstrap import bootstrap
from core.checks.figures import ClassFigures, Figure, figures_of_class
from core.values.intervals import wilson_interval

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.float32]

NAMES = ("micro_f1", "macro_f1", "mean_average_precision")
"""Micro counts each pair of photo and class, macro and mean each class that has photos or is named;
average precision only those that have photos."""


@dataclass(frozen=True)
class SeveralReport:
    """Figures of photos that have any number of classes.

    Attributes:
        classes: names.
        shown: whether a photo is labelled with a class, shape (N, K).
        shares: the probability of each class, shape (N, K).
    """

    classes: tuple[str, ...]
    shown: Bools
    shares: Numbers

    @classmethod
    def of(
        cls,
        labels: Sequence[Sequence[str]],
        shares: Numbers,
        class_names: Sequence[str],
        meant: Mapping[str, str],
    ) -> SeveralReport:
        """Return the report in the words of labels.

        Args:
            labels: the classes of each photo, N; at least one photo.
            shares: the probability of each of the model's classes, shape (N, C).
            class_names: the model's classes, C.
            meant: for a class of the model the class of labels that it means; of several that mean
                one the likeliest counts. Classes of the model that mean none are left out.
        """
        shown_names = (name for names in labels for name in names)
        classes = tuple(dict.fromkeys([*shown_names, *meant.values()]))
        index = {name: at for at, name in enumerate(classes)}
        shown = np.zeros((len(labels), len(classes)), np.bool_)
        for at, names in enumerate(labels):
            shown[at, [index[name] for name in names]] = True
        joined = np.zeros(shown.shape, np.float32)
        for at, name in enumerate(class_names):
            if name in meant:
                column = index[meant[name]]
                joined[:, column] = np.maximum(joined[:, column], shares[:, at])
        return cls(classes, shown, joined)

    @cached_property
    def named(self) -> Bools:
        """Return which classes the model names, shape (N, K)."""
        return np.asarray(self.shares > 0.5)

    @cached_property
    def exact_match(self) -> Figure:
        """Return the share of photos of which exactly the labels are named."""
        right = int((self.named == self.shown).all(axis=1).sum())
        return Figure(right / len(self.shown), wilson_interval(right, len(self.shown)))

    @cached_property
    def per_class(self) -> tuple[ClassFigures, ...]:
        """Return the figures of each class."""
        right = (self.named & self.shown).sum(axis=0)
        support, named = self.shown.sum(axis=0), self.named.sum(axis=0)
        return tuple(
            figures_of_class(name, int(right[at]), int(support[at]), int(named[at]))
            for at, name in enumerate(self.classes)
        )

    @cached_property
    def average_precisions(self) -> tuple[float, ...]:
        """Return the average precision of each class: of its photos, the likeliest first."""
        once = np.ones(len(self.shown))
        return tuple(self._average_precision(at, once) for at in range(len(self.classes)))

    @cached_property
    def others(self) -> dict[str, Figure]:
        """Return the other figures, by their names in ``NAMES``."""
        values = self._others(np.ones(len(self.shown)))
        intervals = bootstrap(len(self.shown), self._others)
        return {
            name: Figure(value, interval)
            for name, value, interval in zip(NAMES, values.tolist(), intervals, strict=True)
        }

    def _others(self, weights: Floats) -> Floats:
        right = weights @ (self.named & self.shown)
        both = weights @ self.shown + weights @ self.named
        f1 = 2 * right / np.maximum(both, np.finfo(float).tiny)
        labelled = [at for at in range(len(self.classes)) if weights @ self.shown[:, at] > 0]
        precisions = [self._average_precision(at, weights) for at in labelled]
        return np.array(
            [
                2 * right.sum() / max(both.sum(), np.finfo(float).tiny),
                f1[both > 0].mean() if (both > 0).any() else np.nan,
                np.mean(precisions) if precisions else np.nan,
            ]
        )

    def _average_precision(self, at: int, weights: Floats) -> float:
        """Return Σ (recall − recall before) × precision over the distinct probabilities."""
        order = self._orders[at]
        counts = weights[order]
        right = np.cumsum(counts * self.shown[order, at])
        ends = self._ends[at]
        total = np.cumsum(counts)[ends]
        if right[-1] == 0:
            return 0.0
        recall = right[ends] / right[-1]
        precision = right[ends] / np.maximum(total, np.finfo(float).tiny)
        return float((np.diff(recall, prepend=0.0) * precision).sum())

    @cached_property
    def _orders(self) -> list[npt.NDArray[np.int64]]:
        return [np.argsort(-column, kind="stable") for column in self.shares.T]

    @cached_property
    def _ends(self) -> list[npt.NDArray[np.int64]]:
        """Return for each class where photos of one probability end, in its order."""
        ends = []
        for column, order in zip(self.shares.T, self._orders, strict=True):
            values = column[order]
            ends.append(np.flatnonzero(np.append(values[1:] != values[:-1], True)))
        return ends
