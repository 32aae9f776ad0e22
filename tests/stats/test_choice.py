"""What a choice gains by luck, against figures that are known."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats.choice import luck

GREATEST = {2: 0.5642, 4: 1.0294, 8: 1.4236}
"""Expected greatest of so many standard normal values (Teichroew, *Tables of Expected Values of
Order Statistics*, 1956)."""


@pytest.mark.parametrize("columns", GREATEST)
def test_of_unrelated_columns_it_is_the_expected_greatest_of_their_errors(columns):
    rows = 4000
    values = np.random.default_rng(1).normal(0.3, 2.0, (rows, columns))
    found = luck(values, [str(row) for row in range(rows)], 1)
    assert found == pytest.approx(GREATEST[columns] * 2.0 / rows**0.5, rel=0.06)


def test_of_equal_columns_and_of_one_it_is_nothing():
    draw = np.random.default_rng(2).normal(size=(50, 1))
    names = [str(row) for row in range(50)]
    assert luck(draw, names, 1) == pytest.approx(0, abs=0.02)
    assert luck(draw + np.array([0.0, 1.0, -3.0]), names, 1) == pytest.approx(luck(draw, names, 1))


def test_rows_of_one_group_count_as_one():
    draw = np.random.default_rng(3).normal(size=(300, 4))
    alone = luck(draw, [str(row) for row in range(300)], 1)
    twice = luck(np.concatenate([draw, draw]), [str(row) for row in range(300)] * 2, 1)
    assert twice == pytest.approx(alone)
