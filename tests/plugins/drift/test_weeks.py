"""How far weeks lie from each other, beside weeks whose wandering is known."""

from __future__ import annotations

import numpy as np
import pytest

from harness_drift.weeks import LEAST_WEEKS, Spread, Weeks, spread

TRUE = 0.04
"""Variance of a week's mean in :func:`drawn`."""


def drawn(seed, weeks, correlation, variance=TRUE, rows=40, columns=6, live=40):
    """Rows of variance 1 around the means of their weeks; live ones are of a last week."""
    draw = np.random.default_rng(seed)
    means = np.empty((weeks + 1, columns))
    means[0] = draw.standard_normal(columns)
    for week in range(1, weeks + 1):
        new = draw.standard_normal(columns)
        means[week] = correlation * means[week - 1] + np.sqrt(1 - correlation**2) * new
    of = np.repeat(np.arange(weeks + 1.0), [rows] * weeks + [live])
    values = np.sqrt(variance) * means[of.astype(int)] + draw.standard_normal((len(of), columns))
    return values, Weeks(of, [f"g{at}" for at in range(len(of))], of == weeks)


def variances(**world):
    found = [spread(*drawn(seed, **world)) for seed in range(40)]
    return np.mean([one.variance.mean() for one in found])


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_the_variance_of_a_difference_is_that_of_the_weeks(correlation):
    # Of one week beside the mean of twenty.
    lags = np.abs(np.subtract.outer(np.arange(20), np.arange(20)))
    expected = TRUE * (1 + (correlation**lags).mean())
    found = variances(weeks=20, correlation=correlation)
    # What all columns have in common is the least of each, so it is rather too much.
    assert expected * 0.9 < found < expected * 1.7


def test_weeks_that_differ_by_their_rows_alone_add_little():
    assert variances(weeks=20, correlation=0.0, variance=0.0) < TRUE / 4


def test_rows_of_one_group_are_no_spread_between_weeks():
    values, weeks = drawn(0, weeks=12, correlation=0.0, variance=0.0)
    copies = np.repeat(values, 8, axis=0)
    groups = [group for group in weeks.groups for _ in range(8)]
    of, live = np.repeat(weeks.of, 8), np.repeat(weeks.live, 8)
    alone = Weeks(of, [f"g{at}" for at in range(len(of))], live)
    grouped = spread(copies, Weeks(of, groups, live))
    assert grouped.variance.mean() == pytest.approx(spread(values, weeks).variance.mean())
    assert spread(copies, alone).variance.mean() > 2 * grouped.variance.mean()


def test_few_weeks_and_weeks_of_few_groups_give_none():
    values, weeks = drawn(0, weeks=LEAST_WEEKS, correlation=0.0)
    assert spread(values, weeks) is not None
    assert spread(*drawn(0, weeks=LEAST_WEEKS - 1, correlation=0.0)) is None
    one_user = Weeks(weeks.of, [f"g{week}" for week in weeks.of], weeks.live)
    assert spread(values, one_user) is None
    unknown = Weeks(np.full(len(values), np.nan), weeks.groups, weeks.live)
    assert spread(values, unknown) is None


def test_values_that_are_not_known_or_all_the_same_harm_no_other_column():
    values, weeks = drawn(3, weeks=10, correlation=0.0)
    usual = spread(values, weeks)
    more = np.column_stack([values, np.full(len(values), np.nan), np.ones(len(values))])
    more[:40, -1] = np.nan
    found = spread(more, weeks)
    assert np.isfinite(found.variance).all() and found.variance[-2:] == pytest.approx([0, 0])
    assert found.variance[:6] == pytest.approx(usual.variance)


def test_draws_have_the_variance_and_change_lengths_as_they_change_vectors():
    weeks = Spread(np.array([0.04, 0.01]), 30)
    draws = weeks.differences(20_000)
    assert draws.var(axis=0) == pytest.approx(weeks.variance * 30 / 28, rel=0.05)
    dealt = np.random.default_rng(0).standard_normal((500, 2))
    both = dealt + weeks.differences(500)
    longer = (both**2).sum(axis=1) - (dealt**2).sum(axis=1)
    assert weeks.distances(dealt) == pytest.approx(longer)
