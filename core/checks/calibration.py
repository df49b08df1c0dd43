"""Whether probabilities mean what they say, and what can be promised by them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.checks.answers import Answers, Indices
from core.checks.bootstrap import bootstrap
from core.values.intervals import Interval

Floats = npt.NDArray[np.float64]

BINS = 15
"""Of equal width, as in Guo et al., "On Calibration of Modern Neural Networks", 2017."""

_LEAST_SHARE = 1e-12
_FOLDS = 5
_COLDEST, _HOTTEST = 0.05, 20.0
_END = 1.05
"""So near to the coldest or hottest a temperature is one of them."""

_NARROWINGS = 60
_NARROW = 1e-3
_MOST_FITTED = 2000
"""Photos; more take seconds and change the third digit."""

_GOLDEN = (math.sqrt(5) - 1) / 2
_SEED = 0


@dataclass(frozen=True)
class Bin:
    """Photos whose likeliest class has a probability between two bounds.

    Attributes:
        low, high: the bounds; ``low`` belongs to the bin before, but for 0.
        photos: how many there are.
        confidence: their mean probability; 0 where there are none.
        accuracy: the share of them that is right; 0 where there are none.
    """

    low: float
    high: float
    photos: int
    confidence: float
    accuracy: float


def reliability(answers: Answers) -> tuple[Bin, ...]:
    """Return how right photos are at each probability."""
    top, right = _top(answers)
    at = np.clip(np.ceil(top * BINS).astype(np.int64) - 1, 0, BINS - 1)
    bins = []
    for number in range(BINS):
        inside = at == number
        count = int(inside.sum())
        confidence = float(top[inside].mean()) if count else 0.0
        accuracy = float(right[inside].mean()) if count else 0.0
        bins.append(Bin(number / BINS, (number + 1) / BINS, count, confidence, accuracy))
    return tuple(bins)


def expected_calibration_error(answers: Answers) -> float:
    """Return how far accuracy is from probability in the mean of photos, by ``reliability``."""
    bins = reliability(answers)
    apart = (one.photos * abs(one.accuracy - one.confidence) for one in bins)
    return sum(apart) / len(answers)


def risk_by_coverage(answers: Answers) -> tuple[Floats, Floats, Floats]:
    """Return what is gained by leaving unsure photos to a person.

    Returns:
        For each number of photos that the model decides, the surest first: the share of all
        photos, the share of them that is wrong, and the least probability; each shape (N,).
    """
    top, right = _top(answers)
    order = np.argsort(-top, kind="stable")
    decided = np.arange(1, len(top) + 1)
    wrong = np.cumsum(~right[order])
    return decided / len(top), wrong / decided, top[order]


def threshold_for(answers: Answers, accuracy: float) -> tuple[float, float] | None:
    """Return from which probability on so many are right, and the share of photos that reach it.

    Args:
        answers: at least one photo.
        accuracy: that is asked for, between 0 and 1.

    Returns:
        None where no probability suffices.
    """
    coverage, risk, least = risk_by_coverage(answers)
    ends = np.append(least[1:] != least[:-1], True)  # photos as sure are decided together
    enough = np.flatnonzero(ends & (1 - risk >= accuracy))
    if not len(enough):
        return None
    return float(least[enough[-1]]), float(coverage[enough[-1]])


@dataclass(frozen=True)
class Temperature:
    """By what logits are divided so that probabilities mean what they say.

    Attributes:
        value: fitted to all photos.
        gain: by how much the log loss falls on photos that it was not fitted to, in the mean.
        interval: of the gain.
    """

    value: float
    gain: float
    interval: Interval

    @property
    def helps(self) -> bool:
        """Return whether it is surely better with than without.

        At the ends of what is tried nothing holds it: all photos are right, or none.
        """
        is_held = _COLDEST * _END < self.value < _HOTTEST / _END
        return is_held and self.interval[0] > 0


def fit_temperature(answers: Answers) -> Temperature | None:
    """Return the temperature that suits probabilities of a softmax; None of too few photos.

    Source: Guo et al., 2017. How much it helps is found by cross-validation. Photos of classes that
    the model does not have are left out.
    """
    is_known = np.asarray(answers.shares.any(axis=0))
    there = np.flatnonzero(is_known[answers.labels])
    if len(there) > _MOST_FITTED:
        random = np.random.default_rng(_SEED)
        there = np.sort(random.choice(there, _MOST_FITTED, replace=False))
    if len(there) < 2 * _FOLDS:
        return None
    answers = answers.chosen(there)
    logits = np.log(np.maximum(answers.shares.astype(np.float64), _LEAST_SHARE))
    labels = answers.labels
    fold = np.random.default_rng(_SEED).permutation(len(labels)) % _FOLDS
    gains = np.zeros(len(labels))
    for number in range(_FOLDS):
        held = fold == number
        fitted = _coldest_loss(logits[~held], labels[~held])
        gains[held] = _losses(logits[held], labels[held], 1.0) - _losses(
            logits[held], labels[held], fitted
        )
    (interval,) = bootstrap(len(gains), lambda weights: np.array([weights @ gains / weights.sum()]))
    return Temperature(_coldest_loss(logits, labels), float(gains.mean()), interval)


def conformal_threshold(answers: Answers, coverage: float) -> float:
    """Return the probability from which on a class is named, so that labels are among those named.

    Photos of the same kind have their label among the classes named in at least this share of
    cases. Source: Sadinle, Lei and Wasserman, "Least Ambiguous Set-Valued Classifiers", 2019.

    Args:
        answers: photos that the model has not learnt from; at least one.
        coverage: that is asked for, between 0 and 1.

    Returns:
        0 where there are too few photos to promise so much: all classes are then named.
    """
    labels = answers.labels
    own = np.sort(answers.shares[np.arange(len(labels)), labels].astype(np.float64))
    rank = math.floor((len(own) + 1) * (1 - coverage) + 1e-9)
    return float(own[rank - 1]) if rank >= 1 else 0.0


def conformal_sets(answers: Answers, threshold: float) -> list[Indices]:
    """Return the classes that are named of each photo, the likeliest first and at least that."""
    order = np.argsort(-answers.shares, axis=1, kind="stable")
    counts = np.maximum((answers.shares >= threshold).sum(axis=1), 1)
    return [row[:count] for row, count in zip(order, counts.tolist(), strict=True)]


def _top(answers: Answers) -> tuple[Floats, npt.NDArray[np.bool_]]:
    predicted = answers.predicted
    top = answers.shares[np.arange(len(predicted)), predicted].astype(np.float64)
    return np.minimum(top, 1.0), predicted == answers.labels


def _losses(logits: Floats, labels: Indices, temperature: float) -> Floats:
    scaled = logits / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    own = scaled[np.arange(len(labels)), labels]
    return np.asarray(np.log(np.exp(scaled).sum(axis=1)) - own)


def _coldest_loss(logits: Floats, labels: Indices) -> float:
    """Return the temperature of the least loss, which has one minimum in the logarithm of it."""
    low, high = math.log(_COLDEST), math.log(_HOTTEST)

    def loss(at: float) -> float:
        return float(_losses(logits, labels, math.exp(at)).mean())

    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    for _ in range(_NARROWINGS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = loss(right)
        if high - low < _NARROW:
            break
    return math.exp((low + high) / 2)
