"""The weights of the bootstrap against the multinomial law."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from scipy import stats as reference

from harness import stats
from harness.stats import resampling


def whole(count: int, seed: int, draws: int) -> np.ndarray:
    return np.concatenate(list(stats.weights(count, seed, draws)))


def agrees(seen: np.ndarray, law: np.ndarray) -> bool:
    """Whether counts of outcomes follow probabilities, by chi-square with rare ones pooled."""
    expected = law / law.sum() * seen.sum()
    rare = expected < 5
    table = [np.append(side[~rare], side[rare].sum()) for side in (seen, expected)]
    kept = table[1] > 0
    assert not table[0][~kept].any()
    return reference.chisquare(table[0][kept], table[1][kept]).pvalue > 1e-3


def test_each_draw_takes_as_many_groups_as_there_are():
    for count in [1, 2, 16, 17, 40, 255, 256, 1000, 10_001]:
        found = whole(count, 3, 50)
        assert found.shape == (50, count), count
        assert (found.sum(axis=1, dtype=int) == count).all(), count


def test_a_group_is_taken_as_often_as_the_binomial_law_says():
    for count in [2, 5, 18, 40, 100, 400]:
        found = whole(count, 5, 20_000)
        law = reference.binom.pmf(np.arange(count + 1), count, 1 / count)
        for place in (0, count // 2, count - 1):
            assert agrees(np.bincount(found[:, place], minlength=count + 1), law), count


@pytest.mark.parametrize("count", [40, 100, 400])
def test_half_of_the_groups_together_are_taken_as_the_law_says(count):
    """Independent counts would vary twice as much."""
    taken = whole(count, 6, 20_000)[:, ::2].sum(axis=1, dtype=int)
    law = reference.binom.pmf(np.arange(count + 1), count, 0.5)
    assert agrees(np.bincount(taken, minlength=count + 1), law)


def test_all_outcomes_of_three_groups_are_as_likely_as_they_should_be():
    found = whole(3, 1, 27_000)
    codes = found @ np.array([16, 4, 1])
    law = np.zeros(49)
    for a, b, c in itertools.product(range(3), repeat=3):
        law[[16, 4, 1][a] + [16, 4, 1][b] + [16, 4, 1][c]] += 1 / 27
    assert agrees(np.bincount(codes, minlength=49), law)


def test_the_number_of_groups_left_out_is_that_of_numpys_multinomial():
    ours = (whole(300, 2, 5000) == 0).sum(axis=1)
    theirs = np.random.default_rng(0).multinomial(300, np.full(300, 1 / 300), 5000)
    assert reference.ks_2samp(ours, (theirs == 0).sum(axis=1)).pvalue > 1e-3


def test_mean_variance_and_covariance_are_multinomial():
    found = whole(50, 8, 40_000).astype(float)
    spread = np.cov(found.T)
    assert np.allclose(found.mean(axis=0), 1, atol=0.025)
    assert np.allclose(np.diag(spread), 49 / 50, atol=0.04)
    assert spread[~np.eye(50, dtype=bool)].mean() == pytest.approx(-1 / 50, abs=1e-3)


def test_many_cells_follow_the_law_to_its_rare_counts():
    """What the table of bytes cannot hold must come from the rest: 4 and more, 1 in 250."""
    found = whole(20_000, 4, 150)
    law = reference.binom.pmf(np.arange(256), 20_000, 1 / 20_000)
    assert agrees(np.bincount(found.ravel(), minlength=256), law)


def test_draws_with_too_many_trials_are_thrown_away_without_a_trace():
    """With a mean of 1 every other draw is."""
    rng = np.random.default_rng(1)
    found = resampling._multinomial(rng, resampling._Poisson(1.0), 20_000, 60)
    assert (found.sum(axis=1, dtype=int) == 60).all()
    law = reference.binom.pmf(np.arange(61), 60, 1 / 60)
    assert agrees(np.bincount(found[:, 7], minlength=61), law)
    halves = found[:, :30].sum(axis=1, dtype=int)
    assert agrees(np.bincount(halves, minlength=61), reference.binom.pmf(np.arange(61), 60, 0.5))


def test_one_seed_gives_one_matrix_and_another_seed_another():
    assert np.array_equal(whole(500, 1, 30), whole(500, 1, 30))
    assert not np.array_equal(whole(500, 1, 30), whole(500, 2, 30))


def test_no_block_of_weights_repeats_another_or_is_larger_than_it_may_be():
    blocks = list(stats.weights(1_000_000, 1, 9))
    assert [len(block) for block in blocks] == [4, 4, 1]
    assert not np.array_equal(blocks[0], blocks[1])
    assert len({block[0].tobytes() for block in blocks}) == 3


@pytest.mark.parametrize(("tile", "size"), [(1, 1), (7, 1 << 10), (64, 1 << 18), (500, 1 << 30)])
def test_totals_do_not_depend_on_how_they_are_multiplied(monkeypatch, tile, size):
    sums = np.random.default_rng(0).random((150, 3))
    monkeypatch.setattr(resampling, "_TILE", tile)
    monkeypatch.setattr(resampling, "_ONE_CORE", size)
    assert np.allclose(stats.replicates(sums, 7, 90), whole(150, 7, 90) @ sums, rtol=1e-13)


def test_whole_numbers_add_up_exactly():
    sums = np.random.default_rng(0).integers(0, 1000, (5000, 4))
    expected = whole(5000, 7, 40).astype(int) @ sums
    assert np.array_equal(stats.replicates(sums.astype(float), 7, 40), expected)


def test_memory_is_bounded_by_the_block_and_not_by_draws_times_groups():
    """100 draws of 100,000 groups are 80 MB as doubles, the weights of 1,000 draws 800 MB."""
    sums = np.ones((100_000, 20))
    tracemalloc.start()
    try:
        stats.replicates(sums, 1, 100)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6


def test_all_metrics_share_one_weight_matrix():
    rng = np.random.default_rng(0)
    one, other = rng.random((20, 2)), rng.random((20, 3))
    together = stats.replicates(np.hstack([one, other]), 3, 50)
    assert np.allclose(together[:, :2], stats.replicates(one, 3, 50), rtol=1e-14)
    assert np.allclose(together[:, 2:], stats.replicates(other, 3, 50), rtol=1e-14)
