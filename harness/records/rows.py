"""Rows, answers, and what was measured of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from harness.records.answers import Answer, Message
from harness.records.plain import IF_SET

SPLITS = ("train", "valid", "pool", "dev", "test")
Split = Literal["train", "valid", "pool", "dev", "test"]
Level = Literal["config", "environment", "unknown", "note"]
BASE_ARM = "main"
CONTROL_ARM = "random"
SYSTEM_ROLES = ("system", "developer")
"""Roles of turns that say how to answer."""


@dataclass(frozen=True, slots=True)
class Example:
    """One row of data.

    Attributes:
        id: unique in the data set.
        messages: the conversation so far; the last turn is the user's, or a tool's result.
        references: good answers; the first is what a trainer learns. One that calls tools is in
            the form of :class:`harness.Answer`.
        split: where the row belongs.
        group: rows of one group are never torn apart (by splits, intervals or slices).
        meta: what is known of the row, as flat JSON scalars.
        tools: tool schemas as chat templates take them.
        parent: id of the row that this one was made from.
        origin: what made the row (``{"by": "pool", "round": 1, "slice": "kind = x"}``);
            None for rows that a source gave.
        place: where a person finds the row (``file:line``).
        thought: what the assistant thinks before it gives the first reference, where the model's
            chat template knows of such; learned with it, and no part of what is scored.
        rejected: answers to which a reference is preferred; where there is no reference, answers
            that are bad. A trainer that learns from preferences learns them, and nobody scores.
    """

    id: str
    messages: tuple[Message, ...]
    references: tuple[str, ...] = ()
    split: Split = "train"
    group: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    tools: tuple[Mapping[str, Any], ...] = ()
    parent: str | None = None
    origin: Mapping[str, Any] | None = None
    place: str = ""
    thought: str = ""
    rejected: tuple[str, ...] = field(default=(), metadata=IF_SET)

    @property
    def prompt(self) -> str:
        """The text of the last user turn."""
        asked = (turn for turn in reversed(self.messages) if turn.get("role") == "user")
        turn = next(asked, self.messages[-1] if self.messages else {})
        content = turn.get("content")
        return content if isinstance(content, str) else "" if content is None else str(content)

    @property
    def system_turns(self) -> tuple[Message, ...]:
        """The turns before the conversation, which say how to answer."""
        return tuple(
            itertools.takewhile(lambda turn: turn.get("role") in SYSTEM_ROLES, self.messages)
        )

    def answer(self, text: str) -> Answer:
        """An answer to this row, with the calls that it makes.

        Only a row with ``tools`` is answered by calls: for another one they are a text.
        """
        return Answer.read(text) if self.tools else Answer(text)

    def as_asked(self) -> Example:
        """The row as a generator is given it: without answers, meta, group and place."""
        return replace(self, references=(), meta={}, group="", place="", thought="", rejected=())


def system_turns_of(rows: Iterable[Example]) -> list[tuple[Message, ...]]:
    """The different system turns with which rows begin, ``()`` for none, in the order met."""
    return list({repr(turns): turns for turns in (row.system_turns for row in rows)}.values())


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows of several splits, as one value.

    Attributes:
        digest: content digest of the rows.
    """

    examples: tuple[Example, ...]
    digest: str = ""

    def split(self, name: str) -> tuple[Example, ...]:
        """The rows of one split, in order."""
        return tuple(example for example in self.examples if example.split == name)

    @property
    def counts(self) -> dict[str, int]:
        """Split -> number of rows, in the usual order."""
        return {name: len(rows) for name in SPLITS if (rows := self.split(name))}


@dataclass(frozen=True, slots=True)
class Problem:
    """What a plugin's own check has to say of its entry in the config.

    Attributes:
        message: one line: what, why, and what to do.
        place: where in the entry's options (``("args", "report_to")``); empty is the entry.
        level: ``config``: the entry cannot be used (exit 2); ``environment``: this machine lacks
            something (exit 3); ``unknown``: it cannot be said here whether it will work;
            ``note``: it works, and something about it is worth knowing.
    """

    message: str
    place: tuple[str | int, ...] = ()
    level: Level = "config"


@dataclass(frozen=True, slots=True)
class Requests:
    """What a plugin will ask of a server with a model, as far as that is known before.

    Attributes:
        count: without further tries.
        prompt, answer: tokens of all of them, at most; None: not known.
        money: at most; None: no price is known.
        sure: whether these are upper bounds; else they follow from rows that are like those to
            come.
    """

    model: str
    count: int
    prompt: int | None
    answer: int | None
    money: float | None = None
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model that can be generated from, or a step towards one.

    Attributes:
        kind: ``base`` (whole weights in ``path``), ``adapter`` (PEFT weights in ``path`` upon
            ``base_path``), ``weights``, ``prompt`` or ``remote``.
        path: the folder with the files.
        digest: content digest of the files in ``path`` (and of the base, for an adapter).
        name: what people call it.
        base_path: for an adapter, the folder of the weights that it belongs to.
        template: hash of the rendered chat template that it was trained with, or None.
        info: facts worth keeping (trained rows, parameters, …), JSON scalars.
    """

    kind: str
    path: str
    digest: str
    name: str = ""
    base_path: str | None = None
    template: str | None = None
    info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A row as a trainer gives it to the model, token by token, before anything is cut off.

    Attributes:
        tokens: the text that each token stands for, special tokens too; joined, they are the
            rendered chat up to the last token that is learned. A character of several tokens is
            the text of the last of them, and the others are empty.
        trained: for each token, whether the loss sees it (or would, if it were not cut off).
        cut: how many of the last tokens the length limit cuts off.
        context: most tokens of prompt and answer that the model takes; None where nobody says.
        problem: why the trainer refuses the row, as one line; empty where it takes it. Where
            nothing can be rendered, there are no tokens.
        left_out: what the model's chat template silently drops of the row (calls of tools), in
            words; empty where it drops nothing.
    """

    id: str
    tokens: tuple[str, ...]
    trained: tuple[bool, ...]
    cut: int = 0
    context: int | None = None
    problem: str = ""
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How a trainer or generator goes through rows, as its progress counts it.

    Attributes:
        steps: in all; at most so many where it may stop earlier.
        passes: how often it goes through the rows; not always whole.
    """

    steps: int
    passes: float = 1.0


@dataclass(frozen=True, slots=True)
class Choice:
    """How a run chooses one of the checkpoints that a training leaves.

    Attributes:
        checks: checkpoints that are left; at most so many where the training may stop earlier.
        rows: of valid that each of them answers; at most so many.
    """

    checks: int
    rows: int


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model answered to one example.

    Attributes:
        finish_reason: ``stop`` (the model ended), ``length`` (cut by the token limit),
            ``context`` (not answered: the prompt leaves no room in the model's context).
        prompt_tokens, completion_tokens: counts, None where unknown.
        sample: index among several answers to one example.
        message: the whole assistant's turn where it is more than text. An answer that calls tools
            has its calls here (``tool_calls``), as the generator read them in the form of its
            model; ``text`` is then in the form of :class:`harness.Answer`.
    """

    example_id: str
    text: str
    finish_reason: str = "stop"
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    sample: int = 0
    message: Message | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one metric entry says of one example.

    Attributes:
        entry: the metric entry's name in this run.
        statistics: sufficient statistics that add up over examples; None = not scored.
        values: score name -> the example's own value; empty where not scored.
        error: why it was not scored.
    """

    example_id: str
    entry: str
    statistics: tuple[float, ...] | None
    values: Mapping[str, float] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """A score of a whole split, with its 95 % interval (None where it cannot be computed).

    Attributes:
        se: standard error over groups, before the interval is cut to the metric's bounds.
        caveat: what stands beside the score wherever it is shown (*uncalibrated*), or empty.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    unscored: int
    signature: str
    higher_is_better: bool = True
    se: float | None = None
    caveat: str = ""


@dataclass(frozen=True, slots=True)
class ScoredExample:
    """An example, its prediction, and score name -> value (None = not scored)."""

    example: Example
    prediction: Prediction
    values: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class ErrorLabel:
    """One kind of error in one answer.

    Attributes:
        category: short name, such as ``cut off``.
        evidence: the piece of the answer (or a count) that shows it.
        found_by: the detector.
        cause: why it probably happens, where that is known.
    """

    example_id: str
    category: str
    evidence: str = ""
    found_by: str = ""
    cause: str = ""
