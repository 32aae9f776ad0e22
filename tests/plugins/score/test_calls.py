"""``harness score`` on answers that call tools, in the forms in which programs write them."""

from __future__ import annotations

import json

import pytest

TOOL = {"type": "function", "function": {"name": "light", "parameters": {
    "type": "object", "properties": {"room": {"type": "string"}}, "required": ["room"],
}}}  # fmt: skip
GREETING = {"role": "assistant", "content": "Hello"}


def calling(room, **more):
    function = {"name": "light", "arguments": json.dumps({"room": room})}
    call = {"id": "1", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call], **more}


RIGHT = [calling("hall") if n % 3 else GREETING for n in range(9)]
GIVEN = [calling("attic"), *RIGHT[1:]]
"""The first one calls where nothing is to be called."""
FORMS = {
    "a message": [{"response": turn} for turn in GIVEN],
    "beside a text": [
        {"text": turn["content"] or "", "tool_calls": turn.get("tool_calls", [])} for turn in GIVEN
    ],
    "calls alone": [{"tool_calls": turn.get("tool_calls")} for turn in GIVEN],
    "our own form": [
        {"text": '{"name": "light", "arguments": {"room": "hall"}}' if "tool_calls" in turn
         else "Hello"} for turn in GIVEN
    ],
}  # fmt: skip


def write(project, name, rows):
    text = "".join(json.dumps({"id": n, **row}) + "\n" for n, row in enumerate(rows))
    project.write(text, name)


def scored(project, metrics="tool-call"):
    asked = ("--predictions", "out.jsonl", "--references", "refs.jsonl", "--metrics", metrics)
    return project.inside("score", *asked, "--json")


@pytest.mark.parametrize("form", FORMS)
def test_calls_are_read_in_each_form(project, form):
    asked = {"role": "user", "content": "Go"}
    write(project, "refs.jsonl", [{"messages": [asked, t], "tools": [TOOL]} for t in RIGHT])
    write(project, "out.jsonl", FORMS[form])
    done = scored(project)
    assert done.code == 0, done.err
    scores = done.document["systems"]["out.jsonl"]["metrics"]
    assert scores["tool-call"]["value"] == pytest.approx(8 / 9)
    assert scores["tool-call-form"]["value"] == 1.0


def test_a_turn_without_calls_is_its_text(project):
    write(project, "refs.jsonl", [{"reference": "Hello"} for _ in range(4)])
    write(project, "out.jsonl", [{"response": GREETING} for _ in range(4)])
    done = scored(project, "exact")
    assert done.code == 0, done.err
    assert done.document["systems"]["out.jsonl"]["metrics"]["exact"]["value"] == 1.0


@pytest.mark.parametrize("calls", [[{"of": 1}], [{"name": "light", "arguments": "{"}], "text"])
def test_what_calls_nothing_is_refused_with_its_place(project, calls):
    write(project, "refs.jsonl", [{"reference": "Hello"}])
    write(project, "out.jsonl", [{"text": "", "tool_calls": calls}])
    done = scored(project)
    assert done.code == 4, done.err
    assert "out.jsonl:1: `tool_calls` holds something that calls no function" in done.err
