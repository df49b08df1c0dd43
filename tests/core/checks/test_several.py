"""Figures of several classes a photo against scikit-learn's, on cases that a generator finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sklearn import metrics

from core.checks import bootstrap
from core.checks.several import SeveralReport

# What it warns of is what these cases are for.
pytestmark = pytest.mark.filterwarnings("ignore:::sklearn")


@some.composite
def cases(draw: some.DrawFn) -> SeveralReport:
    """Draw photos of any number of classes, and probabilities with ties."""
    classes, count = draw(some.integers(1, 6)), draw(some.integers(1, 25))
    rows = some.lists(some.booleans(), min_size=classes, max_size=classes)
    shown = np.array(draw(some.lists(rows, min_size=count, max_size=count)))
    steps = some.lists(some.integers(0, 8), min_size=classes, max_size=classes)
    shares = np.array(draw(some.lists(steps, min_size=count, max_size=count)), np.float32) / 8
    return SeveralReport(tuple(f"class {at}" for at in range(classes)), shown, shares)


@settings(deadline=None, max_examples=60)
@given(cases())
def test_every_figure_is_that_of_scikit_learn(report: SeveralReport) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "DRAWS", 3)
        others = report.others
    shown, named = report.shown, report.named
    assert report.exact_match.value == pytest.approx((shown == named).all(axis=1).mean())
    used = shown.any(axis=0) | named.any(axis=0)
    micro = metrics.f1_score(shown.ravel(), named.ravel(), zero_division=0)
    assert others["micro_f1"].value == pytest.approx(micro, abs=1e-9)
    for at, (one, precision) in enumerate(
        zip(report.per_class, report.average_precisions, strict=True)
    ):
        expected = metrics.average_precision_score(shown[:, at], report.shares[:, at])
        assert precision == pytest.approx(expected, abs=1e-9)
        f1 = metrics.f1_score(shown[:, at], named[:, at], zero_division=0)
        assert one.f1 == pytest.approx(f1, abs=1e-9)
        assert (one.support, one.predicted) == (shown[:, at].sum(), named[:, at].sum())
    if used.any():
        each = np.array([one.f1 for one in report.per_class])
        assert others["macro_f1"].value == pytest.approx(each[used].mean(), abs=1e-9)
    labelled = shown.any(axis=0)
    if labelled.any():
        mean = np.array(report.average_precisions)[labelled].mean()
        assert others["mean_average_precision"].value == pytest.approx(mean, abs=1e-9)


def test_the_likeliest_of_those_that_mean_one_class_counts() -> None:
    shares = np.array([[0.2, 0.7, 0.9]], np.float32)
    names = ("tench", "goldfish", "cat")
    report = SeveralReport.of([["fish"]], shares, names, {"tench": "fish", "goldfish": "fish"})
    assert report.classes == ("fish",)
    assert report.shares.ravel().tolist() == pytest.approx([0.7])
    assert report.exact_match.value == 1
