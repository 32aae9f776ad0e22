"""Prompts as a file has them: a text a line, or JSON lines in the form of rows."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import harness
from harness import SYSTEM_ROLES
from harness.kit.files import read_at_most, read_whole
from harness.kit.readers import (
    BOM,
    Fault,
    File,
    JsonLines,
    Problems,
    Record,
    TextLines,
    encodings,
    packed_or_wide,
)

STANDARD_INPUT = Path("-")
ROLES = (*SYSTEM_ROLES, "user", "assistant", "tool")
_LARGEST = 256 * 2**20
_FORM = '{"prompt": "…"} or {"messages": [{"role": "user", "content": "…"}]}'


def of_text(text: str, system: str | None, name: str = "1") -> harness.Example:
    """One turn of a user, below a system turn where one is given that is not empty."""
    return _row(name, [{"role": "user", "content": text}], system)


def of_file(path: Path, system: str | None) -> list[harness.Example]:
    """The prompts of a file, or of standard input for ``-``; named by their lines.

    A file whose first character is ``{`` is JSON lines: ``prompt``, or ``messages`` whose last
    turn is the user's. An answer behind it, as rows have one, is left out. In any other file each
    line that is not blank is a prompt.

    Raises:
        UsageError: it cannot be read.
        DataError: it is no UTF-8, has no prompt, or wrong lines.
    """
    label = "standard input" if path == STANDARD_INPUT else str(path)
    try:
        if path == STANDARD_INPUT:
            data = read_at_most(sys.stdin.buffer, _LARGEST, label)
        else:
            data = read_whole(path, _LARGEST)
    except OSError as error:
        raise harness.UsageError(f"this cannot be read: {error.strerror}", where=label) from error
    if reason := packed_or_wide(data[:4096]):
        raise harness.DataError(reason, where=label)
    file, problems = File(None, label, data), Problems()
    if fault := encodings.fault(file):
        problems.add(fault)
        problems.refuse(label)
    rows = []
    if data.removeprefix(BOM).lstrip().startswith(b"{"):
        for number, record in JsonLines(file, problems.add).rows():
            try:
                rows.append(_of_record(record, system, str(number)))
            except ValueError as error:
                problems.add(Fault(str(error), label, number))
    else:
        for number, record in TextLines(file, problems.add).rows():
            if record["text"].strip():
                rows.append(of_text(record["text"].strip(), system, str(number)))
    problems.refuse(label, hint=f"a line is a text, or {_FORM}")
    if not rows:
        raise harness.DataError("there is no prompt in it", where=label)
    return rows


def _of_record(value: Record, system: str | None, name: str) -> harness.Example:
    """Raises ValueError, with what is wrong."""
    if "messages" not in value:
        prompt = value.get("prompt")
        if not isinstance(prompt, str) or not prompt.strip():
            raise ValueError("neither `messages` nor a `prompt` that is a text and not blank")
        return of_text(prompt, system, name)
    turns = value["messages"]
    if not isinstance(turns, list) or not all(map(_is_turn, turns)):
        raise ValueError("`messages` has to be a list of turns with `role` and `content`")
    while turns and turns[-1]["role"] == "assistant":
        turns = turns[:-1]
    if not turns or turns[-1]["role"] != "user" or not str(turns[-1]["content"]).strip():
        raise ValueError("the last turn before the answer has to be the user's, and not blank")
    if system is not None:
        turns = [turn for turn in turns if turn["role"] not in SYSTEM_ROLES]
    tools = value.get("tools") or ()
    if not isinstance(tools, list | tuple) or not all(isinstance(tool, dict) for tool in tools):
        raise ValueError("`tools` has to be a list of objects")
    return _row(name, turns, system, tuple(tools))


def _is_turn(turn: Any) -> bool:
    if not isinstance(turn, dict) or turn.get("role") not in ROLES:
        return False
    content = turn.get("content")
    return isinstance(content, str) or (content is None and bool(turn.get("tool_calls")))


def _row(
    name: str, turns: list[Mapping[str, Any]], system: str | None,
    tools: tuple[Mapping[str, Any], ...] = (),
) -> harness.Example:  # fmt: skip
    head = [{"role": "system", "content": system}] if system else []
    return harness.Example(name, (*head, *turns), split="dev", tools=tools)
