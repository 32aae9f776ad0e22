"""A slice against the rest, against Welch and the matrix formula."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats as reference

from harness_slices.contrasts import contrasts
from tests.support.effort import effort


def contrast(values, inside, groups):
    """One slice against the rest."""
    found = contrasts(values, inside[None, :], groups)
    columns = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    return SimpleNamespace(**{name: float(column[0]) for name, column in columns.items()})


def test_a_contrast_of_single_rows_is_close_to_welch():
    rng = np.random.default_rng(1)
    values = rng.normal(0.5, 0.2, 400)
    inside = np.arange(400) < 100
    values[inside] -= 0.05
    found = contrast(values, inside, [f"r{i:03}" for i in range(400)])
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
    found = contrast(values, inside, codes)
    se, df = direct(values, inside, codes)
    assert found.se == pytest.approx(se, rel=1e-9)
    assert found.df == pytest.approx(df, rel=1e-9)
    assert found.p == pytest.approx(reference.t.sf(found.gap / se, df), rel=1e-9)


@pytest.mark.nightly(but_each=2)
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
        hits += contrast(values, inside, codes).p < 0.05
    assert 0.03 < hits / trials < 0.07


def test_a_contrast_without_two_groups_on_either_side_says_nothing():
    values = np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    found = contrast(values, np.array([True, True, False, False, False]), list("aabcd"))
    assert (found.gap, found.p, found.groups_inside) == (1, 1, 1)
    assert math.isnan(found.se) and math.isnan(found.low)


def test_a_contrast_without_spread():
    inside = np.array([True, True, False, False])
    equal = contrast(np.full(4, 0.1), inside, list("abcd"))
    assert (equal.gap, equal.se, equal.p) == (0, 0, 1)
    apart = contrast(np.array([0.0, 0, 1, 1]), inside, list("abcd"))
    assert (apart.gap, apart.low, apart.p) == (1, 1, 0)


def test_a_value_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="a contrast needs finite values"):
        contrast(np.array([1.0, math.nan]), np.array([True, False]), ["a", "b"])


def test_a_contrast_of_a_million_rows_takes_little_time():
    rng = np.random.default_rng(0)
    values, inside = rng.random(1_000_000), rng.random(1_000_000) < 0.1
    groups = [f"g{i % 5000}" for i in range(1_000_000)]
    assert effort(lambda: contrast(values, inside, groups)) < 1000


FIELDS = ("gap", "se", "low", "high", "p", "df", "groups_inside", "n_inside")


def drawn(rng, n, groups, slices):
    codes = rng.integers(0, groups, n)
    values = rng.normal(size=groups)[codes] + rng.normal(size=n)
    inside = rng.random((slices, n)) < rng.uniform(0.02, 0.9, (slices, 1))
    inside[0] = codes < groups // 4
    return values, inside, codes


@pytest.mark.parametrize(("n", "groups"), [(200, 30), (40_000, 25_000)], ids=["few", "many"])
def test_many_contrasts_equal_the_matrix_formula_one_by_one(n, groups):
    values, inside, codes = drawn(np.random.default_rng(8), n, groups, 5)
    found = contrasts(values, inside, codes)
    for place, own in enumerate(inside):
        rows = [np.bincount(codes, side, groups) for side in (own, ~own)]
        means = [values[side].mean() for side in (own, ~own)]
        assert found.gap[place] == pytest.approx(means[1] - means[0], rel=1e-9)
        assert found.n_inside[place] == own.sum()
        assert found.n_outside[place] == n - own.sum()
        assert found.groups_inside[place] == np.count_nonzero(rows[0])
        assert found.groups_outside[place] == np.count_nonzero(rows[1])
        if n < 1000:
            se, df = direct(values, own, codes)
        else:
            pull = np.where(own, -(values - means[0]) / own.sum(),
                            (values - means[1]) / (~own).sum())  # fmt: skip
            square = (np.bincount(codes, pull, groups) ** 2).sum()
            p2, q2 = ((side / side.sum()) @ (side / side.sum()) for side in rows)
            want = 1 / own.sum() + 1 / (~own).sum()
            se = math.sqrt(square * want / ((1 - p2) / own.sum() + (1 - q2) / (~own).sum()))
            df = found.df[place]
        assert found.se[place] == pytest.approx(se, rel=1e-9)
        assert found.df[place] == pytest.approx(df, rel=1e-9)
        assert found.p[place] == pytest.approx(reference.t.sf(found.gap[place] / se, df), rel=1e-8)


def test_with_many_groups_only_those_of_the_slice_are_looked_at(monkeypatch):
    values, inside, codes = drawn(np.random.default_rng(9), 3_000, 900, 20)
    all_groups = contrasts(values, inside, codes)
    monkeypatch.setattr("harness_slices.contrasts._FEW", 0)
    touched = contrasts(values, inside, codes)
    for name in (*FIELDS, "n_outside", "groups_outside"):
        np.testing.assert_allclose(getattr(touched, name), getattr(all_groups, name), rtol=1e-9)


@pytest.mark.parametrize("few", [0, 100], ids=["touched groups", "all groups"])
def test_slices_that_cannot_be_judged_leave_the_others_alone(monkeypatch, few):
    monkeypatch.setattr("harness_slices.contrasts._FEW", few)
    values = np.array([0.0, 0.0, 1.0, 1.0, 1.0, 0.5])
    rows = ["111111", "000000", "110000", "101010"]
    inside = np.array([[letter == "1" for letter in row] for row in rows])
    found = contrasts(values, inside, list("aabcde"))
    assert np.isnan(found.gap[:2]).all()
    assert np.isnan(found.se[:3]).all()
    assert found.p[:3].tolist() == [1, 1, 1]
    assert found.df[:3].tolist() == [0, 0, 0]
    alone = contrast(values, inside[3], list("aabcde"))
    assert (found.gap[3], found.se[3], found.p[3]) == pytest.approx((alone.gap, alone.se, alone.p))
    assert contrasts(values, inside[:0], list("aabcde")).gap.shape == (0,)


@pytest.mark.parametrize("few", [0, 100], ids=["touched groups", "all groups"])
def test_many_contrasts_without_spread(monkeypatch, few):
    monkeypatch.setattr("harness_slices.contrasts._FEW", few)
    inside = np.arange(60) % 3 == 0
    equal = contrasts(np.full(60, 0.1), inside[None], np.arange(60))
    assert (equal.gap[0], equal.se[0], equal.p[0]) == (0, 0, 1)
    apart = contrasts(np.where(inside, 0.1, 0.7), inside[None], np.arange(60))
    assert apart.gap[0] == pytest.approx(0.6)
    assert apart.p[0] < 1e-12
