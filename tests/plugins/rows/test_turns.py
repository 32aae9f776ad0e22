"""Chat rows as others write them: what is read, what is left out and said, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import harness
from harness_rows.options import RowsOptions
from harness_rows.reading import Reading, read

USER = {"role": "user", "content": "Why?"}
CALL = {"type": "function", "function": {"name": "look", "arguments": {"city": "Bonn"}}}
AGAIN = {"role": "user", "content": "And now?"}


def answer(text: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def reading(folder: Path, *rows: dict[str, Any], **options: Any) -> Reading:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return read(RowsOptions.model_validate({"path": path, **options}))


def example(folder: Path, row: dict[str, Any], **options: Any) -> harness.Example:
    found = reading(folder, row, **options)
    assert found.problems.lines == ()
    (example,) = found.rows
    return example


SHAREGPT_CALL = {
    "conversations": [
        {"from": "human", "value": "Weather?"},
        {"from": "function_call", "value": json.dumps(CALL["function"])},
        {"from": "observation", "value": "rain"},
        {"from": "gpt", "value": "It rains."},
    ],
    "tools": json.dumps([{"name": "look", "parameters": {"type": "object"}}]),
}
OPENAI_CALL = {
    "messages": [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "function",
             "function": {"name": "look", "arguments": '{"city": "Bonn"}'}}]},
        {"role": "tool", "content": "rain", "tool_call_id": "c1"},
        answer("It rains."),
    ],
    "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
}  # fmt: skip
LEGACY_CALL = {
    "messages": [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "function_call": {
            "name": "look", "arguments": '{"city": "Bonn"}'}},
        {"role": "function", "name": "look", "content": "rain"},
        answer("It rains."),
    ],
    "functions": [{"name": "look", "parameters": {"type": "object"}}],
}  # fmt: skip


@pytest.mark.parametrize("row", [SHAREGPT_CALL, OPENAI_CALL, LEGACY_CALL])
@pytest.mark.parametrize("named", [True, False])
def test_a_text_behind_a_tools_result_is_the_answer(row, named, tmp_path):
    column = next(iter(row))
    options = {"columns": {"messages": column}} if named else {}
    found = example(tmp_path, row, **options)
    assert [turn["role"] for turn in found.messages] == ["user", "assistant", "tool"]
    (call,) = found.messages[1]["tool_calls"]
    assert call["function"] == CALL["function"]
    assert found.messages[1]["content"] == ""
    assert found.references == ("It rains.",)
    assert found.prompt == "Weather?"
    assert found.tools == tuple(OPENAI_CALL["tools"])


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a call without tools": (
        {"messages": OPENAI_CALL["messages"][:2]}, "calls a tool, and the row has no `tools`"
    ),
    "a call of no tool of the row": (
        {"messages": OPENAI_CALL["messages"][:2], "tools": [{"name": "find"}]},
        'calls "look", which is none of the row\'s `tools`',
    ),
    "a call whose arguments are no object": (
        {"messages": [USER, {"role": "assistant", "tool_calls": [
            {"function": {"name": "look", "arguments": "Bonn"}}]}], "tools": [{"name": "look"}]},
        "the arguments of the call of look are no JSON object",
    ),
    "a result last": ({"messages": OPENAI_CALL["messages"][:3]}, "the last turn is a tool's"),
    "a call that is no JSON": (
        {"conversations": [{"from": "human", "value": "x"},
                           {"from": "function_call", "value": "look(Bonn)"},
                           {"from": "gpt", "value": "y"}]},
        "a call of a tool must be JSON with `name` and `arguments`",
    ),
    "a picture": (
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]},
                      answer("A cat.")]},
        'a part of a turn is of the type "image_url", and only text is read',
    ),
    "a part without a name of its kind": (
        {"messages": [{"role": "user", "content": [{"type": ["text"]}]}, answer("A cat.")]},
        'a part of a turn is of the type ["text"], and only text is read',
    ),
    "nothing to learn": (
        {"messages": [USER, answer("No.", weight=0)]}, "no assistant turn is to be learned"
    ),
    "two answers": (
        {"messages": [USER, answer("a"), answer("b")]},
        "the turn before the answer must be the user's or a tool's",
    ),
    "a result without a question": (
        {"messages": [{"role": "tool", "content": "x"}, answer("b")]}, "no turn of the user's",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_out_of_scope_is_refused_by_name(name, tmp_path):
    row, reason = REFUSED[name]
    (line,) = reading(tmp_path, row).problems.lines
    assert reason in line


@pytest.mark.parametrize(
    "off", [{"weight": 0}, {"weight": 0.0}, {"train": False}, {"training": False},
            {"loss_weight": 0.0}],
)  # fmt: skip
def test_a_last_turn_that_is_not_to_be_learned_is_cut_off_and_said(off, tmp_path):
    row = {"messages": [USER, answer("Because.", weight=1), AGAIN, answer("No idea.", **off)]}
    found = reading(tmp_path, row, row)
    assert found.rows[0].references == ("Because.",)
    assert found.rows[0].messages == (USER,)
    assert "2 rows end at the last assistant turn that is to be learned" in found.said[-1]


def test_an_earlier_turn_that_is_not_to_be_learned_stays_as_context(tmp_path):
    found = example(tmp_path, {"messages": [USER, answer("Hm.", weight=0), AGAIN, answer("So.")]})
    assert found.messages == (USER, answer("Hm.", weight=0), AGAIN)


def test_content_in_text_parts_is_joined(tmp_path):
    parts = [{"type": "text", "text": "Why "}, {"type": "text", "value": "now?"}]
    said = [{"type": "thinking", "thinking": "Rain."}, {"type": "text", "text": "So."}]
    row = {"messages": [{"role": "user", "content": parts}, answer("", content=said)]}
    row["messages"][1] = {"role": "assistant", "content": said}
    found = example(tmp_path, row)
    assert found.prompt == "Why now?"
    assert (found.references, found.thought) == (("So.",), "Rain.")


@pytest.mark.parametrize("key", ["reasoning_content", "thinking"])
def test_the_thought_before_the_answer_is_kept(key, tmp_path):
    found = example(tmp_path, {"messages": [USER, answer("So.", **{key: "It rains."})]})
    assert (found.references, found.thought) == (("So.",), "It rains.")


def test_prompt_and_completion_of_turns(tmp_path):
    row = {"prompt": [USER], "completion": [answer("So.")]}
    found = example(tmp_path, row)
    assert (found.messages, found.references) == ((USER,), ("So.",))
    again = example(tmp_path, row, columns={"messages": "prompt", "completion": "completion"})
    assert again.messages == found.messages and again.references == found.references
    plain = example(tmp_path, {"prompt": [USER], "completion": "So."})
    assert (plain.messages, plain.references) == ((USER,), ("So.",))


JUDGED = {
    "TRL": [{"prompt": "Why?", "completion": f"a{n}", "label": n % 2 == 0} for n in range(6)],
    "TRL, turns": [
        {"prompt": [USER], "completion": [answer(f"a{n}")], "label": n % 2 == 0} for n in range(6)
    ],
    "LLaMA-Factory": [
        {"messages": [USER, answer(f"a{n}")], "label": n % 2 == 0} for n in range(6)
    ],
    "ShareGPT": [
        {"conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": f"a{n}"}],
         "kto_tag": n % 2 == 0} for n in range(6)
    ],
    "as texts": [{"prompt": "Why?", "completion": f"a{n}", "label": str(n % 2 == 0)}
                 for n in range(6)],
}  # fmt: skip


@pytest.mark.parametrize("name", JUDGED)
def test_bad_answers_are_rejected_ones_and_can_be_left_out(name, tmp_path):
    found = reading(tmp_path, *JUDGED[name])
    answers = [(row.references, row.rejected) for row in found.rows[:3]]
    assert answers == [(("a0",), ()), ((), ("a1",)), (("a2",), ())]
    assert "an answer that is not good is a rejected one" in found.said[0]
    found = reading(tmp_path, *JUDGED[name], columns={"good": found.columns["label"][0]})
    assert [row.references for row in found.rows] == [("a0",), ("a2",), ("a4",)]
    assert "3 rows are left out" in found.said[-1]
    assert len(found.records) == 3 and found.problems.lines == ()


def test_a_row_may_say_that_it_has_rejected_answers_alone(tmp_path):
    rows = [
        {"messages": [USER], "references": references, "rejected": ["No."]}
        for references in (["So."], [], [" "])
    ]
    found = reading(tmp_path, *rows)
    answers = [(row.references, row.rejected) for row in found.rows]
    assert answers == [(("So.",), ("No.",)), ((), ("No.",))]
    assert found.problems.lines == ("rows.jsonl:3:references: the answer is blank",)
    assert (
        found.said[-1] == "1 row has rejected answers alone: learned from, and not of dev or test"
    )


def test_a_row_that_has_no_answer_at_all_stays_a_problem(tmp_path):
    rows = [
        {"messages": turns, "references": references, "rejected": []}
        for turns, references in (([USER], ["So."]), ([USER], []), ([USER, answer("So.")], []))
    ]
    found = reading(tmp_path, *rows)
    assert len(found.rows) == 1 and found.problems.count == 2


def test_a_label_that_is_the_answer_or_a_named_fact_is_no_verdict(tmp_path):
    rows = [{"text": f"Why {n}?", "label": n % 2 == 0} for n in range(6)]
    assert reading(tmp_path, *rows).rows[0].references == ("true",)
    named = reading(tmp_path, *JUDGED["TRL"], columns={"meta": "label"})
    assert len(named.rows) == 6
    classes = [{"prompt": "Why?", "completion": "So.", "label": n % 3} for n in range(6)]
    assert len(reading(tmp_path, *classes).rows) == 6


def test_a_verdict_that_is_none_is_named(tmp_path):
    rows = [*JUDGED["TRL"], {"prompt": "x", "completion": "y", "label": "maybe"}]
    (line,) = reading(tmp_path, *rows, columns={"good": "label"}).problems.lines
    assert "rows.jsonl:7:label: true or false is needed here" in line


FROM = {"from": "human", "value": "Why?"}
GPT = {"from": "gpt", "value": "So."}
PAIRS: dict[str, dict[str, Any]] = {
    "plain": {"prompt": "Why?", "chosen": "So.", "rejected": "No."},
    "TRL, prompt of turns": {
        "prompt": [USER], "chosen": [answer("So.")], "rejected": [answer("No.")]},
    "TRL, the prompt within": {
        "chosen": [USER, answer("So.")], "rejected": [USER, answer("No.")]},
    "UltraFeedback": {
        "prompt": "Why?", "messages": [USER, answer("So.")], "chosen": [USER, answer("So.")],
        "rejected": [USER, answer("No.")]},
    "LLaMA-Factory": {"conversations": [FROM], "chosen": GPT, "rejected": GPT},
    "Alpaca": {"instruction": "Why?", "input": "", "chosen": "So.", "rejected": "No."},
    "OpenAI": {
        "input": {"messages": [USER], "tools": []}, "preferred_output": [answer("So.")],
        "non_preferred_output": [answer("No.")]},
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_are_read_in_the_usual_forms(name, tmp_path):
    found = reading(tmp_path, PAIRS[name])
    assert found.problems.lines == ()
    [row] = found.rows
    rejected = ("No.",) if name != "LLaMA-Factory" else ()
    assert (row.prompt, row.references, row.rejected) == ("Why?", ("So.",), rejected)
    assert ("two equal answers" in found.said[-1]) == (name == "LLaMA-Factory")
    assert "by its columns" in found.said[0]


def test_tools_beside_the_turns_of_a_pair_are_its_tools(tmp_path):
    pair = {**PAIRS["OpenAI"], "input": {"messages": [USER], "tools": OPENAI_CALL["tools"]}}
    found = reading(tmp_path, pair)
    assert found.rows[0].tools == tuple(OPENAI_CALL["tools"])
    assert found.unused == ()


@pytest.mark.parametrize("prompt", [{"question": "Why?"}, {"prompt": [USER]}], ids=["text", "chat"])
def test_pairs_have_their_system_turn(prompt, tmp_path):
    pair = {"chosen": "So.", "rejected": "No."}
    [row] = reading(tmp_path, {"system": "Be brief.", **prompt, **pair}).rows
    assert [turn["content"] for turn in row.messages] == ["Be brief.", "Why?"]
    assert row.rejected == ("No.",)


def test_a_column_that_stands_in_the_template_of_pairs_is_no_system_turn(tmp_path):
    pair = {"system": "Be brief.", "prompt": "Why?", "chosen": "So.", "rejected": "No."}
    [row] = reading(tmp_path, pair, prompt="{system} {prompt}").rows
    assert [turn["content"] for turn in row.messages] == ["Be brief. Why?"]


@pytest.mark.parametrize("name", ["plain", "TRL, prompt of turns", "Alpaca"])
def test_a_pair_with_a_blank_answer_is_named(name, tmp_path):
    for column in ("chosen", "rejected"):
        blank = " " if isinstance(PAIRS[name][column], str) else [answer(" ")]
        (line,) = reading(tmp_path, {**PAIRS[name], column: blank}).problems.lines
        assert "rows.jsonl:1" in line and ("blank" in line or "has no text" in line)


def test_pairs_without_a_prompt_get_words_and_no_line(tmp_path):
    rows = {"chosen": "Human: Why? Assistant: So.", "rejected": "Human: Why? Assistant: No."}
    with pytest.raises(harness.DataError, match="preference pairs") as caught:
        reading(tmp_path, rows)
    assert "make a prompt and two answers" in caught.value.hint


def test_stepwise_rows_are_refused_by_name(tmp_path):
    row = {"prompt": "Why?", "completions": ["a", "b"], "labels": [True, False]}
    with pytest.raises(harness.DataError, match="stepwise rows"):
        reading(tmp_path, row)
