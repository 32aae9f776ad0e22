"""The formulas of harness.stats against closed forms, reference libraries and laws."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from scipy import stats as reference

from harness import stats


def mean(sums, weights):
    return sums / weights[..., None]


def rows(seed: int, sizes: list[int], k: int = 1):
    rng = np.random.default_rng(seed)
    groups = [f"g{i:03}" for i, size in enumerate(sizes) for _ in range(size)]
    return rng.normal(0.4, 0.2, (len(groups), k)), groups


def test_groups_are_ordered_by_name_whatever_the_rows_order():
    codes, count = stats.encode(["b", "a", "c", "a"])
    assert codes.tolist() == [1, 0, 2, 0]
    assert count == 3
    assert stats.encode(np.array([7, -1, 7]))[0].tolist() == [1, 0, 1]


def test_group_sums_add_up_each_column():
    statistics = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    sums = stats.group_sums(statistics, np.array([1, 0, 1]), 2)
    assert sums.tolist() == [[2.0, 20.0], [5.0, 50.0]]


@pytest.mark.parametrize("block", [1, 7, 10_000])
def test_weights_are_multinomial_and_the_block_size_does_not_show(monkeypatch, block):
    whole = np.concatenate(list(stats.weights(30, 5, 400)))
    monkeypatch.setattr(stats, "_BLOCK", 30 * block)
    assert np.array_equal(np.concatenate(list(stats.weights(30, 5, 400))), whole)
    assert whole.dtype == np.float64
    assert np.array_equal(whole.sum(axis=1), np.full(400, 30.0))
    assert abs(whole.var() - 29 / 30) < 0.05


def test_all_metrics_share_one_weight_matrix():
    rng = np.random.default_rng(0)
    one, other = rng.random((20, 2)), rng.random((20, 3))
    together = stats.replicates(np.hstack([one, other]), 3, 50)
    assert np.allclose(together[:, :2], stats.replicates(one, 3, 50), rtol=1e-14)
    assert np.allclose(together[:, 2:], stats.replicates(other, 3, 50), rtol=1e-14)


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


def test_a_paired_difference_is_that_of_the_rows_differences():
    a, groups = rows(1, [3] * 30)
    b, _ = rows(2, [3] * 30)
    (found,) = stats.difference(mean, a, b, groups, seed=9, level=0.98)
    (single,) = stats.interval(mean, a - b, groups, seed=9)
    assert found.value == pytest.approx(single.value, rel=1e-9)
    assert found.se == pytest.approx(single.se, rel=1e-9)
    reach = reference.t.ppf(0.98, 29) * found.se
    assert found.low == pytest.approx(found.value - reach)
    assert found.high == pytest.approx(found.value + reach)
    assert (found.level, found.groups, found.n) == (0.98, 30, 90)
    assert found.effective == pytest.approx(30)


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
        stats._score(bleu, np.append(side.sum(0) - side[3 * g : 3 * g + 3].sum(0), 117))[0]
        for side in (a, b)
        for g in range(40)
    ]
    gaps = np.array(jackknife[:40]) - np.array(jackknife[40:])
    assert found.se == pytest.approx(math.sqrt(39 * gaps.var()), rel=0.1)


@settings(max_examples=25, deadline=None)
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
    start = time.perf_counter()
    stats.interval(mean, values, groups, seed=0)
    assert time.perf_counter() - start < 10


def test_the_detectable_difference_is_found_with_its_power():
    """Power of the one-sided t test, by the normal of the estimate and the chi of its se."""
    rng = np.random.default_rng(0)
    least = stats.detectable(1.0, 0.98, 40)
    se = np.sqrt(rng.chisquare(39, 200_000) / 39)
    lower = rng.normal(least, 1, 200_000) - special.stdtrit(39, 0.98) * se
    assert np.mean(lower > 0) == pytest.approx(0.8, abs=0.01)


def test_a_contrast_of_single_rows_is_close_to_welch():
    rng = np.random.default_rng(1)
    values = rng.normal(0.5, 0.2, 400)
    inside = np.arange(400) < 100
    values[inside] -= 0.05
    found = stats.contrast(values, inside, [f"r{i:03}" for i in range(400)])
    welch = reference.ttest_ind(
        values[~inside], values[inside], equal_var=False, alternative="greater"
    )
    assert found.gap == pytest.approx(values[~inside].mean() - values[inside].mean())
    assert found.p == pytest.approx(welch.pvalue, rel=0.1)
    assert (found.n_inside, found.groups_inside) == (100, 100)
    assert found.low < found.gap < found.high


def direct(values, inside, codes):
    """Bell and McCaffrey's factor and degrees of freedom, by explicit matrices."""
    design = np.column_stack([inside, ~inside]).astype(float)
    hat = design @ np.linalg.inv(design.T @ design) @ design.T
    pull = np.where(inside, -1 / inside.sum(), 1 / (~inside).sum())
    rest = np.eye(len(values)) - hat
    columns = [rest[:, codes == g] @ pull[codes == g] for g in np.unique(codes)]
    matrix = np.array(columns)
    gram = matrix @ matrix.T
    square = sum((pull[codes == g] @ (rest @ values)[codes == g]) ** 2 for g in np.unique(codes))
    factor = (pull @ pull) / np.trace(gram)
    return math.sqrt(factor * square), np.trace(gram) ** 2 / (gram**2).sum()


@pytest.mark.parametrize("across", [False, True], ids=["whole groups", "groups across"])
def test_a_contrast_equals_the_matrix_formula(across):
    rng = np.random.default_rng(3)
    codes = np.repeat(np.arange(25), rng.integers(1, 8, 25))
    values = rng.normal(size=25)[codes] + rng.normal(size=len(codes))
    inside = (codes % 5 == 0) | (across & (rng.random(len(codes)) < 0.3))
    found = stats.contrast(values, inside, codes)
    se, df = direct(values, inside, codes)
    assert found.se == pytest.approx(se, rel=1e-9)
    assert found.df == pytest.approx(df, rel=1e-9)
    assert found.p == pytest.approx(reference.t.sf(found.gap / se, df), rel=1e-9)


@pytest.mark.parametrize("across", [False, True], ids=["whole groups", "groups across"])
def test_a_contrast_of_nothing_is_called_weak_one_time_in_twenty(across):
    rng = np.random.default_rng(5)
    hits, trials = 0, 1500
    for _ in range(trials):
        codes = np.repeat(np.arange(40), rng.integers(1, 9, 40))
        values = rng.normal(size=40)[codes] + rng.normal(size=len(codes))
        inside = codes < 8
        if across:
            inside &= rng.random(len(codes)) < 0.7
        hits += stats.contrast(values, inside, codes).p < 0.05
    assert 0.03 < hits / trials < 0.07


def test_a_contrast_without_two_groups_on_either_side_says_nothing():
    values = np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    found = stats.contrast(values, np.array([True, True, False, False, False]), list("aabcd"))
    assert (found.gap, found.se, found.low, found.p, found.groups_inside) == (1, None, None, 1, 1)


def test_a_contrast_without_spread():
    inside = np.array([True, True, False, False])
    equal = stats.contrast(np.full(4, 0.1), inside, list("abcd"))
    assert (equal.gap, equal.se, equal.p) == (0, 0, 1)
    apart = stats.contrast(np.array([0.0, 0, 1, 1]), inside, list("abcd"))
    assert (apart.gap, apart.low, apart.p) == (1, 1, 0)


@pytest.mark.parametrize(
    ("values", "inside"),
    [([1.0, 2.0], [True, True]), ([1.0, 2.0], [False, False]), ([1.0, math.nan], [True, False])],
)
def test_a_contrast_that_makes_no_sense_is_refused(values, inside):
    with pytest.raises(ValueError, match="a contrast needs"):
        stats.contrast(np.array(values), np.array(inside), ["a", "b"])


def test_a_contrast_of_a_million_rows_takes_little_time():
    rng = np.random.default_rng(0)
    values, inside = rng.random(1_000_000), rng.random(1_000_000) < 0.1
    groups = [f"g{i % 5000}" for i in range(1_000_000)]
    start = time.perf_counter()
    stats.contrast(values, inside, groups)
    assert time.perf_counter() - start < 10


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_q_values_are_those_of_scipy(p):
    found = stats.benjamini_hochberg(np.array(p))
    assert np.allclose(found, reference.false_discovery_control(p), atol=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12, unique=True))
def test_q_values_keep_the_order_of_the_p_values(p):
    pairs = sorted(zip(p, stats.benjamini_hochberg(np.array(p)), strict=True))
    assert all(q >= value - 1e-12 for value, q in pairs)
    assert all(a[1] <= b[1] for a, b in itertools.pairwise(pairs))
