"""The records that flow through the loop: plain, frozen, slotted, and free of behaviour.

Records go in and out of every stage. They hold only JSON-like values, so that
:func:`to_json` and :func:`from_json` carry them over files and process boundaries.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

SPLITS = ("train", "valid", "pool", "dev", "test")
Split = Literal["train", "valid", "pool", "dev", "test"]
Label = Literal["baseline", "improved", "no evidence", "regressed", "control"]
"""``control`` stands where a label would: a control arm's rounds are not judged."""
GuardState = Literal["broken", "held", "cannot be judged"]
Level = Literal["config", "environment", "unknown", "note"]
BASE_ARM = "main"
CONTROL_ARM = "random"

Message = Mapping[str, Any]
"""A chat message as chat templates take it: ``role``, ``content``, perhaps ``tool_calls``."""


@dataclass(frozen=True, slots=True)
class Example:
    """One row of data.

    Attributes:
        id: unique in the data set.
        messages: the conversation so far; the last turn is the user's.
        references: good answers; the first is what a trainer learns.
        split: where the row belongs.
        group: rows of one group are never torn apart (by splits, intervals or slices).
        meta: what is known of the row, as flat JSON scalars.
        tools: tool schemas as chat templates take them.
        parent: id of the row that this one was made from.
        origin: what made the row (``{"by": "pool", "round": 1, "slice": "kind = x"}``);
            None for rows that a source gave.
        place: where a person finds the row (``file:line``).
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

    @property
    def prompt(self) -> str:
        """The text of the last user turn."""
        content = self.messages[-1].get("content") if self.messages else None
        return content if isinstance(content, str) else "" if content is None else str(content)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows of several splits, as one value.

    Attributes:
        digest: content digest of the rows.
        parent: digest of the data set that this one grew from.
        added: why it grew: origin -> rows.
    """

    examples: tuple[Example, ...]
    digest: str = ""
    parent: str | None = None
    added: Mapping[str, int] = field(default_factory=dict)

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
class Prediction:
    """What a model answered to one example.

    Attributes:
        finish_reason: ``stop`` (the model ended), ``length`` (cut by the token limit),
            ``context`` (not answered: the prompt leaves no room in the model's context).
        prompt_tokens, completion_tokens: counts, None where unknown.
        sample: index among several answers to one example.
        message: the whole assistant message where it is more than text.
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
    """A score of a whole split, with its 95 % interval (None where it cannot be had).

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


@dataclass(frozen=True, slots=True)
class Condition:
    """One test on a feature: ``op`` is one of ``=``, ``<=``, ``>``."""

    feature: str
    op: Literal["=", "<=", ">"]
    value: str | float | bool

    @property
    def words(self) -> str:
        return f"{self.feature} {self.op} {self.value}"


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows that share conditions, compared with all other rows on the primary score.

    Attributes:
        conditions: all must hold.
        n, groups: support on dev.
        score: the slice's mean of the primary score per example.
        gap: rest minus slice, oriented so that positive = the slice is weaker.
        low, high: 95 % interval of the gap.
        q: false discovery rate at which it would be called weak, or None.
        from_prompt: True if every condition is about the prompt, so that rows can be
            addressed by it (only such slices enter a Plan).
        holds: whether the finder stands by its being weak; None leaves it to q.
        half: rows of the slice among those that gap, low and high come from, where these are
            not all of its rows.
        shrunken: gap after what so many slices show by chance is taken off it; 0 where the
            slices differ no more than that. None where the finder does not say.
        weight: share of all rows that are like this; None leaves it to n.
    """

    conditions: tuple[Condition, ...]
    n: int
    groups: int
    score: float | None
    gap: float | None
    low: float | None
    high: float | None
    q: float | None = None
    from_prompt: bool = True
    holds: bool | None = None
    half: int | None = None
    shrunken: float | None = None
    weight: float | None = None

    @property
    def words(self) -> str:
        return " and ".join(condition.words for condition in self.conditions) or "everywhere"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The likeliest cause of one wrong answer.

    Attributes:
        cause: short name, such as ``gap`` or ``conflict``.
        evidence: what speaks for it, in a sentence that quotes nothing of dev.
        remedy: what to do about it.
        rows: ids of training rows that it speaks of, the most important first.
    """

    example_id: str
    cause: str
    evidence: str
    remedy: str
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What the analyzers found: aggregates only, never a prompt or an answer of dev."""

    slices: tuple[Slice, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    notes: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlanItem:
    """So many rows for one slice; ``slice`` None is exploration (rows from everywhere)."""

    slice: Slice | None
    rows: int
    remedy: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The planner's answer to the findings, under a budget of rows."""

    strategy: str
    items: tuple[PlanItem, ...] = ()

    @property
    def rows(self) -> int:
        return sum(item.rows for item in self.items)


@dataclass(frozen=True, slots=True)
class Growth:
    """What augmentation did to the training data after a round."""

    added: int
    by: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One checkpoint against another, on one score.

    Attributes:
        against: name of the checkpoint compared with (``round 0``).
        difference: oriented so that positive is better; None where it cannot be had.
        low, high: the one-sided bounds at ``level`` each.
        level: confidence of each one-sided bound (1 - .05/R).
        detectable: smallest true difference found with 80 % power at this level.
        sentence: the verdict in words.
    """

    label: Label
    against: str
    difference: float | None
    low: float | None
    high: float | None
    level: float
    detectable: float | None
    sentence: str
    n: int = 0
    groups: int = 0


@dataclass(frozen=True, slots=True)
class GuardResult:
    """Whether a round left alone what it must not make worse.

    Attributes:
        verdict: against the kept round.
        state: empty in journals of older versions; see :attr:`outcome`.
        start: against round 0; None where the kept round is round 0.
        largest_loss: the greatest of the losses, against either, that are not excluded at 95 %
            confidence; None where none is known.
        sentence: the state in words.
        required, max_loss: of the config.
        refuses: whether the round is not kept because of this guard.
    """

    name: str
    verdict: Verdict
    state: GuardState | None = None
    start: Verdict | None = None
    largest_loss: float | None = None
    sentence: str = ""
    required: bool = False
    max_loss: float | None = None
    refuses: bool = False

    @property
    def outcome(self) -> GuardState:
        """The state, derived from the verdict where an older version stored none."""
        if self.state is not None:
            return self.state
        if self.verdict.label == "regressed":
            return "broken"
        return "cannot be judged" if self.verdict.low is None else "held"


@dataclass(frozen=True, slots=True)
class RoundResult:
    """All that is reported of one round of one arm."""

    arm: str
    round: int
    train_rows: int
    scores: Mapping[str, Score]
    verdict: Verdict
    kept: bool
    errors: Mapping[str, int] = field(default_factory=dict)
    plan: Plan | None = None
    growth: Growth | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    guards: tuple[GuardResult, ...] = ()


Record = TypeVar("Record")


def to_json(record: Any) -> Any:
    """A record (or a container of them) as plain JSON values."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {f.name: to_json(getattr(record, f.name)) for f in dataclasses.fields(record)}
    if isinstance(record, Mapping):
        return {str(key): to_json(value) for key, value in record.items()}
    if isinstance(record, (list, tuple)):
        return [to_json(item) for item in record]
    return record


def from_json(kind: type[Record], data: Any) -> Record:
    """The record that :func:`to_json` wrote.

    Raises:
        TypeError: a field is missing or unknown.
    """
    return typing.cast(Record, _decode(kind, data))


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _decode(kind: Any, data: Any) -> Any:
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        inner = [arg for arg in typing.get_args(kind) if arg is not type(None)]
        return data if data is None or len(inner) != 1 else _decode(inner[0], data)
    if origin is tuple:
        return tuple(_decode(typing.get_args(kind)[0], item) for item in data)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        value = typing.get_args(kind)[1]
        return {key: _decode(value, item) for key, item in data.items()}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        return kind(**{key: _decode(hints.get(key, Any), value) for key, value in data.items()})
    return data
