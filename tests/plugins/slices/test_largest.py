"""Weighted max-T: its p, its level, and the gap that it asks for."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats as reference

from harness_slices.exchange import Exchange
from harness_slices.largest import compared


def none(n=40):
    """Nothing was found before, of n rows."""
    return np.zeros((0, n), dtype=np.bool_)


def rows(seed, n=40, slices=12):
    rng = np.random.default_rng(seed)
    return rng.normal(size=n), rng.random((slices, n)) < rng.uniform(0.15, 0.6, (slices, 1))


def test_one_slice_of_few_rows_has_the_p_of_all_exchanges():
    """Against the exact law: each of the 4,845 choices of 4 rows among 20."""
    values = np.random.default_rng(4).normal(size=20)
    inside = np.zeros((1, 20), dtype=np.bool_)
    inside[0, np.argsort(values)[[0, 2, 4, 9]]] = True
    sums = np.array([values[list(rows)].sum() for rows in itertools.combinations(range(20), 4)])
    exact = (sums <= values[inside[0]].sum() + 1e-12).mean()
    chance = Exchange.of(np.arange(20), 1, 20_000)
    found = compared(values, inside, none(20), chance, np.ones(1), 0.05)
    assert found.adjusted[0] == pytest.approx(exact, rel=0.15)
    assert found.p[0] == pytest.approx(exact, rel=0.3)


def test_passes_and_fails_of_few_rows_have_nearly_fishers_p():
    values = (np.arange(60) % 6 > 0).astype(float)
    inside = np.zeros((1, 60), dtype=np.bool_)
    inside[0, [0, 6, 12, 18, 1, 2, 3]] = True
    exact = reference.fisher_exact([[4, 3], [6, 47]], alternative="greater").pvalue
    chance = Exchange.of(np.arange(60), 1, 20_000)
    found = compared(values, inside, none(60), chance, np.ones(1), 0.05)
    assert found.adjusted[0] == pytest.approx(exact, rel=0.3)
    assert exact / 3 < found.p[0] < exact * 3


def test_any_of_many_is_called_at_the_level_where_nothing_is_weak():
    hits = 0
    for seed in range(300):
        values, inside = rows(seed)
        chance = Exchange.of(np.arange(40), seed, 200)
        weights = np.linspace(0.2, 1.8, 12)
        hits += compared(values, inside, none(), chance, weights, 0.1).adjusted.min() <= 0.1
    assert 15 <= hits <= 46


def test_a_slice_is_called_from_the_gap_on_that_is_asked_for():
    for seed in range(20):
        values, inside = rows(seed)
        chance = Exchange.of(np.arange(40), seed, 400)
        found = compared(values, inside, none(), chance, np.linspace(0.2, 1.8, 12), 0.3)
        gaps = np.array([values[~own].mean() - values[own].mean() for own in inside])
        assert np.array_equal(found.adjusted <= 0.3, gaps >= found.needed - 1e-9)


def test_more_weight_asks_for_less_of_one_and_more_of_the_others():
    values, inside = rows(3)
    chance = Exchange.of(np.arange(40), 1)
    even, uneven = np.ones(12), np.ones(12)
    uneven[0] = 6
    one, other = (compared(values, inside, none(), chance, w, 0.05) for w in (even, uneven / 1.4))
    assert other.needed[0] < one.needed[0]
    assert (other.needed[1:] >= one.needed[1:]).all()


def test_a_copy_of_a_slice_costs_nothing():
    values, inside = rows(5)
    chance = Exchange.of(np.arange(40), 1)
    alone = compared(values, inside[:1], none(), chance, np.ones(1), 0.05)
    copies = compared(values, np.repeat(inside[:1], 50, axis=0), none(), chance, np.ones(50), 0.05)
    assert copies.adjusted == pytest.approx(np.repeat(alone.adjusted, 50))


def test_what_was_found_explains_what_it_overlaps_with():
    rng = np.random.default_rng(6)
    found = np.arange(200) < 50
    copy = found ^ (rng.random(200) < 0.1)
    own = rng.random(200) < 0.3
    values = rng.normal(size=200) - 3 * found - 2 * own
    chance, both = Exchange.of(np.arange(200), 1), np.array([copy, own])
    before, after = (
        compared(values, both, out, chance, np.ones(2), 0.05) for out in (none(200), found[None])
    )
    assert before.adjusted[0] < 0.01
    assert after.adjusted[0] > 0.1
    assert after.adjusted[1] < 0.01
    rest = compared(values, np.array([found, ~found]), found[None], chance, np.ones(2), 0.05)
    assert rest.adjusted.tolist() == [1, 1]
    assert np.isinf(rest.needed).all()


def test_scores_that_are_all_alike_say_nothing():
    found = compared(np.full(40, 0.3), rows(1)[1], none(), Exchange.of(np.arange(40), 1),
                   np.ones(12), 0.05)  # fmt: skip
    assert found.p.tolist() == found.adjusted.tolist() == [1] * 12
    assert np.isinf(found.needed).all()
