from __future__ import annotations

import numpy as np
import pytest

from core.training.next_photos import TYPICAL_LABELS, heaps_of, order_of_labels


def heaps(sizes: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return photos in heaps that lie apart, and the number of the heap of each."""
    random = np.random.default_rng(seed)
    middles = np.eye(len(sizes), 8, dtype=np.float32) * 10
    numbers = np.repeat(np.arange(len(sizes)), sizes)
    noise = random.normal(size=(len(numbers), 8)).astype(np.float32)
    return np.asarray(middles[numbers] + noise, np.float32), numbers


def test_heaps_are_found() -> None:
    features, numbers = heaps([30, 20, 10])
    found = heaps_of(features, 3)
    assert len({(int(a), int(b)) for a, b in zip(found, numbers, strict=True)}) == 3


def test_more_heaps_than_photos_are_no_error() -> None:
    features, _ = heaps([2, 1])
    assert len(set(heaps_of(features, 10).tolist())) <= 3


def test_first_comes_a_photo_of_each_heap_that_has_no_label() -> None:
    features, numbers = heaps([30, 20, 10])
    labels = np.full(60, -1)
    labels[:5] = 0
    order = order_of_labels(features, labels, None)
    assert set(order.tolist()) == set(range(5, 60))
    first = numbers[order[:6]].tolist()
    assert {1, 2} <= set(first)


def test_later_come_unsure_photos_of_each_class_in_turn() -> None:
    count = TYPICAL_LABELS + 8
    features, _ = heaps([count])
    labels = np.zeros(count, np.int64)
    labels[-8:] = -1
    shares = np.full((count, 2), 0.5, np.float32)
    sure = [0.9, 0.6, 0.7, 0.8, 0.45, 0.1, 0.3, 0.2]
    shares[-8:] = np.stack([sure, 1 - np.array(sure)], axis=1)
    order = order_of_labels(features, labels, shares) - TYPICAL_LABELS
    assert order.tolist()[:4] == [4, 1, 6, 2]
    assert sorted(order.tolist()) == list(range(8))


@pytest.mark.parametrize("labelled", [3, TYPICAL_LABELS])
def test_where_all_have_labels_none_is_left(labelled: int) -> None:
    features, _ = heaps([labelled])
    shares = np.ones((labelled, 1), np.float32)
    assert not len(order_of_labels(features, np.zeros(labelled, np.int64), shares))


def test_of_many_photos_all_are_named_once() -> None:
    features, _ = heaps([2500])
    order = order_of_labels(features, np.full(2500, -1), None)
    assert sorted(order.tolist()) == list(range(2500))
