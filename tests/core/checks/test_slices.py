"""Groups of photos on which a model is worse; the exact test against SciPy's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import stats

from core.checks.reviewing import FindSlices
from core.checks.slices import fisher, slices


@settings(deadline=None, max_examples=200)
@given(some.data())
def test_the_exact_test_is_that_of_scipy(data: some.DataObject) -> None:
    total = data.draw(some.integers(1, 60))
    count = data.draw(some.integers(0, total))
    all_right = data.draw(some.integers(0, total))
    low, high = max(0, all_right - (total - count)), min(count, all_right)
    own = data.draw(some.integers(low, high))
    cells = [[own, count - own], [all_right - own, total - count - (all_right - own)]]
    expected = stats.fisher_exact(cells).pvalue
    assert fisher(own, count, all_right, total) == pytest.approx(expected, abs=1e-9)


def test_photos_of_the_night_on_which_all_mistakes_are_come_first() -> None:
    right = np.ones(100, np.bool_)
    right[:15] = False
    night = {at: "0 – 20" if at < 20 else "40 – 60" for at in range(100)}
    cameras = {at: f"camera {at % 4}" for at in range(100)}
    found = slices(right, {"camera": cameras, "brightness": night})
    assert (found[0].kind, found[0].accuracy.value, found[0].others) == ("brightness", 0.25, 1.0)
    assert found[0].is_sure
    assert not any(one.is_sure for one in found if one.kind == "camera")


def test_among_many_groups_without_a_difference_hardly_one_is_sure() -> None:
    random = np.random.default_rng(0)
    alarms = 0
    for _ in range(100):
        right = random.random(400) < 0.8
        groups = {at: str(group) for at, group in enumerate(random.integers(0, 20, 400))}
        alarms += any(one.is_sure for one in slices(right, {"folder": groups}))
    assert alarms <= 8  # of 100, where 5 are expected at most


def test_groups_of_few_photos_and_one_of_all_say_nothing() -> None:
    right = np.array([False] * 4 + [True] * 20)
    assert slices(right, {"month": {at: "2024-05" for at in range(24)}}) == ()
    assert slices(right, {"month": {at: "a" if at < 4 else "b" for at in range(24)}}) == ()


def test_a_folder_that_is_named_as_a_label_is_no_group_of_its_own() -> None:
    photos = tuple(
        (Path(f"/site {site}/{label}/{number}.jpg"), site == 1)
        for site in (1, 2)
        for label in ("cat", "Dog")
        for number in range(6)
    )
    found = FindSlices(photos, {}, frozenset(("cat", "dog"))).run(None)
    assert {(one.value, one.accuracy.value) for one in found} == {
        (str(Path("/site 1")), 1.0),
        (str(Path("/site 2")), 0.0),
    }
