"""The same model asked twice: a difference that is not chance is seen, and chance seldom is."""

from __future__ import annotations

import numpy as np
import pytest

import harness
from harness.records import Measurement
from harness.scoring import MetricEntry
from harness.verdicts import again
from harness.verdicts.rule import DecidingScore


class Right(harness.Metric):
    name = "right"


class Errors(harness.Metric):
    name = "errors"
    higher_is_better = False


def measured(values):
    return [Measurement(f"{place}", "right", (float(v),)) for place, v in enumerate(values)]


def compared(now, before, metric=Right, alpha=0.0125, seed=1):
    entry = MetricEntry("right", metric())
    score = DecidingScore(entry, entry.score_names[0], {}, seed)
    changed = int(np.sum(np.asarray(now) != np.asarray(before)))
    return again.compare(score, measured(now), measured(before), changed=changed, alpha=alpha)


def test_equal_answers_are_said_to_be_equal():
    values = [0, 1] * 30
    doubt, told = compared(values, values)
    assert not doubt
    assert told == (
        " The base model, asked 60 rows again in a process of its own, answered all as before."
    )


@pytest.mark.parametrize(("flips", "seen"), [(7, False), (8, True)])
def test_eight_rows_the_same_way_are_needed(flips, seen):
    """2 x .5^8 = .0078 is under .0125, 2 x .5^7 = .0156 is not."""
    before = np.ones(60)
    now = before.copy()
    now[:flips] = 0
    doubt, told = compared(now, before)
    assert bool(doubt) is seen
    said = f"fell by 0.1{'33' if seen else '17'}"
    assert said in doubt + told and ("limit 0.013" in doubt) is seen


def test_the_way_is_said_in_the_scores_own_direction():
    before = np.zeros(60)
    doubt, _ = compared(before + 0.5, before, Errors)
    assert "rose by 0.500 (lower is better)" in doubt


def test_what_cannot_be_compared_is_said_and_withholds_nothing():
    doubt, told = compared([1] * 10, [0] * 10)
    assert not doubt and "is not known" in told and "20 groups" in told


@pytest.mark.nightly
def test_equal_processes_are_seldom_told_apart():
    rng = np.random.default_rng(5)
    seen = 0
    for seed in range(400):
        hard = rng.random(60)
        sides = [(hard + rng.normal(0, 0.1, 60) > 0.5).astype(float) for _ in range(2)]
        seen += bool(compared(*sides, alpha=0.05, seed=seed)[0])
    assert 1 <= seen <= 20, seen
