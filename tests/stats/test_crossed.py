"""Seeds and groups crossed: the variance by hand, its bounds, and how often they hold."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness import stats


def test_the_variance_is_that_of_the_mean_squares() -> None:
    cells = np.array([[1.0, 2.0, 4.0], [2.0, 5.0, 4.0]])
    # mean 3; seeds 7/3, 11/3; groups 1.5, 3.5, 4; the rest by subtraction
    of_seed = 3 * ((7 / 3 - 3) ** 2 + (11 / 3 - 3) ** 2)
    of_group = 2 * (1.5**2 + 0.5**2 + 1.0) / 2
    rest = cells - np.array([[7 / 3], [11 / 3]]) - np.array([[1.5, 3.5, 4.0]]) + 3
    residual = float((rest**2).sum()) / 2
    found = stats.crossed(cells)
    assert found.value == pytest.approx(3)
    assert found.se == pytest.approx(math.sqrt((of_seed + of_group - residual) / 6))
    freedom = (of_seed + of_group - residual) ** 2 / (
        of_seed**2 / 1 + of_group**2 / 2 + residual**2 / 2
    )
    assert found.df == pytest.approx(max(1.0, freedom))


def test_no_spread_has_no_bounds() -> None:
    found = stats.crossed(np.full((5, 20), 0.25))
    assert (found.value, found.se, found.bounds(0.95)) == (0.25, None, (None, None))


def test_a_variance_below_the_residual_s_is_raised_to_it() -> None:
    cells = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert stats.crossed(cells).se == pytest.approx(math.sqrt(4 / 4))


@pytest.mark.parametrize("shape", [(1, 20), (5, 1)])
def test_one_seed_or_one_group_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="two of each"):
        stats.crossed(np.zeros(shape))


def test_pseudo_values_of_a_mean_are_the_groups_means() -> None:
    values = np.array([[0.0], [1.0], [1.0], [1.0]])
    found = stats.pseudo_values(lambda sums, n: sums / n[..., None], values, ["a", "a", "b", "b"])
    assert found[:, 0] == pytest.approx([0.5, 1.0])


@pytest.mark.parametrize("of_seed", [0.0, 0.05, 0.2])
def test_bounds_hold_about_as_often_as_they_say(of_seed: float) -> None:
    rng = np.random.default_rng(3)
    missed = 0
    for _ in range(600):
        cells = (
            rng.normal(0, of_seed, (5, 1)) + rng.normal(0, 0.3, (1, 30))
            + rng.normal(0, 0.3, (5, 30))
        )  # fmt: skip
        low, high = stats.crossed(cells).bounds(0.9)
        assert low is not None
        assert high is not None
        missed += (low > 0) + (high < 0)
    assert 0.07 < missed / 1200 < 0.13
