from __future__ import annotations

import numpy as np
import pytest

from core.checks.answers import Answers
from core.checks.calibration import (
    BINS,
    conformal_sets,
    conformal_threshold,
    expected_calibration_error,
    fit_temperature,
    reliability,
    risk_by_coverage,
    threshold_for,
)


def answers_of(count: int, sharpness: float = 1.0, seed: int = 0, classes: int = 5) -> Answers:
    """Return photos whose label is drawn by the probabilities; sharpness then falsifies these."""
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.full(classes, 0.4), count)
    labels = np.array([random.choice(classes, p=row) for row in shares])
    falsified = shares**sharpness
    falsified /= falsified.sum(axis=1, keepdims=True)
    names = tuple(f"class {at}" for at in range(classes))
    return Answers(names, labels, falsified.astype(np.float32))


def pairs(*top: tuple[float, bool]) -> Answers:
    """Return photos of two classes with the probability of the likeliest, right or not."""
    shares = np.array([[value, 1 - value] for value, _ in top], np.float32)
    labels = np.array([0 if is_right else 1 for _, is_right in top])
    return Answers(("a", "b"), labels, shares)


def test_bins_and_their_error_by_hand() -> None:
    answers = pairs((0.95, True), (0.95, False), (0.55, True))
    bins = reliability(answers)
    assert len(bins) == BINS
    assert [one.photos for one in bins if one.photos] == [1, 2]
    assert bins[-1].accuracy == 0.5
    assert bins[-1].confidence == pytest.approx(0.95)
    expected = (2 * 0.45 + 1 * 0.45) / 3
    assert expected_calibration_error(answers) == pytest.approx(expected)


def test_a_probability_on_a_bound_belongs_to_the_bin_below() -> None:
    assert reliability(pairs((1.0, True)))[-1].photos == 1
    half = Answers(("a",), np.array([0]), np.array([[6 / BINS]], np.float32))
    at = [one.photos for one in reliability(half)].index(1)
    assert at in (5, 6)  # as float32 rounds it
    nothing = Answers(("a",), np.array([0]), np.array([[0.0]], np.float32))
    assert reliability(nothing)[0].photos == 1


def test_what_is_decided_by_the_model_alone() -> None:
    answers = pairs((0.9, True), (0.8, True), (0.8, False), (0.6, True))
    coverage, risk, least = risk_by_coverage(answers)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 4])
    assert least.tolist() == pytest.approx([0.9, 0.8, 0.8, 0.6])
    assert threshold_for(answers, 0.7) == pytest.approx((0.6, 1.0))
    # the two at 0.8 are decided together, so that 0.9 alone is always right
    assert threshold_for(answers, 0.95) == pytest.approx((0.9, 0.25))
    assert threshold_for(pairs((0.9, False)), 0.95) is None


@pytest.mark.parametrize("sharpness", [0.5, 2.0, 3.0])
def test_a_temperature_undoes_what_falsified(sharpness: float) -> None:
    found = fit_temperature(answers_of(3000, sharpness))
    assert found is not None
    assert found.value == pytest.approx(sharpness, rel=0.1)
    assert found.helps


def test_photos_of_classes_that_the_model_does_not_have_change_no_temperature() -> None:
    known = answers_of(500)
    shares = np.pad(known.shares, ((0, 0), (0, 1)))
    labels = np.where(np.arange(500) < 50, 5, known.labels)
    found = fit_temperature(Answers((*known.classes, "unknown"), labels, shares))
    assert found is not None
    assert found.value == pytest.approx(1, rel=0.15)


def test_no_temperature_is_kept_where_none_helps() -> None:
    found = fit_temperature(answers_of(2000))
    assert found is not None
    assert found.value == pytest.approx(1, rel=0.1)
    assert not found.helps
    assert fit_temperature(answers_of(9)) is None


@pytest.mark.parametrize("asked", [0.8, 0.9, 0.95])
def test_sets_hold_the_label_as_often_as_promised(asked: float) -> None:
    everything = answers_of(1000, sharpness=2.0)
    covered = []
    for seed in range(200):
        order = np.random.default_rng(seed).permutation(1000)
        known, new = everything.chosen(order[:500]), everything.chosen(order[500:])
        sets = conformal_sets(new, conformal_threshold(known, asked))
        pairs = zip(sets, new.labels, strict=True)
        covered.append(np.mean([label in named for named, label in pairs]))
    assert np.mean(covered) == pytest.approx(asked, abs=0.02)


def test_too_few_photos_promise_nothing() -> None:
    answers = answers_of(5)
    assert conformal_threshold(answers, 0.95) == 0
    assert all(len(one) == 5 for one in conformal_sets(answers, 0.0))
    assert all(len(one) == 1 for one in conformal_sets(answers, 2.0))
