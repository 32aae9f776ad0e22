"""The form of train's answers, and the baseline that holds answers to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

import harness
from harness_prompts import FewShot
from harness_prompts.forms import form_of, schema_of
from harness_prompts.schema import Schema

CONTEXT = harness.Context(Path())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=12,
)


def rows(*answers: str) -> list[harness.Example]:
    return [
        harness.Example(f"t{n}", ({"role": "user", "content": f"q {n}"},), (text,), group=f"g{n}")
        for n, text in enumerate(answers)
    ]


def schema(**options: Any) -> Schema:
    return Schema(Schema.Options(**options))


@given(st.lists(JSON, min_size=1, max_size=6))
def test_values_keep_to_the_schema_that_is_made_of_them(values: list[Any]) -> None:
    made = schema_of(values)
    Draft202012Validator.check_schema(made)
    for value in values:
        Draft202012Validator(made).validate(value)


def test_keys_types_and_labels_are_seen() -> None:
    answers = [
        json.dumps({"kind": kind, "note": f"words {n}", "parts": [n, n + 0.5]})
        for n, kind in enumerate(["order", "refund"] * 6)
    ]
    answers[11] = answers[9] = json.dumps({"kind": "refund", "note": None})
    assert form_of(answers) == {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": ["order", "refund"]},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "parts": {"type": "array", "items": {"type": "number"}},
        },
        "required": ["kind", "note"],
        "additionalProperties": False,
    }


def test_keys_that_differ_from_object_to_object_are_not_held() -> None:
    """As the errors that functions raise: dev has others than train."""
    answers = [json.dumps({f"Error{n // 2 if n < 4 else n}": n}) for n in range(20)]
    assert form_of(answers) == {"type": "object", "additionalProperties": {"type": "integer"}}
    closed = [json.dumps({"a": n} if n % 9 else {"a": n, "b": None}) for n in range(20)]
    made = form_of(closed)
    assert isinstance(made, dict)
    assert made["properties"] == {"a": {"type": "integer"}, "b": {"type": "null"}}
    mixed = [json.dumps({"a": None if n % 2 else "text"}) for n in range(20)]
    mixed[4] = json.dumps({"a": True})
    made = form_of(mixed)
    assert isinstance(made, dict) and made["properties"] == {"a": {}}


def test_few_texts_that_are_given_again_and_again_are_labels() -> None:
    assert form_of(["no"] * 6 + ["yes "] * 5) == ["no", "yes"]
    assert form_of(["no"] * 4 + ["yes"] * 3) is None
    assert form_of(["a", "b", "c"]) is None
    assert form_of([]) is None


def test_deep_json_has_a_schema_that_takes_anything_below() -> None:
    deep = json.loads("[" * 200 + "]" * 200)
    made = schema_of([deep] * 2)
    assert json.dumps(made).count("items") == 8


def test_the_prompts_are_those_of_few_shot() -> None:
    train = rows(*["no"] * 6, *["yes"] * 6)
    asked = [harness.Example("d", ({"role": "user", "content": "q"},), group="d")]
    few = list(FewShot().prompts(asked, train, CONTEXT))
    assert list(Schema().prompts(asked, train, CONTEXT)) == few
    assert list(schema(k=0).prompts(asked, train, CONTEXT)) == asked


@pytest.mark.parametrize(
    ("options", "answers", "said"),
    [
        ({}, ["no"] * 6 + ["yes"] * 6, "by words; answers are held to one of 2: no; yes"),
        (
            {"k": 0},
            ['{"a": 1, "ü": 2}'] * 2,
            "nothing before the prompts; answers are held to JSON",
        ),
        ({"k": 0}, ['{"a": 1, "ü": 2}'] * 2, 'with "a", "ü"'),
        ({"k": 0}, ["[1]"], "held to JSON of a schema"),
        ({"k": 0, "schema": ["up", "down"]}, ["free"], "held to one of 2: up; down"),
    ],
)
def test_it_says_what_answers_are_held_to(options: Any, answers: list[str], said: str) -> None:
    told = schema(**options).description(rows(*answers))
    assert said.split("; ", 1)[-1] in told


def test_a_form_of_the_config_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "form.json"
    file.write_text('{"type": "array"}')
    assert schema(schema=str(file)).form(rows("a")) == {"type": "array"}
    file.write_text('["up", "up"]')
    with pytest.raises(harness.ConfigError, match="holds no schema"):
        schema(schema=str(file)).form(rows("a"))
    file.write_text('["up", ')
    with pytest.raises(harness.ConfigError, match="cannot be read"):
        schema(schema=str(file)).form(rows("a"))


@pytest.mark.parametrize("given", [[], {}, ["a", "a"], [True, False], [" "], 3])
def test_what_is_no_form_is_refused(given: Any) -> None:
    with pytest.raises(ValidationError, match="expected a JSON file, texts that differ") as caught:
        schema(schema=given)
    assert caught.value.error_count() == 1


def test_answers_without_a_form_are_refused_with_a_way_on() -> None:
    with pytest.raises(harness.ConfigError, match="neither JSON nor few texts") as caught:
        Schema().form(rows("one thing", "another", "and a third"))
    assert "schema: FILE" in str(caught.value.hint)
