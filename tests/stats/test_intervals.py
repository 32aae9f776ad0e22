"""Intervals and paired differences against closed forms, reference libraries and laws."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import optimize, special, stats as reference

from harness import stats
from harness.stats import groups as grouping, skewness
from tests.support import nightly
from tests.support.effort import effort


def mean(sums, weights):
    return sums / weights[..., None]


def rows(seed: int, sizes: list[int], k: int = 1):
    rng = np.random.default_rng(seed)
    groups = [f"g{i:03}" for i, size in enumerate(sizes) for _ in range(size)]
    return rng.normal(0.4, 0.2, (len(groups), k)), groups


@pytest.mark.parametrize("sizes", [[1] * 60, [4] * 40, [9, 7, 5, *[2] * 30]])
def test_the_interval_of_a_mean_is_the_cluster_robust_one(sizes):
    """se^2 = factor x sum over groups of (group's deviations from the mean / n)^2."""
    values, groups = rows(1, sizes)
    (found,) = stats.interval(mean, values, groups, seed=2, draws=40_000)
    names = np.array(groups)
    n, middle = len(values), values.mean()
    pulls = [(values[names == name] - middle).sum() / n for name in sorted(set(groups))]
    factor, worth = stats.small_sample(np.array(sizes, float))
    se = math.sqrt(factor * np.square(pulls).sum())
    reach = reference.t.ppf(0.975, worth - 1) * se
    assert found.value == pytest.approx(middle, rel=1e-12)
    assert found.se == pytest.approx(se, rel=0.03)
    assert found.low == pytest.approx(middle - reach, abs=0.05 * reach)
    assert found.high == pytest.approx(middle + reach, abs=0.05 * reach)


def test_single_rows_give_the_textbook_t_interval():
    values, groups = rows(4, [1] * 50)
    (found,) = stats.interval(mean, values, groups, seed=0, draws=40_000)
    low, high = reference.t.interval(0.95, 49, values.mean(), reference.sem(values[:, 0]))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.003)


def test_fewer_than_two_groups_give_no_interval():
    values, _ = rows(0, [5])
    (found,) = stats.interval(mean, values, ["g"] * 5, seed=0)
    assert (found.low, found.high, found.se) == (None, None, None)
    (gap,) = stats.difference(mean, values + 1, values, ["g"] * 5, seed=0)
    assert gap.value == pytest.approx(1)
    assert (gap.low, gap.high, gap.se, gap.groups, gap.n) == (None, None, None, 1, 5)


def test_a_score_that_some_draw_cannot_have_gets_no_interval():
    """A ratio whose denominator lies in one group alone is 0/0 in a third of the draws."""
    statistics = np.array([[1.0, 1.0], *[[0.0, 0.0]] * 9])
    groups = [f"g{i}" for i in range(10)]

    def ratio(sums, weights):
        return sums[..., :1] / sums[..., 1:]

    (found,) = stats.interval(ratio, statistics, groups, seed=0)
    assert found == stats.Interval(1.0, None, None, None)


def hall_bound(value, skew):
    """T at which T + s T^2 / 3 + s^2 T^3 / 27 + s / 6 is the value, by search."""

    def excess(t):
        return t + skew * t**2 / 3 + skew**2 * t**3 / 27 + skew / 6 - value

    return optimize.brentq(excess, -50, 50)


def test_a_paired_difference_is_that_of_the_rows_differences():
    a, groups = rows(1, [3] * 30)
    b, _ = rows(2, [3] * 30)
    (found,) = stats.difference(mean, a, b, groups, seed=9, level=0.98)
    (single,) = stats.interval(mean, a - b, groups, seed=9)
    assert found.value == pytest.approx(single.value, rel=1e-9)
    assert found.se == pytest.approx(single.se, rel=1e-9)
    reach = reference.t.ppf(0.98, 29)
    skew = reference.skew((a - b).reshape(30, 3).mean(axis=1)) / math.sqrt(30)
    below, above = max(reach, hall_bound(reach, skew)), max(reach, -hall_bound(-reach, skew))
    assert found.low == pytest.approx(found.value - below * found.se)
    assert found.high == pytest.approx(found.value + above * found.se)
    assert (found.level, found.groups, found.n) == (0.98, 30, 90)
    assert found.effective == pytest.approx(30)


@pytest.mark.parametrize("sizes", [[1] * 60, [9, 7, 5, *[2] * 30]])
def test_few_large_losses_widen_the_bound_below_and_not_the_one_above(sizes):
    changes, groups = rows(1, sizes)
    changes = 0.01 + 0.001 * changes
    changes[[5, 40]] = -0.25
    (found,) = stats.difference(mean, changes, 0 * changes, groups, seed=0)
    below, above = found.value - found.low, found.high - found.value
    _, worth = stats.small_sample(np.unique(groups, return_counts=True)[1].astype(float))
    assert above == pytest.approx(reference.t.ppf(0.95, worth - 1) * found.se)
    assert below > 1.3 * above
    (mirrored,) = stats.difference(mean, -changes, 0 * changes, groups, seed=0)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))
    assert mirrored.p == pytest.approx(found.p)


@given(st.floats(-3, 3), st.floats(-8, 8))
def test_the_transformation_is_undone(skew, t):
    assert skewness.restored(skewness.transformed(t, skew), skew) == pytest.approx(t, abs=1e-5)


def test_pairing_removes_what_both_sides_share():
    hard, groups = rows(1, [3] * 30)
    noise, _ = rows(2, [3] * 30)
    a, b = hard + 0.01 * noise, hard
    (paired,) = stats.difference(mean, a, b, groups, seed=9)
    (alone,) = stats.interval(mean, a, groups, seed=9)
    assert paired.se < alone.se / 20


def test_swapping_the_sides_mirrors_the_difference():
    a, groups = rows(1, [3] * 30, k=2)
    b, _ = rows(2, [3] * 30, k=2)
    for forth, back in zip(
        stats.difference(mean, a, b, groups, seed=3),
        stats.difference(mean, b, a, groups, seed=3),
        strict=True,
    ):
        assert forth.value == -back.value
        assert forth.low == pytest.approx(-back.high, rel=1e-12)


def test_no_spread_gives_exact_bounds():
    a, groups = rows(1, [3] * 30)
    (same,) = stats.difference(mean, a, a, groups, seed=0)
    assert (same.value, same.low, same.high, same.se) == (0, 0, 0, 0)
    (shifted,) = stats.difference(mean, a + 0.1, a, groups, seed=0)
    assert shifted.se == 0
    assert shifted.low == shifted.high == pytest.approx(0.1)


@pytest.mark.parametrize("sizes", [[1] * 60, [3] * 30, [9, 7, 5, *[2] * 30]])
@pytest.mark.parametrize("shift", np.linspace(0, 0.15, 7))
def test_p_is_below_5_percent_exactly_where_the_two_sided_interval_excludes_0(sizes, shift):
    a, groups = rows(1, sizes)
    b, _ = rows(2, sizes)
    (found,) = stats.difference(mean, a + shift, b, groups, seed=0, level=0.975)
    assert (found.p < 0.05) == (found.low > 0 or found.high < 0)
    (other,) = stats.difference(mean, a + shift, b, groups, seed=0, level=1 - found.p / 2)
    assert min(abs(other.low), abs(other.high)) == pytest.approx(0, abs=1e-9)


def test_p_of_single_rows_is_that_of_the_paired_t_test():
    a, groups = rows(1, [1] * 60)
    b, _ = rows(2, [1] * 60)
    (found,) = stats.difference(mean, a + 0.03, b, groups, seed=0, draws=40_000)
    assert found.p == pytest.approx(reference.ttest_rel(a + 0.03, b).pvalue[0], rel=0.03)


def test_p_where_nothing_varies():
    a, groups = rows(1, [3] * 30)
    assert stats.difference(mean, a, a, groups, seed=0)[0].p == 1
    assert stats.difference(mean, a + 0.1, a, groups, seed=0)[0].p == 0
    assert stats.difference(mean, a, a, ["g"] * 90, seed=0)[0].p is None


def test_rounding_is_no_difference():
    """Two ways to write one ratio differ by rounding only."""
    a, groups = rows(1, [3] * 30, k=2)

    def ratio(sums, weights):
        return sums[..., :1] / sums[..., 1:]

    (found,) = stats.difference(ratio, a * 0.1, a * 3.7, groups, seed=0)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_sides_of_different_shape_are_refused():
    with pytest.raises(ValueError, match="same rows"):
        stats.difference(mean, np.ones((3, 1)), np.ones((4, 1)), ["a", "b", "c"], seed=0)


def bleu(sums, weights):
    """Corpus BLEU of sacreBLEU's statistics (correct 1-4, total 1-4, lengths), smoothing off."""
    correct, total = sums[..., :4], sums[..., 4:8]
    precision = np.exp(np.log(correct / total).mean(axis=-1))
    brevity = np.exp(np.minimum(0.0, 1 - sums[..., 9] / sums[..., 8]))
    return 100 * (brevity * precision)[..., None]


def bleu_rows(seed: int, count: int, changed: int):
    """Statistics of sacreBLEU itself for sentences with some words changed."""
    from sacrebleu.metrics import BLEU

    rng = np.random.default_rng(seed)
    metric = BLEU()
    hypotheses, references = [], []
    for _ in range(count):
        words = [f"w{i}" for i in rng.integers(0, 50, rng.integers(12, 20))]
        answer = list(words)
        for place in rng.choice(len(words), changed, replace=False):
            answer[place] = "x"
        references.append(" ".join(words))
        hypotheses.append(" ".join(answer))
    table = metric._extract_corpus_statistics(hypotheses, [references])
    order = [*range(2, 10), 0, 1]
    score = metric.corpus_score(hypotheses, [references]).score
    return np.array(table, dtype=np.float64)[:, order], score


def test_a_corpus_bleu_gets_a_difference_of_corpus_scores():
    a, score_a = bleu_rows(1, 120, 2)
    b, score_b = bleu_rows(1, 120, 3)
    groups = [f"g{i // 3}" for i in range(120)]
    (found,) = stats.difference(bleu, a, b, groups, seed=1)
    assert found.value == pytest.approx(score_a - score_b, rel=1e-9)
    assert 0 < found.low < found.value < found.high
    jackknife = [
        grouping.score(bleu, np.append(side.sum(0) - side[3 * g : 3 * g + 3].sum(0), 117))[0]
        for side in (a, b)
        for g in range(40)
    ]
    gaps = np.array(jackknife[:40]) - np.array(jackknife[40:])
    assert found.se == pytest.approx(math.sqrt(39 * gaps.var()), rel=0.1)


@given(st.integers(0, 2**32 - 1), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(seed, shuffle):
    a, groups = rows(seed, [4, 3, 2, 1] * 6)
    b, _ = rows(seed + 1, [4, 3, 2, 1] * 6)
    order = list(range(len(groups)))
    shuffle.shuffle(order)
    moved = [groups[i] for i in order]
    (before,) = stats.difference(mean, a, b, groups, seed=1, draws=200)
    (after,) = stats.difference(mean, a[order], b[order], moved, seed=1, draws=200)
    assert (after.value, after.low, after.high) == pytest.approx(
        (before.value, before.low, before.high), abs=1e-12
    )


def test_one_seed_gives_one_answer_and_another_seed_another():
    values, groups = rows(0, [2] * 30)
    first, again, other = (stats.interval(mean, values, groups, seed)[0] for seed in (1, 1, 2))
    assert first == again
    assert first.value == other.value
    assert first.se != other.se


def test_many_groups_are_resampled_in_little_time():
    values, groups = rows(0, [1] * 5_000, k=12)
    assert effort(lambda: stats.interval(mean, values, groups, seed=0)) < 1000


@pytest.mark.nightly
def test_a_hundred_thousand_groups_are_compared_in_little_memory():
    """Both sides' statistics are 160 bytes a group, all weights of 100 draws would be 800."""
    rng, groups = np.random.default_rng(0), nightly.draws(100_000, least=30_000)
    a, b = rng.random((groups, 10)), rng.random((groups, 10))
    tracemalloc.start()
    try:
        stats.difference(mean, a, b, np.arange(groups), seed=0, draws=100)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 750 * groups


def test_the_detectable_difference_is_found_with_its_power():
    """Power of the one-sided t test, by the normal of the estimate and the chi of its se."""
    rng = np.random.default_rng(0)
    least = stats.detectable(1.0, 0.98, 40)
    se = np.sqrt(rng.chisquare(39, 200_000) / 39)
    lower = rng.normal(least, 1, 200_000) - special.stdtrit(39, 0.98) * se
    assert np.mean(lower > 0) == pytest.approx(0.8, abs=0.01)
