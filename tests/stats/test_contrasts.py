"""A slice against the rest, against Welch and the matrix formula."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from scipy import stats as reference

from harness import stats


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
