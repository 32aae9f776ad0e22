from __future__ import annotations

import dataclasses
import itertools
import math

import pytest
from hypothesis import given, strategies as st

from harness.data.planner import apportion, plan, weak
from harness.kit.features import holds
from harness.records import Condition, Findings, Slice


def a_slice(name="RateBook", gap=0.2, n=20, q=0.01, from_prompt=True, **more):
    conditions = (Condition("intent", "=", name),)
    return Slice(conditions, n, 10, 0.1, gap, 0.0, 1.0, q, from_prompt, **more)


weights = st.lists(st.floats(0, 1e6), min_size=1, max_size=30)


@given(weights, st.integers(0, 5000), st.integers(0, 99))
def test_apportion_obeys_the_quota_rule(shares, total, seed):
    rows = apportion(shares, total, seed)
    whole = math.fsum(shares)
    if whole <= 0:
        assert rows == [0] * len(shares)
        return
    assert sum(rows) == total
    for share, count in zip(shares, rows, strict=True):
        assert abs(count - total * (share / whole)) < 1 + 1e-6
        assert count == 0 or share > 0


@given(weights, st.integers(0, 500))
def test_a_larger_weight_never_gets_fewer_rows(shares, total):
    rows = apportion(shares, total)
    ranked = sorted(zip(shares, rows, strict=True))
    for (light, few), (heavy, many) in itertools.pairwise(ranked):
        assert few <= many or math.isclose(light, heavy)  # rounding makes a tie of these


def test_apportion_gives_the_last_rows_to_the_largest_remainders():
    assert apportion([47, 16, 15.8, 12, 6.1, 3.1], 10) == [5, 2, 1, 1, 1, 0]


def test_the_seed_decides_between_equal_claims():
    draws = {tuple(apportion([1, 1, 1], 1, seed)) for seed in range(20)}
    assert draws == {(1, 0, 0), (0, 1, 0), (0, 0, 1)}
    assert apportion([1, 1, 1], 1, 5) == apportion([1, 1, 1], 1, 5)


def test_targeted_rows_go_by_gap_times_support():
    findings = Findings((a_slice("A", 0.3, 20), a_slice("B", 0.1, 20)))
    made = plan(findings, 100, "targeted", 0.2, 1, "add real rows")
    assert [(i.slice.words if i.slice else None, i.rows) for i in made.items] == [
        ("intent = A", 60),
        ("intent = B", 20),
        (None, 20),
    ]
    assert {item.remedy for item in made.items} == {"add real rows"}
    assert "gap to the rest is 0.3" in made.items[0].reason
    assert "20 %" in made.items[2].reason


@given(
    st.lists(st.tuples(st.floats(0.001, 1), st.integers(8, 300)), max_size=12),
    st.integers(0, 400),
    st.floats(0, 1),
    st.sampled_from(["targeted", "random"]),
)
def test_the_items_sum_to_the_budget(found, budget, explore, strategy):
    slices = tuple(a_slice(str(i), gap, n) for i, (gap, n) in enumerate(found))
    made = plan(Findings(slices), budget, strategy, explore)
    assert made.rows == budget
    assert all(item.rows > 0 for item in made.items)


def test_what_is_not_weak_or_has_no_address_gets_no_rows():
    for strong in [
        a_slice(q=0.11),
        a_slice(q=None),
        a_slice(gap=-0.2),
        a_slice(gap=0.0),
        a_slice(gap=None),
        a_slice(gap=math.nan),
        a_slice(from_prompt=False),
        a_slice(holds=False),
        a_slice(q=0.2, holds=False, shrunken=0.1),
        a_slice(shrunken=math.nan),
        a_slice(shrunken=math.inf),
        a_slice(gap=0.0, weight=0.5),
    ]:
        made = plan(Findings((strong,)), 50)
        assert [(item.slice, item.rows) for item in made.items] == [(None, 50)], strong
        assert "no slice" in made.items[0].reason, strong


def test_rows_go_by_shrunken_gap_times_weight():
    findings = Findings(
        (
            a_slice("A", 0.5, 20, shrunken=0.1, weight=0.3),
            a_slice("B", 0.2, 90, shrunken=0.15, weight=0.1),
        )
    )
    made = plan(findings, 50, explore=0.1)
    assert [item.rows for item in made.items] == [30, 15, 5]
    assert "counted as 0.1, chance taken off" in made.items[0].reason


def test_rows_stand_for_the_weight_where_one_finder_gives_none():
    findings = Findings((a_slice("A", 0.2, 30, shrunken=0.1, weight=0.9), a_slice("B", 0.1, 10)))
    assert [item.rows for item in plan(findings, 50, explore=0.2).items] == [30, 10, 10]


@pytest.mark.parametrize("weight", [-1.0, math.nan, math.inf])
def test_a_weight_that_is_none_is_not_used(weight):
    findings = Findings((a_slice("A", weight=weight), a_slice("B", weight=0.1)))
    assert [item.rows for item in plan(findings, 100, explore=0.0).items] == [50, 50]


def test_what_its_finder_stands_by_is_planned_whatever_its_q():
    assert weak(Findings((a_slice(q=0.15, holds=True),)))
    assert weak(Findings((a_slice(q=None, holds=True),)))
    assert "q =" not in plan(Findings((a_slice(q=None, holds=True),)), 9).items[0].reason


@pytest.mark.parametrize("shrunken", [0.0, -0.01])
def test_slices_that_differ_no_more_than_chance_give_all_rows_to_exploration(shrunken):
    slices = (a_slice(holds=True, shrunken=shrunken), a_slice("B", holds=False))
    made = plan(Findings(slices), 40)
    assert [(item.slice, item.rows) for item in made.items] == [(None, 40)]
    assert "no more than chance" in made.items[0].reason


def test_a_weak_slice_without_traffic_gets_no_rows():
    made = plan(Findings((a_slice(weight=0.0),)), 40)
    assert [(item.slice, item.rows) for item in made.items] == [(None, 40)]


def test_a_slice_found_twice_counts_once():
    assert len(weak(Findings((a_slice(), a_slice())))) == 1


def test_slices_of_a_truth_value_and_of_a_number_are_two():
    pieces = [
        dataclasses.replace(a_slice(), conditions=(Condition("kind", "=", value),))
        for value in (True, 1, 1.0, "1")
    ]
    kept = [piece.conditions[0].value for piece in weak(Findings(tuple(pieces)))]
    assert len(kept) == 3 and [type(value) for value in kept] == [bool, float, str]
    truth, number, *_ = (piece.conditions for piece in pieces)
    assert not holds(truth, {"kind": 1}) and holds(number, {"kind": 1})


def test_random_ignores_the_findings_and_none_plans_nothing():
    findings = Findings((a_slice(),))
    made = plan(findings, 30, "random")
    assert [(item.slice, item.rows) for item in made.items] == [(None, 30)]
    assert plan(findings, 30, "none").items == ()
