from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from harness.records import Answer, Example, ToolCall

LIGHT = ToolCall("set_light", {"room": "hall", "on": False})
HEAT = ToolCall("set_heat", {"room": "küche", "degrees": 21.5, "days": [None]})
ASKED = ({"role": "user", "content": "Make it dark and warm."},)
TOOL = {"type": "function", "function": {"name": "set_light", "parameters": {}}}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
tool_calls = st.builds(ToolCall, st.text(min_size=1), st.dictionaries(st.text(), json_values))


def test_an_answer_is_what_is_said_and_a_line_for_each_call():
    answer = Answer("I do both.", (LIGHT, HEAT))
    assert answer.text.split("\n") == [
        "I do both.",
        '{"name": "set_light", "arguments": {"room": "hall", "on": false}}',
        '{"name": "set_heat", "arguments": {"room": "küche", "degrees": 21.5, "days": [null]}}',
    ]
    assert Answer.read(answer.text) == answer


@given(st.lists(tool_calls, min_size=1, max_size=3))
def test_calls_are_read_as_they_were_written(calls):
    answer = Answer("", tuple(calls))
    assert Answer.read(answer.text) == answer == Answer.of(answer.turn)


@pytest.mark.parametrize(
    "text",
    [
        "It is dark.",
        "",
        '{"name": "set_light"}',
        '{"name": "", "arguments": {}}',
        '{"name": "set_light", "arguments": "hall"}',
        '{"name": "set_light", "arguments": {}, "id": 1}',
        '{"name": "set_light", "arguments": {}}\nDone.',
        '{"name": "set_light", "arguments": {}',
        "[" * 100_000,
        "{" * 100_000,
    ],
)
def test_what_is_no_call_stays_as_it_is(text):
    assert Answer.read(text) == Answer(text)
    assert Answer(text).text == text


def test_a_turn_has_its_calls_as_chat_templates_take_them():
    turn = Answer("", (LIGHT, HEAT)).turn
    assert [call["id"] for call in turn["tool_calls"]] == ["call00001", "call00002"]
    assert turn["tool_calls"][0]["function"] == {"name": "set_light", "arguments": LIGHT.arguments}
    assert Answer.of(json.loads(json.dumps(turn))) == Answer("", (LIGHT, HEAT))
    assert Answer.of({"role": "assistant", "content": None}) == Answer("")


def test_a_call_whose_arguments_are_no_object_is_none():
    function = {"name": "set_light", "arguments": '{"room": "hal'}
    assert Answer.of({"role": "assistant", "tool_calls": [{"function": function}]}) == Answer("")


def test_an_answer_is_a_call_only_where_there_are_tools():
    text = Answer("", (LIGHT,)).text
    plain, row = Example("1", ASKED, (text,)), Example("1", ASKED, (text,), tools=(TOOL,))
    assert plain.answer(text).turn == {"role": "assistant", "content": text}
    assert row.answer(text) == Answer("", (LIGHT,))
    assert row.answer("Nothing to do.").turn == {"role": "assistant", "content": "Nothing to do."}
