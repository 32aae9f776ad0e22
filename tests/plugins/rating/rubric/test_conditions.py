"""Conditions: what they say, and the laws that they keep."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from harness.errors import ConfigError
from harness.kit import yaml_file
from harness_rating.rubric import conditions as ask_if, file
from tests.plugins.rating.tiny import write

VALUES = {"a": 3, "b": True, "c": "wrong facts", "d": ["x", "y z"], "e": None}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("{a: 3}", True), ("{a: {is: 3}}", True), ("{a: {below: 3}}", False),
        ("{a: {at_most: 3}}", True), ("{a: {above: 2.5}}", True), ("{a: {at_least: 4}}", False),
        ("{b: yes}", True), ("{b: no}", False), ("{c: wrong facts}", True), ("{c: x}", False),
        ("{d: {has: x}}", True), ("{d: {has: y z}}", True), ("{d: {has: z}}", False),
        ("{e: 1}", None), ("{not: {e: 1}}", None), ("{f: 1}", None),
        ("{a: 3, e: 1}", None), ("{a: 4, e: 1}", False), ("{a: {above: 1, below: 3}}", False),
        ("{any: [{a: 3}, {e: 1}]}", True), ("{any: [{a: 4}, {e: 1}]}", None),
        ("{not: {any: [{a: 3}, {b: yes}]}}", False), ("{any: [{a: 4, e: 1}, {b: yes}]}", True),
        ("{a: 3, any: [{b: no}, {not: {c: x}}]}", True), ("{not: {not: {a: 3}}}", True),
        ("{a: text}", None), ("{c: {below: 3}}", None), ("{a: {has: 3}}", None),
        ("{c: {has: w}}", None),
    ],
)  # fmt: skip
def test_a_condition_holds_or_not_or_is_open(text: str, holds: bool | None) -> None:
    assert ask_if.evaluate(yaml_file.scalar(text), VALUES) is holds


names = st.sampled_from(["a", "b", "long_name", "x1"])
numbers = st.integers(-9999, 9999) | st.floats(-999, 999).map(lambda x: round(x, 3))
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values_ = numbers | words | st.sampled_from(["yes", "no"])
tests_ = st.dictionaries(
    names,
    values_ | st.dictionaries(st.sampled_from([*ask_if.TESTS]), values_, min_size=1, max_size=2),
    min_size=1,
    max_size=2,
).filter(
    lambda condition: all(
        word in ("is", "has") or not isinstance(value, str)
        for tests in condition.values()
        if isinstance(tests, dict)
        for word, value in tests.items()
    )
)
conditions = st.recursive(
    tests_,
    lambda inner: (
        st.builds(lambda of: {"not": of}, inner)
        | st.builds(lambda of: {"any": of}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda one, two: {"any": [one], "not": two}, inner, inner)
    ),
    max_leaves=5,
)
answers = st.dictionaries(
    names, st.none() | st.booleans() | numbers | words | st.lists(words, max_size=2)
)


@given(conditions, conditions, answers)
def test_conditions_obey_the_laws_of_logic(
    one: dict[str, Any], two: dict[str, Any], values: dict[str, Any]
) -> None:
    def holds(condition: dict[str, Any]) -> bool | None:
        return ask_if.evaluate(condition, values)

    def inverse(condition: dict[str, Any]) -> dict[str, Any]:
        return {"not": condition}

    either = {"any": [one, two]}
    both = {"any": [one], "not": inverse(two)}  # all parts of a mapping hold
    assert holds(inverse(inverse(one))) is holds(one)
    assert holds(either) is holds({"any": [two, one]})
    assert holds(inverse(both)) is holds({"any": [inverse(one), inverse(two)]})
    assert holds({"any": [one, both]}) is holds(one)
    if holds(one) is not None and holds(two) is not None:
        assert holds(both) is (holds(one) and holds(two))
        assert holds(either) is (holds(one) or holds(two))


@given(conditions, answers, answers)
def test_what_is_known_stays_so_when_more_is_answered(
    condition: dict[str, Any], values: dict[str, Any], more: dict[str, Any]
) -> None:
    known = ask_if.evaluate(condition, values)
    fuller = {**more, **{key: value for key, value in values.items() if value is not None}}
    if known is not None:
        assert ask_if.evaluate(condition, fuller) is known


junk = st.recursive(
    st.none() | st.booleans() | numbers | words | st.sampled_from(["polite", "no", "wrong tone"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["any", "not", "accuracy", "polite", "errors", "has", "below", "is"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(junk)
def test_no_value_breaks_the_reader(
    tmp_path_factory: pytest.TempPathFactory, condition: Any
) -> None:
    """Whatever stands under ``ask_if`` is refused, or can be asked about, shown and stored."""
    path = tmp_path_factory.mktemp("any") / "tiny.yaml"
    write(path, ("ask_if: {errors: {has: wrong facts}}", f"ask_if: {json.dumps(condition)}"))
    try:
        made = file.load(path).criterion("better").ask_if
    except ConfigError:
        return
    if made is not None:
        assert ask_if.evaluate(made, {"accuracy": 2, "polite": True}) in (True, False, None)
        assert json.loads(json.dumps(ask_if.tree(made))) == ask_if.tree(made)
        assert ask_if.names_in(made) <= {"accuracy", "polite", "errors"}
        assert ask_if.in_words(made)


def test_a_page_gets_the_condition_as_a_tree() -> None:
    condition = yaml_file.scalar("{any: [{not: {a: {below: 3}}, b: yes}, {d: {has: x}}]}")
    assert ask_if.tree(condition) == {
        "op": "or",
        "of": [
            {
                "op": "and",
                "of": [
                    {"op": "not", "of": [{"op": "<", "criterion": "a", "value": 3}]},
                    {"op": "=", "criterion": "b", "value": "yes"},
                ],
            },
            {"op": "has", "criterion": "d", "value": "x"},
        ],
    }
    assert ask_if.in_words(condition) == "((not a < 3) and b = yes) or d has x"


def test_code_in_a_condition_is_no_condition(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    write(path, ("ask_if: {errors: {has: wrong facts}}", "ask_if: __import__('os')"))
    with pytest.raises(ConfigError) as caught:
        file.load(path)
    assert "a condition is a mapping" in caught.value.details[0]
