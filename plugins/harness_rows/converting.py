"""A record becomes a row: prompt, references, and what else is known of it."""

from __future__ import annotations

import json
import math
import string
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

import harness
from harness import SPLITS, Example, Split
from harness.kit.readers import Fault, Problems, Record
from harness_rows.calling import (
    BadTurnError,
    answer_of,
    calls_of,
    listed,
    tool_of,
    tools_told,
    untagged,
)
from harness_rows.choices import Choices, choices_of, lettered, picked
from harness_rows.formats import Recognised
from harness_rows.options import RowsOptions
from harness_rows.roles import MISSING, Roles, value_of
from harness_rows.splits import SPLIT_NAMES
from harness_rows.turns import (
    ASKED,
    UNLEARNED,
    thought_of,
    turn_of,
    turns_in,
)

VERDICTS = {"true": True, "false": False, "1": True, "0": False}
"""Whether an answer is good, as texts and numbers say it."""
LEAVE_OUT = "--drop-incomplete (`incomplete: drop` under `data:`) leaves such rows out"


class Unusable(Exception):
    """A record that is no row; its problem has been noted."""


class LeftOut(Exception):
    """A record whose answer is marked as a bad one; it is counted."""


class Converter:
    """Makes rows of the records of one format.

    Args:
        problems: get what cannot be used.

    Attributes:
        left_out: rows whose answer is marked as a bad one.
        equal: pairs of two equal answers, which are rows without a rejected one.
        cut_back: rows that end at an earlier turn, as the last one is not to be learned.
        incomplete: what rows that were left out lack, as the options say -> how many.
        only_rejected: rows without a good answer.
    """

    def __init__(self, options: RowsOptions, recognised: Recognised, problems: Problems) -> None:
        self.roles: Roles = recognised.roles
        self.problems = problems
        self._system = options.system
        self._drops = options.incomplete == "drop"
        self.incomplete = Counter[str]()
        # Not by str.format: a column may be called `a.b`, which it takes for an attribute.
        parts = string.Formatter().parse(self.roles.template)
        self._template = [(words, name) for words, name, _, _ in parts]
        self._label, self._number = "", 0
        self.left_out = self.cut_back = self.equal = self.only_rejected = 0

    @property
    def said(self) -> tuple[str, ...]:
        """Sentences for people: which rows are read otherwise than they stand there."""
        lacking = ", ".join(f"{count:,} {what}" for what, count in self.incomplete.most_common())
        sentences = (
            (self.incomplete.total(), "row is", "rows are", f"left out: {lacking}"),
            (self.left_out, "row is", "rows are",
             f"left out: '{self.roles.good}' says that the answer is not good"),
            (self.equal, "pair has", "pairs have",
             "two equal answers: no preference is learned from these"),
            (self.only_rejected, "row has", "rows have",
             "rejected answers alone: learned from, and not of dev or test"),
            (self.cut_back, "row ends", "rows end",
             "at the last assistant turn that is to be learned: what follows has `weight: 0` or "
             "`train: false`"),
        )  # fmt: skip
        return tuple(
            f"{count:,} {singular if count == 1 else plural} {rest}"
            for count, singular, plural, rest in sentences
            if count
        )

    def example(self, record: Record, label: str, number: int, split: str) -> Example | None:
        """The row, or None where it cannot be used.

        Args:
            label: name of the file; with ``number`` the place of the row.
            split: what the file's name says, or empty.
        """
        self._label, self._number = label, number
        try:
            if self.roles.good and not self._verdict(record, self.roles.good):
                raise LeftOut
            tools = self._tools(record)
            messages, references, thought = self._conversation(record, tools)
            rejected = self._rejected(record, references)
            if self.roles.label and not self._verdict(record, self.roles.label):
                references, rejected, thought = (), references, ""
            self.only_rejected += not references
            # One text for all three: a row has hardly more memory in its turns.
            place = f"{label}:{number}"
            name = self._name(record, self.roles.id) or place
            group = self._name(record, self.roles.group)
            return Example(
                id=name,
                messages=messages,
                references=references,
                split=cast(Split, self._split(record, split)),
                group=sys.intern(group) if group else name,
                meta=self._meta(record),
                tools=tools,
                place=place,
                thought=thought,
                rejected=rejected,
            )
        except Unusable:
            return None
        except LeftOut:
            self.left_out += 1
            return None

    def _wrong(self, reason: str, column: str = "", hint: str = "") -> Unusable:
        self.problems.add(Fault(reason, self._label, self._number, column, hint))
        return Unusable()

    def _verdict(self, record: Record, column: str) -> bool:
        good = VERDICTS.get(self._text(record, column).strip().casefold())
        if good is None:
            raise self._wrong("true or false is needed here", column)
        return good

    def _blank(self, reason: str, column: str, what: str = "with a blank answer") -> Unusable:
        """A row that lacks its prompt or answer: left out and counted, or a problem.

        Args:
            what: it lacks, behind the number of such rows.
        """
        if self._drops:
            self.incomplete[what] += 1
            return Unusable()
        return self._wrong(reason, column, LEAVE_OUT)

    # -- the conversation -----------------------------------------------------------------------

    def _conversation(
        self, record: Record, tools: Sequence[harness.Message]
    ) -> tuple[tuple[harness.Message, ...], tuple[str, ...], str]:
        """Prompt, references, and what was thought before the first of these."""
        roles, thought = self.roles, ""
        if roles.messages:
            turns, references, thought = self._turns(record, tools)
        else:
            turns = [*self._history(record), {"role": "user", "content": self._prompt(record)}]
            references = self._references(record, tools)
        system = (self._text(record, roles.system) if roles.system else "") or self._system
        if system.strip() and not (turns and turns[0]["role"] in ("system", "developer")):
            turns.insert(0, {"role": "system", "content": system})
        return tuple(turns), references, thought

    def _prompt(self, record: Record) -> str:
        if self._template:
            prompt = "".join(
                words + (self._text(record, name) if name else "") for words, name in self._template
            )
        else:
            texts = (self._text(record, name) for name in self.roles.prompts)
            prompt = "\n\n".join(text for text in texts if text.strip())
        if not prompt.strip():
            raise self._blank(
                "the prompt is blank", next(iter(self.roles.prompts), ""), "with a blank prompt"
            )
        return f"{prompt}\n\n{lettered(self._choices(record))}" if self.roles.choices else prompt

    def _choices(self, record: Record) -> Choices:
        column = self.roles.choices
        choices = choices_of(value_of(record, column))
        if not choices:
            raise self._wrong("a list of answers to choose from is needed here", column)
        return choices

    def _references(self, record: Record, tools: Sequence[harness.Message]) -> tuple[str, ...]:
        texts: list[str] = []
        for column in self.roles.references:
            value = value_of(record, column)
            calls = self._calls(value, column) if tools else []
            if calls:  # as xLAM's rows have them: all of a column are one answer
                texts.append(self._called({"tool_calls": calls}, tools, column))
            elif not tools or listed(value) != []:
                texts += self._answers(value, column)
        if self.roles.choices:
            choices = self._choices(record)
            texts = [picked(choices, text, self.roles.first) or text for text in texts]
        references = tuple(dict.fromkeys(text for text in texts if text.strip()))
        if not references and not self._has_only_rejected(record):
            raise self._blank("the answer is blank", self.roles.references[0])
        return references

    def _calls(self, value: Any, column: str) -> list[dict[str, Any]]:
        """The calls that a value is, as objects or as JSON; else none."""
        calls = listed(value)
        if not calls or not all(isinstance(call, dict) for call in calls):
            return []
        try:
            return calls_of(calls)
        except BadTurnError as error:
            raise self._wrong(str(error), column) from None

    def _called(self, turn: harness.Message, tools: Sequence[harness.Message], column: str) -> str:
        """The written form of an answer that calls tools."""
        try:
            return answer_of(turn, tools).text
        except BadTurnError as error:
            ends = "whose calls do not fit their tools"
            raise self._blank(str(error), column, ends) from None

    def _has_only_rejected(self, record: Record) -> bool:
        """Whether a row says by an empty list that it has no good answer, beside a rejected one."""
        columns = self.roles.references
        if not columns or any(value_of(record, column) != [] for column in columns):
            return False
        return value_of(record, self.roles.rejected) not in (MISSING, None, "", [])

    def _rejected(self, record: Record, references: Sequence[str]) -> tuple[str, ...]:
        """Texts of a column, or the last turns of chats; what is a reference, too, is none."""
        column = self.roles.rejected
        if not column:
            return ()
        value = value_of(record, column)
        turns = turns_in(value) if value is not MISSING else None
        if turns and isinstance(turns[0], dict):
            last = self._turn(turns[-1], column)
            if last["role"] != "assistant":
                raise self._wrong("the last turn must be the assistant's", column)
            texts = [str(last["content"])]
        else:
            texts = self._answers(value, column)
        if not all(text.strip() for text in texts):
            raise self._blank(
                "the rejected answer is blank", column, "with a blank rejected answer"
            )
        good = {text.strip() for text in references}
        rejected = tuple(dict.fromkeys(text for text in texts if text.strip() not in good))
        self.equal += not rejected
        return rejected

    def _answers(self, value: Any, column: str) -> list[str]:
        if isinstance(value, dict) and "text" in value:  # answers as SQuAD has them
            value = value["text"]
        if isinstance(value, list):
            return [text for item in value for text in self._answers(item, column)]
        return [self._plain(value, column)]

    def _text(self, record: Record, column: str) -> str:
        return self._plain(value_of(record, column), column)

    def _plain(self, value: Any, column: str) -> str:
        if isinstance(value, str):
            return value
        if value is None:
            return ""
        if value is MISSING:
            raise self._wrong("the row has no such column", column)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (int, float)):
            return str(value)
        hint = f"`columns: {{choices: {column}}}` letters them" if choices_of(value) else ""
        raise self._wrong(f"a text is needed here, and this is {_kind(value)}", column, hint)

    def _history(self, record: Record) -> list[dict[str, Any]]:
        turns: list[dict[str, Any]] = []
        column = self.roles.history
        history = value_of(record, column) if column else None
        for pair in (listed(history) or ()) if history is not MISSING else ():
            if not isinstance(pair, Sequence) or len(pair) != 2:
                raise self._wrong("`history` must be pairs of a question and an answer", column)
            turns.append({"role": "user", "content": self._plain(pair[0], column)})
            turns.append({"role": "assistant", "content": self._plain(pair[1], column)})
        return turns

    def _turns(
        self, record: Record, tools: Sequence[harness.Message]
    ) -> tuple[list[dict[str, Any]], tuple[str, ...], str]:
        column = self.roles.messages
        turns = [self._turn(turn, column) for turn in self._listed_turns(record, column)]
        if self.roles.completion:
            rest = self._listed_turns(record, self.roles.completion)
            turns += [self._turn(turn, self.roles.completion) for turn in rest]
        if tools:
            try:
                turns = untagged(turns, tools)
            except BadTurnError as error:
                raise self._wrong(str(error), column) from None
        references: tuple[str, ...] = ()
        thought = ""
        if self.roles.references:
            references = self._references(record, tools)
        else:
            turns = self._up_to_learned(turns, column)
        if turns[-1]["role"] == "assistant":
            references, thought = self._last_answer(turns.pop(), references, tools, column)
        if not turns or turns[-1]["role"] not in ASKED:
            raise self._wrong("the turn before the answer must be the user's or a tool's", column)
        if not references and not self._has_only_rejected(record):
            who = "a tool's" if turns[-1]["role"] == "tool" else "the user's"
            raise self._blank(
                f"no answer: the last turn is {who}", column, "that end without an answer"
            )
        if not any(turn["role"] == "user" for turn in turns):
            raise self._wrong("there is no turn of the user's", column)
        return turns, references, thought

    def _last_answer(
        self,
        turn: dict[str, Any],
        references: tuple[str, ...],
        tools: Sequence[harness.Message],
        column: str,
    ) -> tuple[tuple[str, ...], str]:
        """The references, and what was thought before the first, where a chat ends in an answer.

        Args:
            references: of another column, of which the answer has to be one; none where it is the
                reference itself.
        """
        thought, text = thought_of(turn), str(turn["content"])
        if turn.get("tool_calls"):
            text = self._called(turn, tools, column)
        if not self.roles.references:
            if not text.strip():
                raise self._blank("the last assistant turn has no text", column)
            return (text,), thought
        if text.strip() not in map(str.strip, references):
            raise self._wrong("the last assistant turn is none of the references", column)
        # Else it led to another answer than the one that is learned.
        return references, thought if text.strip() == references[0].strip() else ""

    def _listed_turns(self, record: Record, column: str) -> list[Any]:
        value = value_of(record, column)
        turns = turns_in(None if value is MISSING else value)
        if not turns:
            raise self._wrong("a list of turns is needed here", column)
        return turns

    def _up_to_learned(self, turns: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
        """The turns without those at the end that hang on an answer that is not to be learned."""
        if UNLEARNED not in turns[-1]:
            return turns
        learned = [
            place
            for place, turn in enumerate(turns)
            if turn["role"] == "assistant" and UNLEARNED not in turn
        ]
        if not learned:
            what = "no assistant turn is to be learned (`weight: 0`, `train: false`)"
            raise self._blank(what, column, "of which no turn is to be learned")
        self.cut_back += 1
        return turns[: learned[-1] + 1]

    def _turn(self, turn: Any, column: str) -> dict[str, Any]:
        try:
            return turn_of(turn)
        except BadTurnError as error:
            raise self._wrong(str(error), column) from None

    # -- what else is known ---------------------------------------------------------------------

    def _name(self, record: Record, column: str) -> str:
        if not column:
            return ""
        value = value_of(record, column)
        if value is MISSING or value is None or value == "":
            return ""
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            return str(value).strip()
        raise self._wrong(f"a text or a whole number is needed here, not {_kind(value)}", column)

    def _split(self, record: Record, split: str) -> str:
        column = self.roles.split
        value = value_of(record, column) if column else None
        if value is MISSING or value is None or value == "":
            return split
        name = SPLIT_NAMES.get(value.strip().casefold()) if isinstance(value, str) else None
        if name is None:
            names = ", ".join(SPLITS)
            raise self._wrong(f"unknown split (known: {names}, validation)", column)
        return name

    def _meta(self, record: Record) -> Mapping[str, Any]:
        meta: dict[str, Any] = {}
        for column in self.roles.meta:
            value = value_of(record, column)
            if value is MISSING:
                continue
            if isinstance(value, dict) and not any(map(_is_nested, value.values())):
                for key, inner in value.items():
                    meta[sys.intern(str(key))] = self._scalar(inner, column)
            elif _is_nested(value):
                meta[column] = self._as_json(value, column)
            else:
                meta[column] = self._scalar(value, column)
        return meta

    def _as_json(self, value: Any, column: str) -> str:
        """A list, or an object that holds others, as text: ``meta`` is flat."""
        try:
            return json.dumps(value)
        except (TypeError, ValueError, RecursionError):
            raise self._wrong("`meta` holds JSON, and this is none", column) from None

    def _scalar(self, value: Any, column: str) -> Any:
        if isinstance(value, str):
            return sys.intern(value)  # many rows share few values
        if isinstance(value, float) and not math.isfinite(value):
            return None  # an empty cell of a column of numbers, and no JSON
        if value is None or isinstance(value, (bool, int, float)):
            return value
        raise self._wrong(f"`meta` must be flat, and this is {_kind(value)}", column)

    def _tools(self, record: Record) -> tuple[Mapping[str, Any], ...]:
        column = self.roles.tools
        value = value_of(record, column) if column else None
        if value is MISSING or value is None or value == "":
            value = self._tools_told(record)
        tools = listed(value)
        if tools is None or not all(isinstance(tool, dict) for tool in tools):
            raise self._wrong("`tools` must be a list of objects", column)
        return tuple(map(tool_of, tools))

    def _tools_told(self, record: Record) -> list[Mapping[str, Any]]:
        """The tools that a system turn lists, as in Hermes's rows."""
        value = value_of(record, self.roles.messages) if self.roles.messages else None
        first = next(iter((turns_in(value) if value is not MISSING else None) or ()), None)
        return (
            tools_told(first.get("content", first.get("value"))) if isinstance(first, dict) else []
        )


def _is_nested(value: Any) -> bool:
    return isinstance(value, (list, dict))


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bytes):
        return "bytes that are no text in UTF-8"
    return f"a value of the type {type(value).__name__}"
