"""The two statistics, against plain sums, and their level."""

from __future__ import annotations

import numpy as np
import pytest

from harness_drift.permuting import (
    Deal,
    differences,
    directions,
    largest,
    mmd,
    p_of,
    trigrams,
)


@pytest.fixture
def deal():
    draw = np.random.default_rng(3)
    of = np.concatenate([np.arange(30), draw.integers(0, 30, 40)])
    return Deal(of, np.arange(30) >= 18, 99)


def test_mmd_is_that_of_the_means(deal):
    features = np.random.default_rng(0).random((70, 8), np.float32)
    found = mmd(features @ features.T, deal)
    assert len(found) == 100
    for sides, value in zip(np.concatenate(list(deal.blocks())), found, strict=True):
        live = sides[deal.of] == 1
        gap = features[live].mean(axis=0) - features[~live].mean(axis=0)
        assert value == pytest.approx(float(gap @ gap), rel=1e-3, abs=1e-6)


def test_differences_leave_out_what_is_unknown(deal):
    values = np.random.default_rng(1).random((70, 3))
    values[::4, 1] = np.nan
    found = differences(values, deal)
    for sides, row in zip(np.concatenate(list(deal.blocks())), found, strict=True):
        live = sides[deal.of] == 1
        gap = np.nanmean(values[live], axis=0) - np.nanmean(values[~live], axis=0)
        assert row == pytest.approx(gap)


def test_each_deal_has_as_many_live_groups_and_is_the_same_again(deal):
    sides = np.concatenate(list(deal.blocks()))
    assert set(sides.sum(axis=1)) == {12.0}
    assert (sides == np.concatenate(list(deal.blocks()))).all()


def test_the_largest_of_many_is_wrong_as_often_as_it_says():
    """Sixty columns, groups of unequal size: p below .2 in about a fifth of 200 draws."""
    draw, low = np.random.default_rng(5), 0
    for _ in range(200):
        of = np.sort(np.concatenate([np.arange(40), draw.integers(0, 40, 20)]))
        values = (draw.random((40, 60)) < draw.random(60))[of].astype(float)
        deal = Deal(of, np.arange(40) >= 25, 199)
        low += largest(differences(values, deal)).p.min() <= 0.2
    assert 20 <= low <= 60


def test_an_unlike_text_is_far_and_case_is_not():
    one, same, other = trigrams(["Where is my refund?", "where  IS my refund?", "Größe ändern"])
    assert one == pytest.approx(same)
    assert float(one @ other) < 0.05 < float(one @ one)
    assert trigrams(["", "a"]).shape == (2, 4096)


def test_p_counts_the_sides_as_they_are():
    assert p_of(np.array([3.0, 1.0, 2.0, 0.0])) == 0.25


def test_along_the_directions_lie_the_distances_of_the_means(deal):
    """Features of no more dimensions than there are directions are there whole."""
    features = np.random.default_rng(0).random((70, 8), np.float32)
    alike = features @ features.T
    along = differences(directions(alike), deal)
    assert (along**2).sum(axis=1) == pytest.approx(mmd(alike, deal), rel=1e-2, abs=1e-5)
