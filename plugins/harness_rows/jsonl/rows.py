"""What one row of a JSONL file must look like."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness import SPLITS, near
from harness.readers import json_text
from harness_rows.prompts import evened

ROW_KEYS = ("id", "messages", "references", "split", "group", "meta", "tools")
MESSAGE_KEYS = (
    "role", "content", "name", "tool_calls", "tool_call_id", "reasoning_content", "thinking",
)  # fmt: skip
# Forms of other programs: keys by which a row is known for one, what is asked in it, the answer.
_FORMS: dict[str, set[str]] = {
    "Alpaca": {"instruction", "output"}, "ShareGPT": {"conversations"},
    "prompt and completion": {"prompt", "completion"},
    "prompt and response": {"prompt", "response"},
    "question and answer": {"question", "answer"}, "input and output": {"input", "output"},
}  # fmt: skip
_PARTS = {
    "Alpaca": ("`instruction` and `input`", "`output`"),
    "ShareGPT": ("the turns of `conversations` but the last", "the last one"),
    "prompt and completion": ("`prompt`", "`completion`"),
    "prompt and response": ("`prompt`", "`response`"),
    "question and answer": ("`question`", "`answer`"),
    "input and output": ("`input`", "`output`"),
}
ROLES = ("system", "developer", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something that keeps the data from being used."""

    file: str
    line: int
    column: int
    reason: str

    def __str__(self) -> str:
        at = f":{self.line}:{self.column}" if self.line else ""
        return f"{self.file}{at}: {self.reason}"


@dataclass(slots=True)
class Row:
    """A row as far as it could be read.

    Attributes:
        file: path as people see it; ``label`` is short and the same on every machine.
        split: None where neither the row nor its file says one.
        split_known: False where a split is given but is not one.
        references: None where there is none to be had.
    """

    file: str
    label: str
    line: int
    text: str
    id: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    references: list[str] | None = None
    split: str | None = None
    split_known: bool = True
    group: str = ""
    meta: dict[str, Any] = field(default_factory=dict)
    tools: list[dict[str, Any]] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def prompt(self) -> str:
        """The conversation before the answer, system turns left out, evened."""
        return evened(self.messages)

    def problem(self, reason: str, *path: str | int, key: bool = False) -> Problem:
        column = json_text.column(self.text, path, key=key)
        return Problem(self.file, self.line, column, reason)


def fill(row: Row, value: dict[str, Any], split: str | None) -> Iterator[Problem]:
    """Set the row's fields from its JSON object; what is wrong is yielded.

    Args:
        split: the split that the file stands for, if it does.
    """
    foreign = _foreign(value)
    if foreign:
        yield row.problem(foreign)
        value = {key: item for key, item in value.items() if key in ROW_KEYS}
    for key in value:
        if key not in ROW_KEYS:
            yield row.problem(f"unknown key {json.dumps(key)}{near(key, ROW_KEYS)}", key, key=True)
    yield from _names(row, value)
    yield from _split(row, value, split)
    yield from _meta(row, value)
    yield from _tools(row, value)
    if foreign:
        return
    yield from _messages(row, value)
    yield from _references(row, value)


def _foreign(value: dict[str, Any]) -> str:
    """That the row is of another program's form, and what to write instead; else ''."""
    if "messages" in value:
        return ""
    form = next((name for name, keys in _FORMS.items() if keys <= value.keys()), None)
    if form is None:
        return ""
    asked, answer = _PARTS[form]
    return (
        f"no `messages`: this looks like {form} rows; put {asked} into `messages` "
        f'([{{"role": "user", "content": "…"}}]) and {answer} into `references` (["…"])'
    )


def _names(row: Row, value: dict[str, Any]) -> Iterator[Problem]:
    row.id = f"{row.label}:{row.line}"
    for key in ("id", "group"):
        name = value.get(key)
        good = isinstance(name, (str, int)) and not isinstance(name, bool) and str(name).strip()
        if key in value and not good:
            yield row.problem(f"`{key}` must be a text that is not blank, or a whole number", key)
        elif key in value:
            setattr(row, key, str(name))
    row.group = row.group or row.id


def _split(row: Row, value: dict[str, Any], split: str | None) -> Iterator[Problem]:
    row.split = split
    if "split" not in value:
        return
    name = value["split"]
    if name not in SPLITS:
        row.split_known = split is not None
        hint = near(name, SPLITS) if isinstance(name, str) else ""
        yield row.problem(f"`split` must be one of {', '.join(SPLITS)}{hint}", "split")
    elif split is not None and name != split:
        yield row.problem(f"`split` is {name}, but this file is for {split}", "split")
    else:
        row.split = name


def _meta(row: Row, value: dict[str, Any]) -> Iterator[Problem]:
    meta = value.get("meta", {})
    if not isinstance(meta, dict):
        yield row.problem("`meta` must be an object", "meta")
        return
    for key, item in meta.items():
        if not _is_scalar(item):
            yield row.problem(
                f"`meta` must be flat: {json.dumps(key)} must be a text, a number, true, false "
                "or null", "meta", key
            )  # fmt: skip
    row.meta = meta


def _is_scalar(item: object) -> bool:
    return item is None or isinstance(item, (str, bool, int)) or (
        isinstance(item, float) and math.isfinite(item)
    )  # fmt: skip


def _tools(row: Row, value: dict[str, Any]) -> Iterator[Problem]:
    tools = value.get("tools", [])
    if isinstance(tools, list) and all(isinstance(tool, dict) for tool in tools):
        row.tools = tools
    else:
        yield row.problem("`tools` must be a list of objects", "tools")


def _messages(row: Row, value: dict[str, Any]) -> Iterator[Problem]:
    if "messages" not in value:
        yield row.problem("no `messages`")
        return
    messages = value["messages"]
    if not isinstance(messages, list) or not messages:
        yield row.problem("`messages` must be a list with at least one turn", "messages")
        return
    for at, message in enumerate(messages):
        yield from _message(row, message, at)
    row.messages = [message for message in messages if isinstance(message, dict)]


def _message(row: Row, message: object, at: int) -> Iterator[Problem]:
    place = ("messages", at)
    if not isinstance(message, dict):
        yield row.problem("a turn must be an object with `role` and `content`", *place)
        return
    for key in message:
        if key not in MESSAGE_KEYS:
            reason = f"unknown key {json.dumps(key)}{near(key, MESSAGE_KEYS)}"
            yield row.problem(reason, *place, key, key=True)
    role = message.get("role")
    if role not in ROLES:
        hint = near(role, ROLES) if isinstance(role, str) else ""
        yield row.problem(f"`role` must be one of {', '.join(ROLES)}{hint}", *place, "role")
    content = message.get("content")
    calls = role == "assistant" and bool(message.get("tool_calls"))
    if not isinstance(content, str) and not (content is None and calls):
        yield row.problem("`content` must be a text", *place, "content")
    elif role == "user" and not str(content).strip():
        yield row.problem("empty prompt: `content` is blank", *place, "content")


def _references(row: Row, value: dict[str, Any]) -> Iterator[Problem]:
    if not row.messages:
        return
    if "references" in value:
        yield from _given(row, value["references"])
        if row.messages[-1].get("role") == "assistant" and _is_answer(row.messages[-1], row):
            row.messages = row.messages[:-1]
    elif row.messages[-1].get("role") == "assistant":
        yield from _taken(row)
    elif row.messages[-1].get("role") == "user":
        yield row.problem(
            "no answer: there are no `references`, and the last turn is the user's", "messages",
            len(row.messages) - 1,
        )  # fmt: skip
        return
    last = row.messages[-1].get("role") if row.messages else ""
    if last == "" or (last in ROLES and last != "user"):
        reason = "the last turn before the answer must be the user's"
        if last == "assistant" and "references" in value:
            reason = (
                "`references` are given, so the last turn must be the user's, or an answer that "
                "is one of them"
            )
        yield row.problem(reason, "messages", max(0, len(row.messages) - 1))


def _given(row: Row, references: object) -> Iterator[Problem]:
    if not isinstance(references, list) or not all(isinstance(r, str) for r in references):
        yield row.problem("`references` must be a list of texts", "references")
        return
    for at, text in enumerate(references):
        if not text.strip():
            yield row.problem("empty answer: a reference is blank", "references", at)
    row.references = references


def _is_answer(message: dict[str, Any], row: Row) -> bool:
    """Whether the last turn says what the references say, too: then it is no part of the prompt."""
    content = message.get("content")
    answers = {text.strip() for text in row.references or ()}
    return isinstance(content, str) and content.strip() in answers and not message.get("tool_calls")


def _taken(row: Row) -> Iterator[Problem]:
    last = len(row.messages) - 1
    content = row.messages[last].get("content")
    row.messages = row.messages[:last]
    if isinstance(content, str) and content.strip():
        row.references = [content]
    elif content is None or isinstance(content, str):
        yield row.problem("empty answer: the last assistant turn has no text", "messages", last)
