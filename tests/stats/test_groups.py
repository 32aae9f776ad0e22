"""Codes, sums and worth of groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from harness import stats
from harness.stats import groups


def test_groups_are_ordered_by_name_whatever_the_rows_order():
    codes, count = stats.encode(["b", "a", "c", "a"])
    assert codes.tolist() == [1, 0, 2, 0]
    assert count == 3
    assert stats.encode(np.array([7, -1, 7]))[0].tolist() == [1, 0, 1]


def test_group_sums_add_up_each_column():
    statistics = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    sums = stats.group_sums(statistics, np.array([1, 0, 1]), 2)
    assert sums.tolist() == [[2.0, 20.0], [5.0, 50.0]]


@pytest.mark.parametrize(
    ("column", "total"),
    [
        ([1e100, 1.0, -1e100, 0.5], 1.5),
        ([2.0**53, 1.0, 1.0], 2.0**53 + 2),
        ([3.0, 4.0], 7.0),
        ([-0.0, 0.0], 0.0),
    ],
)
def test_totals_are_rounded_once(column, total):
    found = groups.totals(np.array(column)[:, None])
    assert found.tolist() == [total, len(column)]


@given(st.lists(st.integers(1, 30), min_size=2, max_size=60))
def test_the_small_sample_correction(sizes):
    factor, worth = stats.small_sample(np.array(sizes, float))
    count = len(sizes)
    assert 1 < worth <= count + 1e-9
    assert factor >= worth / (worth - 1) - 1e-9
    if len(set(sizes)) == 1:
        assert worth == pytest.approx(count)
        assert factor == pytest.approx(count / (count - 1))
    names = [str(i) for i, size in enumerate(sizes) for _ in range(size)]
    assert stats.effective_groups(names) == pytest.approx(worth)
