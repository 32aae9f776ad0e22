"""Seeds and groups crossed: the variance by hand, its bounds, and how often they hold."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from harness import stats

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from crossed import World, lower_bounds


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


def test_a_value_far_off_is_found_by_the_published_limit() -> None:
    """Grubbs's table: of five values 1.715 standard deviations, two-sided at 5 %."""
    near, far = (np.array([0.0, 1.0, 2.0, 3.0, end]) for end in (6.0, 30.0))
    for values in (near, far):
        distance = (values[-1] - values.mean()) / values.std(ddof=1)
        assert stats.far_off(values) == (4 if distance > 1.715 else None)
    assert stats.far_off(near) is None
    assert stats.far_off(-far) == 4
    assert stats.far_off([0.5, 0.5, 0.5, 0.5, 0.4]) == 4
    assert stats.far_off([0.5] * 5) is None
    assert stats.far_off([0.1, 5.0]) is None


def test_of_normal_values_one_in_twenty_sets_has_one_far_off() -> None:
    rng = np.random.default_rng(4)
    found = [stats.far_off(rng.normal(size=5)) is not None for _ in range(2000)]
    assert 0.035 < np.mean(found) < 0.065


def test_trainings_that_fail_now_and_then_are_called_better_too_often() -> None:
    """A short version of ``benchmarks/crossed.py``: five seeds cannot tell of a sixth."""
    rng = np.random.default_rng(5)
    called = {}
    for of_seed in (0.05, 0.15):
        world = World(5, 50, (of_seed, 0.3, 0.3), failing=True)
        bounds = [lower_bounds(world.sample(rng))[0] for _ in range(1000)]
        called[of_seed] = float(np.mean([bound is not None and bound > 0 for bound in bounds]))
    assert 0.04 < called[0.05] < 0.1
    assert 0.12 < called[0.15] < 0.25
