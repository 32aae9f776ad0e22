"""The native format: what a row of it must be, and what rows must be to each other."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness import SPLITS, near
from harness.kit.readers import Fault, Stretches, json_text
from harness.kit.text import one_line
from harness_rows.calling import BadTurnError, answer_of, calls_of
from harness_rows.dealing import SIDES
from harness_rows.prompts import evened
from harness_rows.turns import ASKED, thought_of

ROW_KEYS = ("id", "messages", "references", "rejected", "split", "group", "meta", "tools")
MESSAGE_KEYS = (
    "role", "content", "name", "tool_calls", "tool_call_id", "reasoning_content", "thinking",
    "weight",
)  # fmt: skip
ROLES = ("system", "developer", "user", "assistant", "tool")


@dataclass(slots=True)
class Row:
    """A row as far as it could be read.

    Attributes:
        file: path as people see it; ``label`` is short and the same on every machine.
        lines: the file's lines, of which this is number ``at``.
        split: None where neither the row nor its file says one.
        split_known: False where a split is given but is not one.
        references: None where there is none to be had.
        rejected: answers to which the references are preferred.
    """

    file: str
    label: str
    line: int
    lines: Stretches
    at: int
    id: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    references: list[str] | None = None
    rejected: list[str] = field(default_factory=list)
    split: str | None = None
    split_known: bool = True
    group: str = ""
    meta: dict[str, Any] = field(default_factory=dict)
    tools: list[dict[str, Any]] = field(default_factory=list)
    thought: str = ""

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def prompt(self) -> str:
        """The conversation before the answer, system turns left out, evened."""
        return evened(self.messages)

    @property
    def good_answer(self) -> bool:
        return bool(self.references) or not self.rejected

    def fault(self, reason: str, *path: str | int, key: bool = False, about: str = "") -> Fault:
        """What is wrong with the value (or key) at ``path``."""
        text = self.lines.raw(self.at).decode("utf-8")
        column = json_text.column(text, path, key=key)
        return Fault(reason, self.file, self.line, column, about=about)


def fill(row: Row, value: dict[str, Any], split: str | None) -> Iterator[Fault]:
    """Set the row's fields from its JSON object; what is wrong is yielded.

    Args:
        split: the split that the file stands for, if it does.
    """
    if "messages" not in value:
        yield row.fault("no `messages` (the source `rows` reads rows of other forms)")
    else:
        for key in (key for key in value if key not in ROW_KEYS):
            reason = f"unknown key {_quoted(key)}{near(key, ROW_KEYS)}"
            yield row.fault(reason, key, key=True)
    yield from _names(row, value)
    yield from _split(row, value, split)
    yield from _meta(row, value)
    yield from _tools(row, value)
    if "messages" in value:
        yield from _messages(row, value["messages"])
        # With these no reference is needed.
        yield from _answers(row, "rejected", value.get("rejected", []), "rejected one")
        yield from _references(row, value)


def _names(row: Row, value: dict[str, Any]) -> Iterator[Fault]:
    row.id = f"{row.label}:{row.line}"
    for key in ("id", "group"):
        name = value.get(key)
        good = isinstance(name, (str, int)) and not isinstance(name, bool) and str(name).strip()
        if key in value and not good:
            yield row.fault(f"`{key}` must be a text that is not blank, or a whole number", key)
        elif key in value:
            setattr(row, key, str(name))
    row.group = row.group or row.id


def _split(row: Row, value: dict[str, Any], split: str | None) -> Iterator[Fault]:
    row.split = split
    if "split" not in value:
        return
    name = value["split"]
    if name not in SPLITS:
        row.split_known = split is not None
        hint = near(name, SPLITS) if isinstance(name, str) else ""
        yield row.fault(f"`split` must be one of {', '.join(SPLITS)}{hint}", "split")
    elif split is not None and name != split:
        yield row.fault(f"`split` is {name}, but this file is for {split}", "split")
    else:
        row.split = name


def _meta(row: Row, value: dict[str, Any]) -> Iterator[Fault]:
    meta = value.get("meta", {})
    if not isinstance(meta, dict):
        yield row.fault("`meta` must be an object", "meta")
        return
    for key, item in meta.items():
        if not _is_scalar(item):
            reason = "`meta` must be flat: each value a text, a number, true, false or null"
            yield row.fault(reason, "meta", key, about=f" ({_quoted(key)} is none of these)")
    row.meta = meta


def _is_scalar(item: object) -> bool:
    return item is None or isinstance(item, (str, bool, int)) or (
        isinstance(item, float) and math.isfinite(item)
    )  # fmt: skip


def _tools(row: Row, value: dict[str, Any]) -> Iterator[Fault]:
    tools = value.get("tools", [])
    if isinstance(tools, list) and all(isinstance(tool, dict) for tool in tools):
        row.tools = tools
    else:
        yield row.fault("`tools` must be a list of objects", "tools")


def _messages(row: Row, messages: object) -> Iterator[Fault]:
    if not isinstance(messages, list) or not messages:
        yield row.fault("`messages` must be a list with at least one turn", "messages")
        return
    for at, message in enumerate(messages):
        yield from _message(row, message, at)
    row.messages = [message for message in messages if isinstance(message, dict)]


def _message(row: Row, message: object, at: int) -> Iterator[Fault]:
    place = ("messages", at)
    if not isinstance(message, dict):
        yield row.fault("a turn must be an object with `role` and `content`", *place)
        return
    for key in message:
        if key not in MESSAGE_KEYS:
            reason = f"unknown key {_quoted(key)}{near(key, MESSAGE_KEYS)}"
            yield row.fault(reason, *place, key, key=True)
    role = message.get("role")
    if role not in ROLES:
        hint = near(role, ROLES) if isinstance(role, str) else ""
        yield row.fault(f"`role` must be one of {', '.join(ROLES)}{hint}", *place, "role")
    content = message.get("content")
    calls = role == "assistant" and bool(message.get("tool_calls"))
    if not isinstance(content, str) and not (content is None and calls):
        yield row.fault("`content` must be a text", *place, "content")
    elif role == "user" and not str(content).strip():
        yield row.fault("empty prompt: `content` is blank", *place, "content")


def _references(row: Row, value: dict[str, Any]) -> Iterator[Fault]:
    if not row.messages:
        return
    if "references" in value:
        yield from _answers(row, "references", value["references"], "reference")
        if row.messages[-1].get("role") == "assistant" and _is_answer(row.messages[-1], row):
            if str(row.messages[-1]["content"]).strip() == (row.references or [""])[0].strip():
                row.thought = thought_of(row.messages[-1])
            row.messages = row.messages[:-1]
    elif row.messages[-1].get("role") == "assistant":
        yield from _take_answer(row)
    elif (last := row.messages[-1].get("role")) in ASKED and not row.rejected:
        whose = "a tool's" if last == "tool" else "the user's"
        yield row.fault(
            f"no answer: there are no `references`, and the last turn is {whose}", "messages",
            len(row.messages) - 1,
        )  # fmt: skip
        return
    last = row.messages[-1].get("role") if row.messages else ""
    if last == "" or (last in ROLES and last not in ASKED):
        reason = "the last turn before the answer must be the user's or a tool's"
        if last == "assistant" and "references" in value:
            reason = (
                "`references` are given, so the last turn must be the user's or a tool's, or an "
                "answer that is one of them"
            )
        yield row.fault(reason, "messages", max(0, len(row.messages) - 1))


def _answers(row: Row, key: str, texts: object, what: str) -> Iterator[Fault]:
    """Set the good answers, or the rejected ones."""
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        yield row.fault(f"`{key}` must be a list of texts", key)
        return
    for at, text in enumerate(texts):
        if not text.strip():
            yield row.fault(f"empty answer: a {what} is blank", key, at)
    setattr(row, key, texts)


def _is_answer(message: dict[str, Any], row: Row) -> bool:
    """Whether the last turn says what the references say, too: then it is no part of the prompt."""
    content = message.get("content")
    answers = {text.strip() for text in row.references or ()}
    return isinstance(content, str) and content.strip() in answers and not message.get("tool_calls")


def _take_answer(row: Row) -> Iterator[Fault]:
    """Make the last turn, which is the assistant's, the reference."""
    last = len(row.messages) - 1
    answer = row.messages[last]
    content = answer.get("content")
    row.messages, row.thought = row.messages[:last], thought_of(answer)
    if answer.get("weight") == 0:
        reason = "the last assistant turn is not to be learned (`weight: 0`): take it out"
        yield row.fault(reason, "messages", last)
    if answer.get("tool_calls"):
        try:
            calls = calls_of(answer["tool_calls"])
            row.references = [answer_of({**answer, "tool_calls": calls}, row.tools).text]
        except BadTurnError as error:
            yield row.fault(str(error), "messages", last, "tool_calls")
    elif isinstance(content, str) and content.strip():
        row.references = [content]
    elif content is None or isinstance(content, str):
        yield row.fault("empty answer: the last assistant turn has no text", "messages", last)


def check_together(rows: Sequence[Row]) -> Iterator[Fault]:
    """What is wrong between rows: ids, groups, splits. (What repeats a held-out prompt is left to
    the core, which says how much that is.)"""
    for row in rows:
        if row.split is None and row.split_known:
            yield row.fault("no `split`: give each row one, or set `sizes` to deal them out")
    for row in rows:
        for at, text in enumerate(row.rejected):
            if text.strip() in {reference.strip() for reference in row.references or ()}:
                yield row.fault("an answer is a reference and rejected", "rejected", at)
    yield from _ids(rows)
    in_splits = [row for row in rows if row.split is not None]
    yield from _groups(in_splits)
    for row in in_splits:
        if row.references == [] and not row.rejected and SIDES[row.split or ""] == "train":
            yield row.fault(f"empty answer: {row.split} needs a reference", "references")


def _ids(rows: Iterable[Row]) -> Iterator[Fault]:
    first: dict[str, Row] = {}
    for row in rows:
        other = first.setdefault(row.id, row)
        if other is not row:
            splits = "" if other.split == row.split else f", in {other.split} and not {row.split}"
            about = f" ({_quoted(row.id)}, at {other.place}{splits})"
            yield row.fault("an earlier row has this id", "id", about=about)


def _groups(rows: Iterable[Row]) -> Iterator[Fault]:
    first: dict[str, Row] = {}
    seen: set[tuple[str, str]] = set()
    for row in rows:
        other = first.setdefault(row.group, row)
        side = SIDES[row.split or ""]
        # A row without `group` is its own; that its id is there twice is said elsewhere.
        if side == SIDES[other.split or ""] or row.id == other.id or (row.group, side) in seen:
            continue
        seen.add((row.group, side))
        about = f" ({_quoted(row.group)}, in {other.split} at {other.place}, in {row.split} here)"
        yield row.fault("its group has rows in another split", "group", about=about)


def _quoted(name: str) -> str:
    return json.dumps(one_line(name, 60), ensure_ascii=False)
