"""Values of a rubric: which are asked for, which are taken, and how they add up."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from harness.errors import DataError
from harness.records.rubrics import Criterion, Overall, Rubric, Scale, Show
from harness_rating.rubric import file, scales, scoring
from tests.plugins.rating import tiny as tiny_rubric

POLITE = "scale: binary\n    keys: [y, n]"
write = tiny_rubric.write


def test_only_what_is_asked_is_asked(tiny: Rubric) -> None:
    def asked(**values: Any) -> list[str]:
        return [criterion.id for criterion in scoring.asked_criteria(tiny, values)]

    assert asked() == ["accuracy", "polite"]
    assert asked(accuracy=3, polite=True) == ["accuracy", "polite"]
    assert asked(accuracy=None, polite=True) == ["accuracy", "polite"]
    assert asked(accuracy=2) == ["accuracy", "polite", "errors"]
    named = {"errors": ["wrong facts"]}
    assert asked(accuracy=2, **named) == ["accuracy", "polite", "errors", "better"]
    # A choice that is left over from before decides nothing.
    assert asked(accuracy=3, polite=True, **named) == ["accuracy", "polite"]
    assert scoring.applies(tiny.criterion("better"), named)


def test_an_item_is_open_until_all_that_is_needed_is_answered(tiny: Rubric) -> None:
    def missing(**values: Any) -> list[str]:
        return [criterion.id for criterion in scoring.missing(tiny, values)]

    assert missing() == ["accuracy", "polite"]
    assert missing(accuracy=None) == ["polite"]
    assert missing(accuracy=1, polite=False) == []


def criterion(kind: Any, name: str = "c", **more: Any) -> Criterion:
    scale = {
        "ordinal": Scale("ordinal", 1, 5, {"1": "bad", "5": "good"}),
        "number": Scale("number", 0, 10),
        "choice": Scale("choice", choices=("x", "y")),
        "choices": Scale("choices", choices=("x", "y", "z")),
    }.get(kind, Scale(kind))
    return Criterion(name, name, "What?", scale, **more)


@pytest.mark.parametrize(
    ("kind", "value", "stored", "normal"),
    [
        ("binary", True, True, 1.0), ("binary", "no", False, 0.0), ("ordinal", 1, 1, 0.0),
        ("ordinal", 4.0, 4, 0.75), ("number", 2.5, 2.5, 0.25), ("number", 10, 10, 1.0),
        ("choice", "y", "y", None), ("choices", ["z", "x"], ["x", "z"], None),
        ("choices", [], [], None), ("text", " so \n", "so", None), ("pairwise", "A", "A", 1.0),
        ("pairwise", "tie", "tie", 0.5), ("pairwise", "B", "B", 0.0),
    ],
)  # fmt: skip
def test_a_value_has_one_form(kind: str, value: Any, stored: Any, normal: float | None) -> None:
    asked = criterion(kind)
    found = scales.check(asked, value)
    assert (found, type(found)) == (stored, type(stored))
    assert scales.check(asked, found) == found
    assert scoring.normal(asked, found) == normal


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("binary", 1), ("binary", "maybe"), ("ordinal", 0), ("ordinal", 6), ("ordinal", 2.5),
        ("ordinal", True), ("ordinal", "3"), ("ordinal", float("nan")), ("ordinal", 10**400),
        ("number", -0.1), ("number", float("inf")), ("choice", "z"), ("choice", ["x"]),
        ("choices", "x"), ("choices", ["w"]), ("choices", [["x"]]), ("text", " \n"), ("text", 5),
        ("text", "x" * 20_001), ("pairwise", "a"), ("pairwise", 0), ("ordinal", {}),
    ],
)  # fmt: skip
def test_a_value_that_the_scale_does_not_know_is_refused(kind: str, value: Any) -> None:
    with pytest.raises(DataError) as caught:
        scales.check(criterion(kind), value)
    assert "criterion c takes" in str(caught.value) and len(str(caught.value)) < 300


def test_cannot_judge_is_a_value_only_where_it_is_allowed() -> None:
    assert scales.check(criterion("ordinal", allow_na=True), None) is None
    with pytest.raises(DataError, match="not null"):
        scales.check(criterion("ordinal"), None)


def test_the_better_answer_can_be_no() -> None:
    asked = Criterion("c", "c", "Is it rude?", Scale("binary", good="no"), fail_below=1)
    assert scoring.normal(asked, False) == 1.0
    assert scoring.normal(asked, True) == 0.0
    assert scoring.fails(asked, True) and not scoring.fails(asked, False)


def test_options_carry_words_and_keys(tiny: Rubric) -> None:
    first, second = tiny.criteria[:2]
    assert [(o.value, o.words, o.key) for o in scales.options(first)] == [
        (1, "wrong", "1"), (2, "nearly", "2"), (3, "correct", "3"),
    ]  # fmt: skip
    assert [(o.value, o.label, o.key) for o in scales.options(second)] == [
        (True, "yes", "y"), (False, "no", "n"),
    ]  # fmt: skip
    zero = dataclasses.replace(first, scale=Scale("ordinal", 0, 10))
    keys = [option.key for option in scales.options(zero)]
    assert keys == [*"0123456789", ""]
    below = dataclasses.replace(first, scale=Scale("ordinal", -1, 1))
    assert [option.key for option in scales.options(below)] == ["", "0", "1"]
    by_hand = dataclasses.replace(zero, scale=Scale("ordinal", 0, 2), keys=("x", "y", "z"))
    cases = ((first, "0"), (second, "0"), (zero, "n"), (below, "n"), (by_hand, "0"),
             (criterion("number"), "n"), (criterion("choices"), "0"))  # fmt: skip
    for asked, key in cases:
        assert scales.na_key(asked) == key
        assert key not in [option.key for option in scales.options(asked)]
    for asked in (first, second, criterion("choices"), criterion("pairwise")):
        values = [option.value for option in scales.options(asked)]
        several = asked.scale.kind == "choices"
        taken = [scales.check(asked, [v] if several else v) for v in values]
        assert taken == ([[v] for v in values] if several else values)


KINDS = ("binary", "ordinal", "number")
POINTS: dict[str, st.SearchStrategy[Any]] = {
    "binary": st.booleans(),
    "ordinal": st.integers(1, 5),
    "number": st.floats(0, 10),
}


@st.composite
def rated(draw: st.DrawFn) -> tuple[Rubric, dict[str, Any]]:
    """A rubric without conditions, and values for all of its criteria."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5))
    weights = draw(st.lists(st.floats(0.01, 1000), min_size=len(kinds), max_size=len(kinds)))
    asked = tuple(
        criterion(kind, f"c{n}", weight=weight, allow_na=True)
        for n, (kind, weight) in enumerate(zip(kinds, weights, strict=True))
    )
    made = Rubric("r", 1, "R", "en", "Read.", Show(), asked, Overall(), None, "")
    return made, {c.id: draw(st.none() | POINTS[c.scale.kind]) for c in asked}


@given(rated())
def test_overall_lies_between_the_parts(case: tuple[Rubric, dict[str, Any]]) -> None:
    made, values = case
    parts = [
        part for c in made.criteria if (part := scoring.normal(c, values[c.id])) is not None
    ]  # fmt: skip
    found = scoring.overall(made, values)
    if not parts:
        assert found is None
    else:
        assert found is not None and 0 <= found <= 1
        assert min(parts) - 1e-12 <= found <= max(parts) + 1e-12


@given(rated(), st.data())
def test_a_better_value_never_lowers_the_overall_score(
    case: tuple[Rubric, dict[str, Any]], data: st.DataObject
) -> None:
    made, values = case
    sample = data.draw(st.sampled_from(made.criteria))
    low, high = sorted([data.draw(POINTS[sample.scale.kind]), data.draw(POINTS[sample.scale.kind])])
    if data.draw(st.booleans()):
        limit = 1.0 if sample.scale.kind == "binary" else 3.0
        strict = dataclasses.replace(sample, fail_below=limit)
        made = dataclasses.replace(
            made, criteria=tuple(strict if c is sample else c for c in made.criteria)
        )
    worse = scoring.overall(made, {**values, sample.id: low})
    better = scoring.overall(made, {**values, sample.id: high})
    assert worse is not None and better is not None
    assert worse <= better + 1e-12


@given(rated())
def test_cannot_judge_counts_as_if_it_were_not_asked(case: tuple[Rubric, dict[str, Any]]) -> None:
    made, values = case
    answered = {key: value for key, value in values.items() if value is not None}
    rest = tuple(c for c in made.criteria if c.id in answered)
    alone = dataclasses.replace(made, criteria=rest)
    assert scoring.overall(made, values) == scoring.overall(made, answered)
    assert scoring.overall(made, values) == scoring.overall(alone, answered)


@given(rated())
def test_what_fails_a_criterion_fails_the_item(case: tuple[Rubric, dict[str, Any]]) -> None:
    made, values = case
    veto = criterion("ordinal", "veto", weight=0.0, fail_below=3)
    strict = dataclasses.replace(made, criteria=(*made.criteria, veto))
    assert scoring.overall(strict, {**values, "veto": 2}) == 0.0
    assert scoring.overall(strict, {**values, "veto": 3}) == scoring.overall(made, values)
    assert scoring.overall(strict, values) == scoring.overall(made, values)


def test_overall_is_the_weighted_mean(tiny: Rubric) -> None:
    assert scoring.overall(tiny, {"accuracy": 2, "polite": True}) == pytest.approx(2 / 3)
    assert scoring.overall(tiny, {"accuracy": 1, "polite": True}) == 0.0
    assert scoring.overall(tiny, {"accuracy": None, "polite": True}) == 1.0
    assert scoring.overall(tiny, {"errors": ["wrong tone"]}) is None
    assert scoring.overall(tiny, {}) is None


def test_a_value_that_is_no_longer_asked_for_does_not_count(path: Path) -> None:
    write(
        path,
        (POLITE, "scale: binary\n    ask_if: {accuracy: {at_least: 2}}"),
        (", {polite: no}]", "]"),
    )
    made = file.load(path)
    assert scoring.overall(made, {"accuracy": 3, "polite": False}) == pytest.approx(2 / 3)
    assert scoring.overall(made, {"accuracy": None, "polite": False}) is None


def test_a_pairwise_rubric_leans_to_one_side() -> None:
    asked = (criterion("pairwise", "p", weight=3.0), criterion("pairwise", "q"))
    made = Rubric("r", 1, "R", "en", "Read.", Show(), asked, Overall(), None, "")
    assert made.pairwise
    assert scoring.overall(made, {"p": "A", "q": "tie"}) == pytest.approx(0.875)
    assert scoring.overall(made, {"p": "tie"}) == 0.5
