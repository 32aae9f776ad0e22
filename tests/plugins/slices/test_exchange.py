"""Scores that change places between groups of like size."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st

from harness_slices import exchange
from harness_slices.exchange import LIKE, Exchange, Limit, chance, strata

sizes = st.lists(st.integers(1, 9), min_size=1, max_size=40)


@given(sizes)
def test_every_group_has_others_of_like_size(counts):
    found = strata(np.array(counts))
    assert sorted(group for alike in found for group in alike.tolist()) == list(range(len(counts)))
    assert len(found) == 1 or min(map(len, found)) >= LIKE
    for smaller, larger in itertools.pairwise(found):
        assert max(counts[g] for g in smaller) < min(counts[g] for g in larger)


@given(sizes, st.integers(0, 2**31))
def test_a_group_gets_the_scores_of_one_group(counts, seed):
    codes = np.repeat(np.arange(len(counts)), counts)
    for draw in Exchange.of(codes, seed, 5).places:
        lenders = [set(codes[draw[codes == group]].tolist()) for group in range(len(counts))]
        assert all(len(lender) == 1 for lender in lenders)
        assert len(set().union(*lenders)) == len(counts)


def test_single_rows_are_merely_shuffled():
    places = Exchange.of(np.arange(50), 3, 20).places
    assert all(sorted(draw.tolist()) == list(range(50)) for draw in places)
    assert len({draw.tobytes() for draw in places}) == 20
    assert np.array_equal(places, Exchange.of(np.arange(50), 3, 20).places)
    assert not np.array_equal(places, Exchange.of(np.arange(50), 4, 20).places)


def test_groups_of_one_size_keep_all_scores():
    codes = np.repeat(np.arange(20), 3)
    values = np.random.default_rng(0).normal(size=60)
    for draw in Exchange.of(codes, 1, 10).places:
        assert sorted(values[draw]) == sorted(values)


def test_memory_is_drawn_in_blocks_that_do_not_show_in_the_law(monkeypatch):
    monkeypatch.setattr(exchange, "_CELLS", 120)
    found = Exchange.of(np.arange(60), 1, 400).places
    assert np.bincount(found[:, 0], minlength=60).max() < 30
    values, pulls = np.arange(60.0), np.eye(60)[:2] - 1 / 60
    moved = Exchange(found).moved(values, pulls)
    assert moved.drawn.mean(axis=0) == pytest.approx([0, 0], abs=1e-9)
    assert moved.drawn.std(axis=0) == pytest.approx([1, 1])


def clustered(seed, groups=400, size=3):
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(groups), size)
    values = rng.normal(size=groups)[codes] + rng.normal(size=len(codes))
    inside = np.array([codes % 5 == 0, codes % 3 == 0, rng.random(len(codes)) < 0.2], dtype=float)
    return codes, values - values.mean(), inside - inside.mean(axis=1, keepdims=True)


def test_the_normal_limit_has_the_law_of_the_exchange():
    codes, values, pulls = clustered(2)
    one = Exchange.of(codes, 1, 4000).moved(values, pulls)
    other = Limit(codes, 1, 4000).moved(values, pulls)
    assert other.spread == pytest.approx(one.spread, rel=0.08)
    assert other.z == pytest.approx(one.z, rel=0.1, abs=0.1)
    assert np.corrcoef(other.drawn.T) == pytest.approx(np.corrcoef(one.drawn.T), abs=0.08)


def test_the_limit_of_single_rows_is_that_of_a_shuffle():
    """Variance and third moment of a sum of rows drawn without return, by their formulas."""
    rng = np.random.default_rng(3)
    values = rng.exponential(size=20_000)
    values -= values.mean()
    pulls = (rng.random((2, 20_000)) < [[0.01], [0.4]]).astype(float)
    pulls -= pulls.mean(axis=1, keepdims=True)
    moved = Limit(np.arange(20_000), 1).moved(values, pulls)
    variance = (pulls**2).sum(axis=1) * (values**2).mean()
    assert moved.spread == pytest.approx(np.sqrt(variance), rel=1e-3)
    cube = (pulls**3).sum(axis=1) * (values**3).mean() / variance**1.5
    assert moved.skew == pytest.approx(cube, rel=1e-3)


def test_the_number_of_rows_decides(monkeypatch):
    monkeypatch.setattr(exchange, "MOST_ROWS", 10)
    assert isinstance(chance(np.arange(10), 0), Exchange)
    assert isinstance(chance(np.arange(11), 0), Limit)


@pytest.mark.parametrize("kind", [Exchange.of, Limit])
def test_what_does_not_move_has_no_spread(kind):
    pulls = np.array([[0.5, -0.5, 0, 0], [0, 0, 0, 0]])
    moved = kind(np.arange(4), 1).moved(np.zeros(4), pulls)
    assert moved.spread.tolist() == [0, 0]
    assert np.isfinite(moved.z).all()
