"""Figures against scikit-learn's, on cases that a generator finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sklearn import metrics

from core.checks import bootstrap
from core.checks.answers import Answers
from core.checks.figures import NAMES, TOP, Report

# What it warns of is what these cases are for.
pytestmark = pytest.mark.filterwarnings("ignore:::sklearn")

few_draws = settings(deadline=None, max_examples=60)


@some.composite
def cases(draw: some.DrawFn) -> Answers:
    """Draw photos of classes, some without a label and some without a prediction; ties as well."""
    classes = draw(some.integers(1, 8))
    count = draw(some.integers(1, 30))
    labels = draw(some.lists(some.integers(0, classes - 1), min_size=count, max_size=count))
    steps = some.lists(some.integers(0, 4), min_size=classes, max_size=classes)
    rows = draw(some.lists(steps, min_size=count, max_size=count))
    shares = np.array(rows, np.float64) + 0.25
    shares /= shares.sum(axis=1, keepdims=True)
    names = tuple(f"class {at}" for at in range(classes))
    return Answers(names, np.array(labels, np.int64), shares.astype(np.float32))


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "DRAWS", 3)


@few_draws
@given(cases())
def test_every_figure_is_that_of_scikit_learn(answers: Answers) -> None:
    report, labels, predicted = Report(answers), answers.labels, answers.predicted
    every = np.arange(len(answers.classes))
    found = {name: one.value for name, one in report.others.items()}
    expected = {
        "log_loss": metrics.log_loss(
            labels, answers.shares.astype(np.float64), labels=every, normalize=True
        )
        if len(every) > 1
        else 0.0
    }
    expected["balanced_accuracy"] = metrics.balanced_accuracy_score(labels, predicted)
    expected["kappa"] = metrics.cohen_kappa_score(labels, predicted)
    for kind in ("macro", "weighted"):
        for name in ("precision", "recall", "f1"):
            score = getattr(metrics, f"{name}_score")
            expected[f"{kind}_{name}"] = score(labels, predicted, average=kind, zero_division=0)
    assert report.accuracy.value == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert set(found) <= set(NAMES) == set(expected)
    for name, value in expected.items():
        if np.isnan(value):
            assert name == "kappa"
            assert name not in found
            continue
        close = 1e-6 if name == "log_loss" else 1e-9  # scikit-learn makes rows sum to one anew
        assert found[name] == pytest.approx(value, abs=close), name


@few_draws
@given(cases())
def test_the_figures_of_each_class_and_the_matrix(answers: Answers) -> None:
    report = Report(answers)
    every = np.arange(len(answers.classes))
    labels, predicted = answers.labels, answers.predicted
    matrix = metrics.confusion_matrix(labels, predicted, labels=every)
    assert (report.confusion == matrix[np.ix_(report.used, report.used)]).all()
    assert report.confusion.sum() == matrix.sum()
    scores = metrics.precision_recall_fscore_support(
        labels, predicted, labels=every, zero_division=np.nan
    )
    by_name = {one.name: one for one in report.classes}
    for at, (precision, recall, f1, support) in enumerate(zip(*scores, strict=True)):
        one = by_name.get(answers.classes[at])
        if one is None:
            assert not matrix[at].sum()
            assert not matrix[:, at].sum()
            continue
        assert one.support == support
        assert one.f1 == pytest.approx(0.0 if np.isnan(f1) else f1)
        for figure, value in ((one.precision, precision), (one.recall, recall)):
            assert (figure is None) == np.isnan(value)
            if figure is not None:
                assert figure.value == pytest.approx(value)
                assert figure.interval[0] <= figure.value <= figure.interval[1]


@few_draws
@given(cases())
def test_the_label_among_the_likeliest(answers: Answers) -> None:
    top5 = Report(answers).top5
    if len(answers.classes) <= TOP:
        assert top5 is None
        return
    order = np.argsort(-answers.shares, axis=1, kind="stable")[:, :TOP]
    expected = (order == answers.labels[:, None]).any(axis=1).mean()
    assert top5 is not None
    assert top5.value == pytest.approx(expected)


def test_intervals_hold_the_true_figure_in_most_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "DRAWS", 200)
    random = np.random.default_rng(0)
    within = 0
    for _ in range(60):
        labels = random.integers(0, 2, 300)
        right = random.random(300) < np.where(labels == 0, 0.9, 0.7)
        shares = np.eye(2, dtype=np.float32)[np.where(right, labels, 1 - labels)]
        low, high = Report(Answers(("a", "b"), labels, shares)).others["balanced_accuracy"].interval
        within += low <= 0.8 <= high
    assert within >= 52


def test_the_same_photos_give_the_same_intervals() -> None:
    random = np.random.default_rng(0)
    answers = Answers(
        ("a", "b", "c"), random.integers(0, 3, 50), random.dirichlet((1, 1, 1), 50).astype("f4")
    )
    assert Report(answers).others == Report(answers).others


def test_what_means_one_class_is_added_up() -> None:
    shares = np.array([[0.3, 0.3, 0.4]], np.float32)
    answers = Answers.of(
        ["fish"], shares, ("tench", "goldfish", "cat"), {"tench": "fish", "goldfish": "fish"}
    )
    assert answers.classes == ("fish", "cat")
    assert answers.shares[0].tolist() == pytest.approx([0.6, 0.4])
    assert answers.predicted.tolist() == answers.labels.tolist() == [0]


def test_a_class_of_the_model_that_means_none_is_no_label_of_its_name() -> None:
    shares = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)
    answers = Answers.of(["dog", "cat"], shares, ("dog", "cat"), {"cat": "cat"})
    assert (answers.predicted == answers.labels).tolist() == [False, True]
