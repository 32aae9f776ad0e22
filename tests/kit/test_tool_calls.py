from __future__ import annotations

import json

import pytest

from harness import ToolCall
from harness.kit.tool_calls import calls_anywhere, calls_in, json_values

CALL = ToolCall("f", {"a": [1, {"b": None}]})
ARGUMENTS = dict(CALL.arguments)


@pytest.mark.parametrize(
    "value",
    [
        {"name": "f", "arguments": ARGUMENTS},
        {"name": "f", "arguments": json.dumps(ARGUMENTS)},
        {"name": "f", "parameters": ARGUMENTS},
        {"type": "function", "name": "f", "parameters": ARGUMENTS},
        {"id": "1", "type": "function", "function": {"name": "f", "arguments": ARGUMENTS}},
        {"function": {"name": "f", "arguments": json.dumps(ARGUMENTS)}},
        [{"name": "f", "arguments": ARGUMENTS}],
    ],
)
def test_each_shape_of_a_call_is_read(value):
    assert calls_in(value) == (CALL,)
    assert calls_anywhere(f"I say {json.dumps(value)}, and no more.") == (CALL,)


@pytest.mark.parametrize(
    "value",
    [
        None, 3, "f", [], {}, [3], {"name": "f"}, {"name": "", "arguments": {}},
        {"name": 3, "arguments": {}}, {"name": "f", "arguments": [1]},
        {"name": "f", "arguments": "{"}, {"name": "f", "arguments": "[" * 100_000},
        {"function": "f", "arguments": {}},
        [{"name": "f", "arguments": {}}, {"name": "g"}],
    ],
)  # fmt: skip
def test_what_is_no_call_is_none(value):
    assert calls_in(value) == ()


def test_a_call_without_arguments_in_a_text_has_none():
    assert calls_in({"name": "f", "arguments": ""}) == (ToolCall("f", {}),)


def test_values_are_read_wherever_they_stand_in_a_text():
    text = 'a {b} {"c": 1}, [2] and {"d": [3, {"e": 4}]} {"f": '
    assert [value for _, _, value in json_values(text)] == [
        {"c": 1}, [2], {"d": [3, {"e": 4}]},
    ]  # fmt: skip
    for start, end, value in json_values(text):
        assert json.loads(text[start:end]) == value


def test_a_text_that_is_nested_too_deep_has_no_values_and_costs_little():
    assert calls_anywhere("[" * 200_000) == ()
    assert calls_anywhere('{"name": "f", "arguments": ' * 20_000) == ()
