"""The signed-rank test against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import stats

from core.checks.signed_ranks import chance_of


@settings(deadline=None, max_examples=100)
@given(some.lists(some.integers(-20, 20), min_size=25, max_size=80))
def test_it_is_that_of_scipy(values: list[int]) -> None:
    differences = np.array(values, np.float64)
    if not differences.any():
        assert chance_of(differences) == 1.0
        return
    expected = stats.wilcoxon(
        differences,
        correction=True,
        alternative="greater",
        method="asymptotic",
        zero_method="wilcox",
    ).pvalue
    assert chance_of(differences) == pytest.approx(expected, abs=1e-9)
