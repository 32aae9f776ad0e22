"""Calls as people read them, and two answers that call tools side by side."""

from __future__ import annotations

import pytest

from harness.kit.shown_calls import readable, readable_pair, readable_turn
from harness.kit.worddiff import differences
from harness.records import Answer, ToolCall


def written(*calls: tuple[str, dict], said: str = "") -> str:
    return Answer(said, tuple(ToolCall(name, arguments) for name, arguments in calls)).text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (written(("light", {"room": "hall", "on": False})), 'light(room: "hall", on: false)'),
        (written(("a", {}), ("b.c", {"x y": [1]}), said="So."), 'So.\na()\nb.c("x y": [1])'),
        (written(("a\nb", {"é": "x\ny"})), '"a\\nb"(é: "x\\ny")'),
        ("a text", "a text"),
        ('{"name": "a"}', '{"name": "a"}'),
        ('<tool_call>\n{"name": "a", "arguments": {}}\n</tool_call>',) * 2,
        ("", ""),
    ],
)  # fmt: skip
def test_calls_are_readable_and_other_texts_as_they_are(text, shown):
    assert readable(text) == shown


def test_order_that_means_nothing_is_no_difference():
    wanted = written(("f", {"x": 1, "y": {"a": [{"p": 1, "q": 2}], "b": 2}}), ("g", {}))
    given = written(("g", {}), ("f", {"y": {"b": 2, "a": [{"q": 2, "p": 1}]}, "x": 1}))
    reference, answer = readable_pair(wanted, given)
    assert reference == answer == 'f(x: 1, y: {"a": [{"p": 1, "q": 2}], "b": 2})\ng()'


def test_each_call_stands_beside_the_one_that_it_is_nearest_to():
    wanted = written(("f", {"x": 1}), ("f", {"x": 2}), ("h", {}))
    given = written(("k", {}), ("f", {"x": 2, "z": 0}), ("f", {"x": 3}))
    assert readable_pair(wanted, given) == (
        "f(x: 1)\nf(x: 2)\nh()",
        "f(x: 3)\nf(x: 2, z: 0)\nk()",
    )


def test_the_arguments_that_differ_are_marked():
    wanted = written(("set_light", {"room": "hall", "on": False}))
    given = written(("set_light", {"on": True, "room": "kitchen"}))
    pieces = differences(*readable_pair(wanted, given))
    assert [text for kind, text in pieces if kind == "missing"] == ["hall", "false"]
    assert [text for kind, text in pieces if kind == "extra"] == ["kitchen", "true"]


def test_values_that_nest_without_end_are_left_as_they_are():
    nested = '{"name": "f", "arguments": {"x": ' + "[" * 900 + "]" * 900 + "}}"
    assert "[[[" in readable(nested)
    assert "[[[" in readable_pair(nested, nested)[1]


@pytest.mark.parametrize(
    ("turn", "text"),
    [
        ({"role": "user", "content": "Hello"}, "Hello"),
        ({"role": "user", "content": [{"text": "a"}, {}, "x", {"text": "b"}]}, "a\nb"),
        ({"role": "tool", "content": {"found": 3}}, '{"found": 3}'),
        ({"role": "assistant", "content": None}, ""),
        (Answer("So.", (ToolCall("f", {"x": 1}),)).turn, "So.\nf(x: 1)"),
        ({"tool_calls": [{"function": {"name": "f", "arguments": '{"x": 1}'}}]}, "f(x: 1)"),
        ({"tool_calls": [{"of": "é"}]}, '[{"of": "é"}]'),
    ],
)  # fmt: skip
def test_a_turn_is_what_it_says_and_calls(turn, text):
    assert readable_turn(turn) == text
