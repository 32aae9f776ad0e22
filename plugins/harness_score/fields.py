"""From records to rows: which field is the text, which the id, and what is wrong with them."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from sys import intern
from typing import Any

from harness import Answer, DataError, near
from harness.kit.readers import Fault, Problems
from harness.kit.text import one_line
from harness.kit.tool_calls import calls_in
from harness_score.sources import Source

CALLS, TOOLS = "tool_calls", "tools"
_ABSENT = object()
_MANY = 2000  # names that are compared with a wrong one
_NAMES = 20  # names that a message lists
# What a list looks like once some program has written it into a cell.
_LIST = re.compile(r"""\[\s*(['"]).*\1\s*\]\s*""", re.DOTALL)
_NO_SCORES: Mapping[str, float] = {}
_SCALARS = (str, int, float, type(None))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        id: None where the file gives no ids. The number 7 and the text "7" are one id.
        texts: for predictions exactly one; for references none or more.
        meta: the row's other fields, as far as they are JSON scalars; lists and objects that a
            metric reads as JSON text.
        place: where a person finds it: ``refs.jsonl:12`` is the line, or in Parquet and JSON
            arrays, which have no lines, the row, counted from 1.
        scores: what the program that wrote the file gave the answer: name -> number.
        tools: of a reference: the tools that its answer may call.
    """

    id: str | None
    texts: tuple[str, ...]
    meta: Mapping[str, Any]
    place: str
    scores: Mapping[str, float] = field(default_factory=lambda: _NO_SCORES)
    tools: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """What a file is read as.

    Attributes:
        names: the fields that may hold its texts, the most telling first.
        others: what other programs call it. Some call the prompt or the reference so: one of
            them is taken only where the first row has no second one.
        several: whether a row may have no text, or more than one.
    """

    names: tuple[str, ...]
    others: tuple[str, ...]
    several: bool


PREDICTIONS = Role(
    ("text", "prediction"),
    ("predict", "response", "output", "completion", "answer", "generated_text"),
    several=False,
)
REFERENCES = Role(("references", "reference", "text"), ("label", "ideal", "target"), several=True)


class Fields:
    """Makes rows of one source's records; the first of them settles which fields are used.

    Args:
        nested: fields that are kept though they hold lists or objects.
    """

    def __init__(
        self, source: Source, role: Role, problems: Problems, nested: Collection[str] = ()
    ) -> None:
        self._nested = frozenset(nested)
        self.source = source
        self.role = role
        self.problems = problems
        self.field = ""
        """With the texts; empty until the first row is made."""
        self._with_ids = False
        self._left_out: set[str] = set()

    def _choose(self, there: Sequence[str], place: str) -> str:
        """The field with the texts, out of those that are there.

        Raises:
            DataError: none of them is it; the message lists them.
        """
        column = self.source.column
        if column is not None:
            if column in there:
                return column
            what = f"no column {quoted(column)}{one_line(near(column, there[:_MANY]))}"
            raise DataError(f"{what}; there are {listed(there)}", where=place)
        for name in self.role.names:
            if name == "text" and self.role.several and "messages" in there:
                break  # a row of a data set, whose answer is the last turn
            if name in there:
                return name
        if self.role.several and "messages" in there:
            return "references"
        others = [name for name in self.role.others if name in there]
        if not others and not self.role.several and CALLS in there:
            return CALLS
        if len(others) == 1:
            return others[0]
        raise self._unnamed(there, others, place)

    def _unnamed(self, there: Sequence[str], others: Sequence[str], place: str) -> DataError:
        wanted = " or ".join(quoted(name) for name in self.role.names)
        what = f"no field {wanted}; there are {listed(there)}"
        hint = f"name the one with the texts: {self.source.with_column('FIELD')}"
        if others:
            what = f"{' and '.join(map(quoted, others))} may each hold the texts"
            hint = f"name the one that does: {self.source.with_column(others[0])}"
        return DataError(what, where=place, hint=hint)

    def needed(self, names: Sequence[str]) -> set[str]:
        """Those of a table's columns that must be read, whatever they hold."""
        field = self._choose(names, self.source.file)
        turns = {"messages"} if field not in names else set()
        turns |= {CALLS, TOOLS} & set(names)
        return {field, "id", "meta"} | turns | (self._nested & set(names))

    def row(self, number: int | str, record: Mapping[str, Any]) -> Row | None:
        """The row of a record; worthless, or None, where it has a problem (which is noted).

        Args:
            number: of the line or row; in an archive the name of the record's file.

        Raises:
            DataError: it is the first, and has no field with texts.
        """
        place = f"{self.source.file}:{number}"
        if not self.field:
            self.field = self._choose(list(record), place)
            self._with_ids = "id" in record
            self._left_out = {"id", "meta", self.field}
        texts = self._texts(record, place)
        if texts is None:
            return None
        tools = record.get(TOOLS) if self.role.several else None
        known = (
            [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else ()
        )
        return Row(self._id(record, place), texts, self._meta(record), place, tools=tuple(known))

    def _texts(self, record: Mapping[str, Any], place: str) -> tuple[str, ...] | None:
        value = record.get(self.field, _ABSENT)
        if not self.role.several:
            message = value if isinstance(value, dict) else {**record, "content": value}
            if message.get(CALLS):
                return self._calling(message, place)
            if message is value and isinstance(value.get("content"), str):
                value = value["content"]
            elif self.field == CALLS:
                value = ""
        if type(value) is str:
            return (value,) if value[:1] != "[" else self._perhaps_a_list(value, place)
        if value is _ABSENT:
            return self._from_messages(record, place)
        if not self.role.several:
            self._refuse(place, f"{quoted(self.field)} is {kind_of(value)}, not a text")
            return None
        if value is None:
            return ()
        if not isinstance(value, list):
            reason = f"{quoted(self.field)} is {kind_of(value)}, not a text or a list of texts"
            self._refuse(place, reason)
            return None
        for at, item in enumerate(value, start=1):
            if type(item) is not str:
                nested = ": the list is nested too deeply" if isinstance(item, list) else ""
                reason = f"number {at} of {quoted(self.field)} is {kind_of(item)}, not a text"
                self._refuse(place, reason + nested)
                return None
        return tuple(value)

    def _calling(self, turn: Mapping[str, Any], place: str) -> tuple[str, ...] | None:
        """An assistant's turn that calls tools, in the written form of such an answer."""
        calls, content = calls_in(turn[CALLS]), turn.get("content")
        if not calls:
            hint = "each call has a `name` and `arguments`, also below `function`"
            reason = f"{quoted(CALLS)} holds something that calls no function"
            self.problems.add(Fault(reason, place, hint=hint))
            return None
        return (Answer(content if isinstance(content, str) else "", calls).text,)

    def _perhaps_a_list(self, text: str, place: str) -> tuple[str, ...] | None:
        """Refuse to take several references for one, unless the user named the column."""
        doubtful = self.field == "references" and self.source.column is None
        if not doubtful or not _LIST.fullmatch(text):
            return (text,)
        hint = "a cell holds one reference: use JSON lines, or a column and --references for each"
        hint += f"; if it is meant as it is, name it: {self.source.with_column(self.field)}"
        reason = f"{quoted(self.field)} is a text that looks like a list of texts"
        self.problems.add(Fault(reason, place, hint=hint))
        return None

    def _refuse(self, place: str, reason: str) -> None:
        hint = 'an empty answer is written as an empty text ("")'
        if self.role.several:
            hint = "write a text, a list of texts, or null where there is no reference"
        self.problems.add(Fault(reason, place, hint=hint))

    def _from_messages(self, record: Mapping[str, Any], place: str) -> tuple[str, ...] | None:
        if self.role.several and self.source.column is not None:
            return ()  # live rows of which a part was corrected
        messages = record.get("messages")
        if self.role.several and self.source.column is None and isinstance(messages, list):
            last = messages[-1] if messages else None
            if isinstance(last, dict) and last.get("role") == "assistant":
                content = last.get("content")
                if last.get(CALLS):
                    return self._calling(last, place)
                if isinstance(content, str):
                    return (content,)
            reason = "no `references`, and the last of `messages` is no answer with a text"
        else:
            reason = f"no field {quoted(self.field)}; there are {listed(list(record))}"
        hint = "every row needs the field that the first row has"
        self.problems.add(Fault(reason, place, hint=hint))
        return None

    def _id(self, record: Mapping[str, Any], place: str) -> str | None:
        """The id; None where there is none, or where there is a problem (which is noted)."""
        value = record.get("id", _ABSENT)
        if not self._with_ids:
            if value is not _ABSENT:
                self._refuse_id(place, "an `id`, though the first row has none")
        elif type(value) is str and value and not value.isspace():
            return value
        elif isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        elif value is _ABSENT:
            self._refuse_id(place, "no `id`, though the first row has one")
        elif isinstance(value, str):
            self._refuse_id(place, "the `id` is blank")
        else:
            self._refuse_id(place, f"the `id` is {kind_of(value)}, not a text or a whole number")
        return None

    def _refuse_id(self, place: str, reason: str) -> None:
        hint = "give every row an `id` (a text or a whole number), or none"
        self.problems.add(Fault(reason, place, hint=hint))

    def _meta(self, record: Mapping[str, Any]) -> dict[str, Any]:
        inner = record.get("meta")
        meta: dict[str, Any] = {}
        if isinstance(inner, dict):
            meta = dict(self._flat(inner, ()))
        elif inner is not None and isinstance(inner, _SCALARS):
            meta = {"meta": inner}
        meta.update(self._flat(record, self._left_out))
        return meta

    def _flat(
        self, record: Mapping[str, Any], left_out: Collection[str]
    ) -> Iterator[tuple[str, Any]]:
        for key, value in record.items():
            if key in left_out:
                continue
            if isinstance(value, _SCALARS):
                yield intern(key), value  # each line of JSON makes keys of its own
            elif key in self._nested:
                yield intern(key), json.dumps(value, default=str)


def kind_of(value: object) -> str:
    """What a value is, in the words of somebody who looks at the file."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {one_line(str(value), 30)}"
    name = type(value).__name__
    return {"str": "a text", "list": "a list", "dict": "an object"}.get(name, f"of type {name}")


def quoted(name: str) -> str:
    """A name from the data, short and in backquotes."""
    return f"`{one_line(name, 60)}`"


def listed(names: Sequence[str]) -> str:
    """Names of fields or columns, as a list in a sentence."""
    if not names:
        return "none"
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(quoted(name) for name in names[:_NAMES]) + more
