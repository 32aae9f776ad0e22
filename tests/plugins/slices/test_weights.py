"""The level, divided over candidates before a score is seen."""

from __future__ import annotations

import numpy as np
import pytest

from harness.records import Condition, Example
from harness_slices import weights as module
from harness_slices.candidates import Candidate
from harness_slices.weights import MOST, PLANNED, known, weights


def candidate(value, rows, *more, from_prompt=True):
    inside = np.arange(100) < rows
    conditions = (Condition("kind", "=", value), *more)
    return Candidate(conditions, inside, from_prompt)


def train(*values):
    return known(
        [Example(f"t{i}", ({"role": "user", "content": "x"},), meta={"kind": v, "n": i % 2})
         for i, v in enumerate(values)]
    )  # fmt: skip


PAIR = Condition("n", "=", 1)


def test_what_train_has_its_share_of_weighs_alike():
    family = [candidate("a", 50), candidate("b", 50)]
    assert weights(family, train(*"ab" * 30)).tolist() == pytest.approx([1, 1], rel=0.05)
    assert weights(family, ()).tolist() == [1, 1]
    assert weights([], ()).shape == (0,)


def test_what_train_lacks_weighs_as_many_times_as_the_shares_differ():
    family = [candidate("a", 80), candidate("b", 20)]
    found = weights(family, train(*"a" * 95 + "b" * 4))
    assert found.mean() == pytest.approx(1)
    assert found[1] / found[0] == pytest.approx(20 / 5, rel=0.01)
    found = weights(family, train(*"a" * 999))
    assert found[1] / found[0] == MOST


def test_single_conditions_that_a_plan_can_ask_for_have_their_share_of_the_level():
    family = [candidate("a", 40), candidate("b", 40)]
    family += [candidate("a", 20, PAIR)] * 6
    family += [candidate("c", 30, from_prompt=False)] * 2
    found = weights(family, ())
    assert found.mean() == pytest.approx(1)
    assert found[:2].sum() / found.sum() == pytest.approx(PLANNED)
    many = weights([candidate("a", 40)] * 9 + [candidate("b", 20, PAIR)], ())
    assert many.tolist() == pytest.approx([1] * 10)


def test_pairs_are_counted_by_both_conditions():
    family = [candidate("a", 40, PAIR), candidate("b", 40, PAIR)]
    rows = train(*["a"] * 40, *["b", "c"] * 20)  # none of the rows of b has n = 1
    found = weights(family, rows)
    assert found[1] > 5 * found[0]


def test_of_many_training_rows_some_stand_for_all(monkeypatch):
    rows = [Example(str(i), ({"role": "user", "content": "x"},), meta={"i": i}) for i in range(95)]
    monkeypatch.setattr(module, "MOST_ROWS", 10)
    assert [row["i"] for row in known(rows)] == list(range(0, 95, 10))
    assert known([]) == []
