"""Live rows: what users asked, what a model answered, and what they thought of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from harness.errors import DataError
from harness.kit.readers.base import Fault, File
from harness.kit.readers.kinds import kind_of, packed_or_wide, reader_of
from harness.kit.readers.problems import Problems
from harness.kit.text import storable, storable_json
from harness.records import Example

ANSWERS = ("answer", "response", "prediction", "output", "completion", "text", "generated_text")
RATINGS = ("rating", "feedback")
WORDS = {
    "true": 1.0, "false": 0.0, "up": 1.0, "good": 1.0, "positive": 1.0, "like": 1.0, "yes": 1.0,
    "down": 0.0, "bad": 0.0, "negative": 0.0, "dislike": 0.0, "no": 0.0,
}  # fmt: skip
_ROW = ("references", "reference", "split", "tools")  # of rows that were written for training
_NEEDED = ("id", "group", "messages", "prompt", "system", "meta", *_ROW, *ANSWERS, *RATINGS)
_HEAD = 4096
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d\S{0,20})?$")


@dataclass(frozen=True, slots=True)
class LiveRow:
    """What was asked, and what is known of the answer.

    Attributes:
        example: without references; its ``meta`` has the other fields of the row.
        group: rows that are no independent witnesses; moved from side to side as a whole.
        rating: what a person thought of the answer, more is better.
    """

    example: Example
    group: str
    answer: str | None = None
    rating: float | None = None

    @property
    def origin(self) -> str:
        """Where the row comes from, and when it was asked: ``week-23.jsonl:17, asked 2026-06-05``.

        A row that was taken out of a file of live rows says so itself, as ``origin``.
        """
        given = self.example.meta.get("origin")
        if isinstance(given, str):
            return given
        texts = (value for value in self.example.meta.values() if isinstance(value, str))
        asked = next((text for text in texts if _DATE.match(text)), "")
        return f"{self.example.place}, asked {asked}" if asked else self.example.place


def read_live(path: Path, group: str | None = None) -> list[LiveRow]:
    """The rows of a file, in its order.

    Args:
        group: the field that says which rows belong together; None: ``group``, where there is one.

    Raises:
        DataError: the file cannot be read, or rows of it are wrong; all problems are counted.
    """
    file, problems = File(path, str(path)), Problems()
    rows: list[LiveRow] = []
    grouped = group is None
    try:
        with file.open() as stream:
            head = stream.read(_HEAD)
        kind = kind_of(file, path.suffix)
        if kind not in ("parquet", "arrow") and (reason := packed_or_wide(head)):
            raise DataError(reason, where=str(path))
        reader = reader_of(file, kind or "lines", problems.add)
        for number, record in reader.rows():
            meta = record.get("meta")
            grouped = grouped or group in record or (isinstance(meta, dict) and group in meta)
            try:
                rows.append(_row(record, f"{path}:{number}", group))
            except ValueError as error:
                problems.add(Fault(str(error), str(path), number))
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"it cannot be read: {reason.lower()}", where=str(path)) from None
    problems.refuse(str(path), hint="a row has `messages`, or a text `prompt`")
    if not rows:
        raise DataError("there is no row in it", where=str(path))
    if not grouped:
        raise DataError(f"no row has a field `{group}`", where=str(path), hint="see --group")
    return rows


def _row(record: Mapping[str, Any], place: str, group: str | None) -> LiveRow:
    record = storable_json({key: value for key, value in record.items() if value is not None})
    messages, answer = _messages(record)
    for name in ANSWERS:
        if isinstance(record.get(name), str):
            answer = record[name]
            break
    own = {key: value for key, value in record.items() if key not in _NEEDED}
    meta = record.get("meta")
    facts = {**own, **(meta if isinstance(meta, dict) else {})}
    name = _name(record.get("id")) or place
    together = _name(record.get(group or "group")) or _name(facts.get(group or "group"))
    example = Example(
        name, messages, group=together or name,
        meta={
            key: value for key, value in facts.items()
            if (isinstance(value, str) or _is_number(value)) and key != group
        },
        place=place,
    )  # fmt: skip
    return LiveRow(example, together or name, answer, _rating(record))


def _name(value: object) -> str:
    return storable(str(value)) if isinstance(value, str | int) else ""


def _messages(record: Mapping[str, Any]) -> tuple[tuple[dict[str, Any], ...], str | None]:
    """The turns up to the last answer, and that answer."""
    if "messages" not in record:
        prompt, system = record.get("prompt"), record.get("system")
        if not isinstance(prompt, str):
            raise ValueError("no `messages`, and no text under `prompt`")
        before = [{"role": "system", "content": system}] if isinstance(system, str) else []
        return (*before, {"role": "user", "content": prompt}), None
    turns = record["messages"]
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise ValueError("`messages` must be a list of objects")
    turns = [{**turn, "content": _text(turn.get("content"))} for turn in turns]
    answer = None
    if turns and turns[-1].get("role") == "assistant":
        answer = turns.pop()["content"]
    if not any(turn.get("role") == "user" for turn in turns):
        raise ValueError("`messages` has no turn of a user before the answer")
    return tuple(turns), answer


def _text(content: object) -> str:
    """A turn's text; of one in parts (text, images) the text."""
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "\n".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _is_number(value: object) -> TypeGuard[float]:
    """True and False, too; none that a double cannot hold."""
    return isinstance(value, int | float) and abs(value) < 2**53


def _rating(record: Mapping[str, Any]) -> float | None:
    for name in RATINGS:
        value = record.get(name)
        if isinstance(value, str):
            word = value.strip().casefold()
            if not word:
                continue
            try:  # a cell of a CSV file is a text
                value = WORDS[word] if word in WORDS else float(word)
            except ValueError:
                what = f"`{name}` must be a number, true or false, or up or down"
                raise ValueError(what) from None
        if _is_number(value):
            return float(value)
    return None
