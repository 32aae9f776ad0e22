"""Tests of two systems, and corrections for many tests, against definitions and SciPy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats as reference

from harness import stats
from harness.stats import significance


def mean(sums, weights):
    return sums / weights[..., None]


def ratio(sums, weights):
    return sums[..., :1] / sums[..., 1:]


def pairs(seed: int, n: int, k: int = 1, shift: float = 0.0):
    rng = np.random.default_rng(seed)
    return rng.random((n, k)) + shift + 0.01, rng.random((n, k)) + 0.01


def enumerated(aggregate, a, b, codes) -> float:
    """The share of all ways to swap whole groups that set the scores at least as far apart."""
    n = np.array(float(len(a)))
    gaps = []
    for swaps in itertools.product([False, True], repeat=codes.max() + 1):
        swap = np.array(swaps)[codes][:, None]
        sides = np.where(swap, b, a).sum(axis=0), np.where(swap, a, b).sum(axis=0)
        first, second = (aggregate(side, n) for side in sides)
        gaps.append(abs(float(first[0] - second[0])))
    return float(np.mean(np.array(gaps) >= gaps[0] - 1e-12))


@pytest.mark.parametrize("sizes", [[1] * 10, [5, 1, 2, 1, 3, 1, 1, 4]], ids=["rows", "groups"])
@pytest.mark.parametrize(("aggregate", "k"), [(mean, 1), (ratio, 2)], ids=["mean", "ratio"])
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_randomisation_agrees_with_all_ways_to_swap(sizes, aggregate, k, shift):
    codes = np.repeat(np.arange(len(sizes)), sizes)
    a, b = pairs(11, len(codes), k, shift)
    exact = enumerated(aggregate, a, b, codes)
    (found,) = stats.randomisation(aggregate, a, b, codes, seed=2, draws=20_000)
    assert 0 < exact < 1
    assert found == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 20_000))


@pytest.mark.parametrize("world", range(5))
def test_ties_count_as_ties_even_if_rounding_hides_them(world):
    """8 rows gain as much as 2 lose: p is that of the binomial test."""
    base = np.random.default_rng(world).random((40, 1))
    gain = np.array([[0.7]] * 8 + [[-0.7]] * 2 + [[0.0]] * 30)
    (found,) = stats.randomisation(mean, base + gain, base, np.arange(40), seed=1)
    assert len(np.unique(np.abs((base + gain) - base)[:10])) > 1
    assert found == pytest.approx(stats.mcnemar(8, 2), abs=0.014)


def test_p_is_uniform_where_the_systems_are_alike():
    found = [
        stats.randomisation(mean, *pairs(seed, 40), np.arange(40), seed, draws=199)[0]
        for seed in range(1000)
    ]
    assert reference.kstest(found, "uniform").pvalue > 0.01
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.02)


def test_p_of_many_rows_is_that_of_the_t_test():
    a, b = pairs(4, 600, shift=0.02)
    (found,) = stats.randomisation(mean, a, b, np.arange(600), seed=0)
    assert found == pytest.approx(reference.ttest_rel(a, b).pvalue[0], abs=0.02)


def test_no_swap_can_do_more_than_a_difference_in_all_rows():
    a, b = pairs(4, 60)
    found = stats.randomisation(mean, b + 1, b, np.arange(60), seed=0, draws=999)
    assert found == [1 / 1000]
    assert stats.randomisation(mean, a, a, np.arange(60), seed=0, draws=999) == [1.0]


def test_each_score_gets_its_own_p():
    a, b = pairs(4, 60, k=3)
    a[:, 1] += 0.5
    together = stats.randomisation(mean, a, b, np.arange(60), seed=0)
    alone = [
        stats.randomisation(mean, a[:, [i]], b[:, [i]], np.arange(60), seed=0)[0] for i in range(3)
    ]
    assert together == alone
    assert together[1] < 0.001 < min(together[0], together[2])


@given(st.integers(0, 1000), st.randoms(use_true_random=False))
def test_order_of_rows_and_of_sides_change_no_p(seed, shuffle):
    a, b = pairs(seed, 30)
    names = [f"g{i // 2}" for i in range(30)]
    order = list(range(30))
    shuffle.shuffle(order)
    found = stats.randomisation(mean, a, b, names, seed=3, draws=500)
    moved = [names[i] for i in order]
    assert found == stats.randomisation(mean, a[order], b[order], moved, seed=3, draws=500)
    assert found == stats.randomisation(mean, b, a, names, seed=3, draws=500)


def test_blocks_of_swaps_do_not_show(monkeypatch):
    a, b = pairs(5, 70)
    before = stats.randomisation(mean, a, b, np.arange(70), seed=3, draws=500)
    monkeypatch.setattr(significance, "_CELLS", 999)
    assert stats.randomisation(mean, a, b, np.arange(70), seed=3, draws=500) == before
    assert stats.randomisation(mean, a, b, np.arange(70), seed=4, draws=500) != before


def test_a_score_that_cannot_be_had_has_no_p():
    a, b = np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([[0.0, 0.0], [1.0, 1.0]])
    assert stats.randomisation(ratio, a, b, ["a", "b"], seed=0, draws=50) == [None]


def test_one_group_says_nothing():
    a, b = pairs(1, 5)
    assert stats.randomisation(mean, a, b, ["g"] * 5, seed=0, draws=50) == [1.0]


def test_sides_of_different_shape_are_refused():
    with pytest.raises(ValueError, match="same rows"):
        stats.randomisation(mean, np.ones((3, 1)), np.ones((4, 1)), ["a", "b", "c"], seed=0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_holm_is_the_closure_of_bonferroni(p):
    """A hypothesis falls if each set of hypotheses that holds it falls by Bonferroni."""
    expected = [
        max(
            min(1.0, size * min(chosen))
            for size in range(1, len(p) + 1)
            for chosen in (
                [p[i] for i in places]
                for places in itertools.combinations(range(len(p)), size)
                if mine in places
            )
        )
        for mine in range(len(p))
    ]
    assert stats.holm(np.array(p)) == pytest.approx(np.array(expected), rel=1e-12)


def test_a_p_that_cannot_be_had_stays_so_and_does_not_count():
    found = stats.holm([0.03, None, 0.01, math.nan])
    assert found[[0, 2]].tolist() == [0.03, 0.02]
    assert np.isnan(found[[1, 3]]).all()
    assert stats.holm([]).shape == (0,)
    assert np.isnan(stats.holm([None])).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_q_values_are_those_of_scipy(p):
    found = stats.benjamini_hochberg(np.array(p))
    assert np.allclose(found, reference.false_discovery_control(p), atol=1e-12)


def test_q_values_leave_out_a_p_that_cannot_be_had() -> None:
    found = stats.benjamini_hochberg([0.03, None, 0.01, math.nan])
    assert found[[0, 2]].tolist() == [0.03, 0.02]
    assert np.isnan(found[[1, 3]]).all()
    assert stats.benjamini_hochberg([]).shape == (0,)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12, unique=True))
def test_q_values_keep_the_order_of_the_p_values(p):
    pairs = sorted(zip(p, stats.benjamini_hochberg(np.array(p)), strict=True))
    assert all(q >= value - 1e-12 for value, q in pairs)
    assert all(a[1] <= b[1] for a, b in itertools.pairwise(pairs))
