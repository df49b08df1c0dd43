from __future__ import annotations

import numpy as np
import pytest
import torch

from core.training.figures import Figures
from core.training.learning import Learnt
from core.training.linear_head import PENALTIES, USUAL_PENALTY, LinearHead, PenaltyChoice, fit
from core.training.splits import folds_of, groups_of, hold_out
from core.training.truth import Truth, shares_of
from core.values.intervals import wilson_interval
from tests.truths import one_each


def clouds(
    photos: int, spread: float, classes: int = 3, size: int = 40
) -> tuple[np.ndarray, np.ndarray]:
    """Return features around a middle for each class, and their labels."""
    random = np.random.default_rng(0)
    middles = random.normal(size=(classes, size))
    labels = np.arange(photos) % classes
    features = middles[labels] + spread * random.normal(size=(photos, size))
    return features.astype(np.float32), labels.astype(np.int64)


def test_a_head_is_where_the_loss_is_least() -> None:
    features, labels = clouds(90, 1.5)
    head = fit(features, one_each(labels, 3), penalty=10.0)
    deviation = float(np.sqrt(((features - features.mean(0)) ** 2).mean()))
    given = torch.from_numpy((features - features.mean(0)) / deviation).double()
    weight = torch.from_numpy(head.weight * deviation).double().requires_grad_()
    bias = torch.from_numpy(head.bias + head.weight @ features.mean(0)).double().requires_grad_()
    logits = given @ weight.T + bias
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels))
    loss = loss + 10.0 / 2 * weight.square().sum() / weight.shape[1]
    loss.backward()
    assert float(weight.grad.abs().max()) < 2e-3  # type: ignore[union-attr]
    assert float(bias.grad.abs().max()) < 2e-3  # type: ignore[union-attr]


def test_what_is_apart_is_told_apart_and_probabilities_sum_to_one() -> None:
    features, labels = clouds(60, 0.3)
    head = fit(features, one_each(labels, 3), USUAL_PENALTY)
    found = head.probabilities(features)
    assert (found.argmax(1) == labels).all()
    assert found.sum(axis=1) == pytest.approx(np.ones(60), abs=1e-5)


def test_noise_asks_for_a_stronger_penalty_than_what_is_clear() -> None:
    chosen = {}
    for name, spread in (("clear", 0.3), ("noise", 30.0)):
        features, labels = clouds(90, spread)
        folds = folds_of(labels, np.arange(90), seed=0)
        choice = PenaltyChoice(features, one_each(labels, 3))
        for fold in folds:
            for _ in choice.hold_out(fold):
                pass
        chosen[name], held_out = choice.best()
        assert not np.isnan(held_out).any()
    assert chosen["noise"] == PENALTIES[0]
    assert chosen["clear"] < chosen["noise"]


def test_without_folds_the_usual_penalty_holds_and_nothing_was_held_out() -> None:
    features, labels = clouds(3, 0.3)
    penalty, held_out = PenaltyChoice(features, one_each(labels, 3)).best()
    assert penalty == USUAL_PENALTY
    assert np.isnan(held_out).all()


def test_a_rare_class_is_not_drowned(monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = clouds(300, 2.0, classes=2)
    kept = np.concatenate([np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)[:15]])
    rest = np.flatnonzero(labels == 1)[15:]

    def recall() -> float:
        head = fit(features[kept], one_each(labels[kept], 2), penalty=10.0)
        return float((head.probabilities(features[rest]).argmax(1) == 1).mean())

    weighed = recall()
    monkeypatch.setattr(Truth, "weights", np.ones(2, np.float32))
    assert weighed > recall() + 0.1


def several(photos: int, spread: float) -> tuple[np.ndarray, Truth]:
    """Return features that add up from those of the classes that a photo shows, or none."""
    random = np.random.default_rng(0)
    shown = random.random((photos, 3)) < (0.5, 0.3, 0.1)
    features = shown @ random.normal(size=(3, 40)) + spread * random.normal(size=(photos, 40))
    return features.astype(np.float32), Truth(shown, is_several=True)


def test_several_classes_are_each_a_yes_or_no() -> None:
    features, truth = several(300, 0.2)
    head = fit(features, truth, penalty=1.0)
    shares = head.probabilities(features)
    assert truth.right(shares).mean() > 0.98
    assert (shares.sum(axis=1) > 1.5).any()
    assert (shares.sum(axis=1) < 0.5).any()


def test_a_penalty_is_chosen_for_several_classes() -> None:
    chosen = {}
    for name, spread in (("clear", 0.2), ("noise", 30.0)):
        features, truth = several(120, spread)
        choice = PenaltyChoice(features, truth)
        for fold in folds_of(truth.kinds, np.arange(120), seed=0):
            for _ in choice.hold_out(fold):
                pass
        chosen[name], _ = choice.best()
    assert chosen["clear"] < chosen["noise"] == PENALTIES[0]


def test_a_rare_one_of_several_classes_is_not_drowned(monkeypatch: pytest.MonkeyPatch) -> None:
    features, truth = several(300, 1.5)
    rare = truth.shown[:, 2]

    def recall() -> float:
        head = fit(features, truth, penalty=10.0)
        return float((head.probabilities(features)[rare, 2] > 0.5).mean())

    weighed = recall()
    monkeypatch.setattr(Truth, "weights", np.ones(3, np.float32))
    assert weighed > recall() + 0.1


def test_the_truth_of_several_classes() -> None:
    truth = Truth.of([(0, 1), (0,), ()], 2, is_several=True)
    assert truth.kinds.tolist() == [1, 0, 2]
    shares = np.array([[0.9, 0.6], [0.9, 0.6], [0.4, 0.1]], np.float32)
    assert truth.right(shares).tolist() == [True, False, True]
    expected = [np.log(0.9 * 0.6), np.log(0.9 * 0.4), np.log(0.6 * 0.9)]
    assert truth.log_likelihood(shares) == pytest.approx(expected, abs=1e-6)
    exclusive = Truth.of([(1,), (0,)], 2, is_several=False)
    assert exclusive.right(shares[:2]).tolist() == [False, True]
    assert exclusive.log_likelihood(shares[:2]) == pytest.approx(np.log([0.6, 0.9]), abs=1e-6)


def test_near_duplicates_copies_and_bursts_stay_together() -> None:
    features = np.eye(6, dtype=np.float32)
    features[1] = features[0] + 0.01
    contents = ["a", "b", "c", "c", "d", "e"]
    bursts = ["", "", "", "x", "x", ""]
    groups = groups_of(features, contents, bursts)
    assert groups[0] == groups[1]
    assert groups[2] == groups[3] == groups[4]
    assert len(set(groups.tolist())) == 3


def test_folds_hold_each_group_out_once_and_classes_evenly() -> None:
    labels = np.repeat([0, 1], [40, 20])
    groups = np.arange(60) // 2
    folds = folds_of(labels, groups, seed=1)
    assert sorted(np.concatenate(folds).tolist()) == list(range(60))
    for fold in folds:
        assert np.bincount(labels[fold]).tolist() == [8, 4]
        rest = np.setdiff1d(np.arange(60), fold)
        assert not set(groups[fold].tolist()) & set(groups[rest].tolist())
    assert [one.tolist() for one in folds] == [
        one.tolist() for one in folds_of(labels, groups, seed=1)
    ]


def test_a_class_of_one_group_is_never_held_out() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1])
    groups = np.array([0, 1, 2, 3, 4, 4])
    held_out = np.concatenate(folds_of(labels, groups, seed=0))
    assert sorted(held_out.tolist()) == [0, 1, 2, 3]
    assert folds_of(np.array([0, 1]), np.array([0, 1]), seed=0) == []


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_a_share_is_held_out(share: float) -> None:
    labels = np.arange(200) % 4
    held_out = hold_out(labels, np.arange(200), share, seed=0)
    assert len(held_out) == pytest.approx(200 * share, abs=8)
    assert len(set(held_out.tolist())) == len(held_out)


def test_the_interval_is_wilsons() -> None:
    low, high = wilson_interval(81, 100)
    assert low == pytest.approx(0.7222, abs=1e-3)  # Wilson's formula, worked by hand
    assert high == pytest.approx(0.8749, abs=1e-3)
    assert wilson_interval(0, 5)[0] == 0
    assert wilson_interval(5, 5)[1] == pytest.approx(1)


def test_a_head_that_is_too_sure_is_given_a_temperature_and_names_the_same() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 400)
    logits = random.normal(size=(400, 3)).astype(np.float32)
    logits[np.arange(400), labels] += 1.5
    held = shares_of(5 * logits, is_several=False)
    head = LinearHead(random.normal(size=(3, 4)).astype(np.float32), np.zeros(3, np.float32))
    figures = Figures(400, 400, 0.8, (0.7, 0.9), True, 1.0)
    truth = Truth.of([(int(at),) for at in labels], 3, is_several=False)
    learnt = Learnt(head, figures, held, truth).calibrated()
    # Of two normal distributions 1.5 apart the logarithm of the odds is 1.5 times the value.
    assert learnt.figures.temperature == pytest.approx(5 / 1.5, rel=0.15)
    features = random.normal(size=(20, 4)).astype(np.float32)
    before, after = head.probabilities(features), learnt.head.probabilities(features)
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()
    assert after.max(axis=1).mean() < before.max(axis=1).mean()


def test_a_head_that_means_what_it_says_stays_as_it_is() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(400, 3)).astype(np.float32) * 2
    held = shares_of(logits, is_several=False)
    labels = [(int(random.choice(3, p=row / row.sum())),) for row in held.astype(np.float64)]
    truth = Truth.of(labels, 3, is_several=False)
    head = LinearHead(np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
    learnt = Learnt(head, Figures(400, 400, 0.8, (0.7, 0.9), True, 1.0), held, truth)
    assert learnt.calibrated() is learnt
