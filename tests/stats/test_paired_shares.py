"""Pass or fail on the same rows: McNemar's test against SciPy, bounds against tables and laws."""

from __future__ import annotations

import importlib.util
import itertools
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, strategies as st
from scipy import stats as reference

from harness import stats
from harness.stats.paired_shares import lower_bounds

PATH = Path(__file__).parents[2] / "benchmarks" / "pass_fail_bounds.py"
spec = importlib.util.spec_from_file_location("pass_fail_bounds", PATH)
assert spec is not None and spec.loader is not None
enumeration = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = enumeration
spec.loader.exec_module(enumeration)

LEVELS = (0.05, 0.05 / 3, 0.005, 0.0025)


def binomial(wins: int, losses: int) -> float:
    """The two-sided test of a fair coin, in whole numbers: SciPy's gives 0 for much above 0."""
    n, ways, total = wins + losses, 1, 0
    for k in range(min(wins, losses) + 1):
        total += ways
        ways = ways * (n - k) // (k + 1)
    return min(1.0, 2 * total / 2**n)


@given(st.integers(0, 5000), st.integers(0, 5000))
@example(10, 1065)
@example(15, 1060)
def test_mcnemar_is_the_binomial_test(wins, losses):
    assert stats.mcnemar(wins, losses) == pytest.approx(
        binomial(wins, losses), rel=1e-9, abs=1e-300
    )
    assert stats.mcnemar(losses, wins) == stats.mcnemar(wins, losses)


def test_mcnemar_is_scipys_binomial_test():
    for wins, losses in ((0, 0), (1, 0), (3, 9), (40, 60), (480, 520), (0, 60)):
        expected = reference.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
        assert stats.mcnemar(wins, losses) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_refuses_numbers_below_0():
    with pytest.raises(ValueError, match="0 or more"):
        stats.mcnemar(3, -1)


@pytest.mark.nightly(but_each=21)
@pytest.mark.parametrize("alpha", LEVELS)
@pytest.mark.parametrize("n", [20, 60, 160, 247, 400])
def test_bounds_miss_no_more_often_than_they_say(n: int, alpha: float) -> None:
    """All tables of n rows, weighed by their probability; each side for itself."""
    lows = lower_bounds(*enumeration.tables(n), n, alpha)
    found, shares = enumeration.worst(lows, n)
    assert found <= 1.05 * alpha, shares


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(("alpha", "times"), [(0.05, 1.05), (0.05 / 3, 1.05), (0.0025, 2.3)])
@pytest.mark.parametrize("n", [40, 100, 200])
def test_where_nearly_all_rows_are_wins_bounds_of_many_verdicts_miss_more_often(
    n: int, alpha: float, times: float
) -> None:
    """At the levels of up to three verdicts they hold there, too."""
    lows = lower_bounds(*enumeration.tables(n), n, alpha)
    found, shares = enumeration.worst(lows, n, enumeration.ONE_SIDED)
    assert found <= times * alpha, shares
    assert found > alpha or times < 2


@pytest.mark.parametrize(("n", "win", "loss"), [(160, 0.5, 0.0), (200, 0.0, 0.05), (60, 0.4, 0.0)])
def test_the_enumeration_sees_that_the_conditional_bound_alone_does_not_hold(
    n: int, win: float, loss: float
) -> None:
    lows = enumeration.conditional(*enumeration.tables(n), n, 0.05)
    assert max(enumeration.misses(lows, n, win, loss)) > 8 * 0.05


@pytest.mark.parametrize("alpha", LEVELS)
def test_no_bound_reaches_beyond_0_unless_the_exact_test_excludes_it(alpha: float) -> None:
    wins, losses = enumeration.tables(60)
    p = np.array(
        [stats.mcnemar(*pair) for pair in zip(wins.tolist(), losses.tolist(), strict=True)]
    )
    excluded = (p < 2 * alpha) & (wins > losses)
    assert ((lower_bounds(wins, losses, 60, alpha) >= 0) == excluded).all()


@pytest.mark.parametrize(
    ("n", "wins", "losses", "low", "high"),
    [
        (50, 14, 0, 0.175, 0.417),
        (50, 12, 2, 0.061, 0.345),
        (44, 0, 1, -0.118, 0.059),
        (21, 1, 7, -0.517, -0.026),
    ],
    ids=["Newcombe 1998, 36 14 0 0", "36 12 2 0", "43 0 1 0", "Fagerland 2013"],
)
def test_bounds_hold_tangos_of_published_tables(
    n: int, wins: int, losses: int, low: float, high: float
) -> None:
    """The continuity correction moves each by about a row, and never inwards."""
    found = stats.share_bounds(wins, losses, n, 0.025)
    assert low - 2 / n < found[0] <= low + 0.0005
    assert high - 0.0005 <= found[1] < high + 2 / n


@given(st.integers(2, 300), st.floats(0, 1), st.floats(0, 1), st.sampled_from(LEVELS))
def test_bounds_hold_the_difference_and_turn_with_the_sides(
    n: int, first: float, second: float, alpha: float
) -> None:
    wins = round(n * first)
    losses = round((n - wins) * second)
    low, high = stats.share_bounds(wins, losses, n, alpha)
    assert -1 <= low <= (wins - losses) / n <= high <= 1
    assert stats.share_bounds(losses, wins, n, alpha) == (-high, -low)
    wider = stats.share_bounds(wins, losses, n, alpha / 2)
    assert wider[0] <= low and high <= wider[1]


def test_a_bound_at_0_has_no_sign() -> None:
    """Six of one kind to none: the exact test excludes 0, and no bound lies beyond it."""
    gained, lost = stats.share_bounds(6, 0, 160, 0.05 / 3), stats.share_bounds(0, 6, 160, 0.05 / 3)
    assert [f"{bound:.1f}" for bound in (gained[0], lost[1])] == ["0.0", "0.0"]


def test_where_no_row_differs_the_rows_say_how_large_a_loss_is_excluded() -> None:
    assert stats.share_bounds(0, 0, 20, 0.05) == pytest.approx((-0.1391, 0.1391), abs=1e-4)
    assert stats.share_bounds(0, 0, 200, 0.05) == pytest.approx((-0.0149, 0.0149), abs=1e-4)


@pytest.mark.parametrize(("wins", "losses"), [(60_000, 30_000), (5_000, 4_800), (300, 340)])
def test_of_many_rows_the_bounds_are_those_of_the_normal_law(wins: int, losses: int) -> None:
    n, z = 100_000, reference.norm.isf(0.005)
    difference = (wins - losses) / n
    reach = z * np.sqrt((wins + losses) / n - difference**2) / np.sqrt(n)
    assert stats.share_bounds(wins, losses, n, 0.005) == pytest.approx(
        (difference - reach, difference + reach), abs=5 / n
    )


def test_a_loss_has_half_of_mcnemars_p_and_a_gain_none():
    for lost, gained in itertools.product(range(12), repeat=2):
        p = stats.mcnemar_worse(lost, gained)
        counts = [math.comb(lost + gained, k) for k in range(gained + 1)]
        assert p == pytest.approx(sum(counts) / 2 ** (lost + gained))
        if lost > gained:
            assert p == pytest.approx(stats.mcnemar(gained, lost) / 2)
        else:
            assert p >= 0.5
    with pytest.raises(ValueError, match="0 or more"):
        stats.mcnemar_worse(1, -1)
