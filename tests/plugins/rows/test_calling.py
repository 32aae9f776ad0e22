"""Rows whose answer calls tools, in the shapes of public data sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import harness
from harness_rows.calling import tool_of
from harness_rows.options import RowsOptions
from harness_rows.reading import Reading, read

ASKED = {"role": "user", "content": "Rain in Bonn and Ulm?"}
CITY: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
LOOK: dict[str, Any] = {"name": "look", "description": "Weather.", "parameters": CITY}
TOOL = {"type": "function", "function": LOOK}
CALLS: list[dict[str, Any]] = [
    {"name": "look", "arguments": {"city": city}} for city in ("Bonn", "Ulm")
]
WRITTEN = "\n".join(map(json.dumps, CALLS))


def openai(as_text: bool) -> dict[str, Any]:
    """The shape of OpenAI's API; there arguments are a text, in many data sets an object."""
    calls = [
        {"id": call["arguments"]["city"], "type": "function", "function": {
            **call, "arguments": json.dumps(call["arguments"]) if as_text else call["arguments"],
        }}
        for call in CALLS
    ]  # fmt: skip
    last = {"role": "assistant", "content": None, "tool_calls": calls}
    return {"messages": [ASKED, last], "tools": [TOOL]}


def hermes(system_alone: bool) -> dict[str, Any]:
    system = f"You call functions. <tools>\n[{json.dumps(TOOL)}]\n</tools> Answer in XML."
    calls = "\n".join(f"<tool_call>\n{json.dumps(call)}\n</tool_call>" for call in CALLS)
    turns = [("system", system), ("human", ASKED["content"]), ("gpt", calls)]
    row: dict[str, Any] = {"conversations": [{"from": who, "value": text} for who, text in turns]}
    return row if system_alone else {**row, "tools": json.dumps([TOOL])}


SHAPES: dict[str, dict[str, Any]] = {
    "OpenAI, arguments as texts": openai(True),
    "OpenAI, arguments as objects": openai(False),
    "tools as JSON in a text": {**openai(True), "tools": json.dumps([TOOL])},
    "the inner part of a tool alone": {**openai(True), "tools": [LOOK]},
    "LLaMA-Factory's ShareGPT": {
        "conversations": [
            {"from": "human", "value": ASKED["content"]},
            {"from": "function_call", "value": json.dumps(CALLS)},
        ],
        "tools": json.dumps([LOOK]),
    },
    "Hermes": hermes(False),
    "Hermes, tools in the system turn alone": hermes(True),
    "xLAM": {
        "query": ASKED["content"],
        "answers": json.dumps(CALLS),
        "tools": json.dumps(
            [{**LOOK, "parameters": {"city": {"type": "str"}}}],
        ),
    },
}


def reading(folder: Path, *rows: dict[str, Any], **options: Any) -> Reading:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return read(RowsOptions.model_validate({"path": path, **options}))


def example(folder: Path, row: dict[str, Any], **options: Any) -> harness.Example:
    read_rows = reading(folder, row, **options)
    assert read_rows.problems.lines == ()
    [example] = read_rows.rows
    return example


@pytest.mark.parametrize("shape", SHAPES)
def test_all_shapes_are_one_row(shape: str, tmp_path: Path) -> None:
    row = example(tmp_path, SHAPES[shape])
    assert row.messages == (ASKED,)
    assert row.references == (WRITTEN,)
    assert row.tools == (TOOL,)
    [first, second] = row.answer(row.references[0]).calls
    assert (first.name, dict(second.arguments)) == ("look", {"city": "Ulm"})


def test_a_single_call_of_openais_older_shape(tmp_path: Path) -> None:
    call = {"name": "look", "arguments": '{"city": "Bonn"}'}
    last = {"role": "assistant", "content": None, "function_call": call}
    row = example(tmp_path, {"messages": [ASKED, last], "functions": [LOOK]})
    assert row.references == (json.dumps(CALLS[0]),)


def test_what_is_said_before_the_calls_is_kept(tmp_path: Path) -> None:
    row = openai(False)
    row["messages"][1]["content"] = "I look."
    assert example(tmp_path, row).references == (f"I look.\n{WRITTEN}",)


def test_earlier_calls_and_results_of_hermes_are_turns(tmp_path: Path) -> None:
    row = hermes(False)
    results = "".join(f"<tool_response>\n{n}\n</tool_response>\n" for n in ("rain", "sun"))
    row["conversations"] += [{"from": "tool", "value": results}, {"from": "gpt", "value": "Rain."}]
    read_row = example(tmp_path, row)
    assert [turn["role"] for turn in read_row.messages] == ["user", "assistant", "tool", "tool"]
    assert [turn["content"] for turn in read_row.messages[2:]] == ["rain", "sun"]
    assert len(read_row.messages[1]["tool_calls"]) == 2
    assert read_row.references == ("Rain.",)


def test_tags_of_a_row_without_tools_are_text(tmp_path: Path) -> None:
    text = "<tool_call>is a tag</tool_call>"
    row = {"messages": [ASKED, {"role": "assistant", "content": text}]}
    assert example(tmp_path, row).references == (text,)


def test_nulls_with_which_tables_fill_up_are_left_out(tmp_path: Path) -> None:
    row = openai(False)
    row["tools"] = [{"type": "function", "function": {**LOOK, "strict": None, "parameters": {
        **CITY, "properties": {**CITY["properties"], "day": None},
    }}}]  # fmt: skip
    for call in row["messages"][1]["tool_calls"]:
        call["function"]["arguments"]["day"] = None
    read_row = example(tmp_path, row)
    assert read_row.tools == (TOOL,)
    assert read_row.references == (WRITTEN,)


def test_a_row_of_xlam_without_calls_is_left_out_when_that_is_wanted(tmp_path: Path) -> None:
    rows = [{**SHAPES["xLAM"], "answers": "[]"}, SHAPES["xLAM"]]
    assert len(reading(tmp_path, *rows).problems.lines) == 1
    assert len(reading(tmp_path, *rows, incomplete="drop").rows) == 1


def test_parameters_of_xlam_become_a_json_schema() -> None:
    short = {
        "limit": {"description": "How many.", "type": "int, optional", "default": 10},
        "names": {"description": "Of whom.", "type": "List[str]"},
        "type": {"description": "Of what kind.", "type": "Dict[str, Any]"},
    }
    schema = tool_of({"name": "find", "parameters": short})["function"]["parameters"]
    assert schema["required"] == ["names", "type"]
    assert [each["type"] for each in schema["properties"].values()] == [
        "integer", "array", "object",
    ]  # fmt: skip
    assert schema["properties"]["names"]["items"] == {"type": "string"}
    assert schema["properties"]["limit"]["default"] == 10


@pytest.mark.parametrize(
    "parameters", [CITY, {"type": "object", "properties": {"type": {"type": "string"}}}, {}]
)
def test_a_json_schema_stays_as_it_is(parameters: dict[str, Any]) -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": parameters}}
    assert tool_of(tool) == tool
