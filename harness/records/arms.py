"""What is tried beside the rounds: arms, their trainings, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import MaxLen

from harness.records.rounds import Verdict
from harness.records.rows import Score
from harness.records.searching import Search

LONGEST_NAME = 80
"""Characters of a name in the documents of a run."""
Name = Annotated[str, MaxLen(LONGEST_NAME)]

ArmKind = Literal["settings", "model", "data", "seed", "loop"]
"""``seed`` is the reference's own training, and ``loop`` the whole loop, with other seeds."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A training that differs from that of the reference round in one thing.

    Attributes:
        changed: dotted key of the config -> the value that it has here.
        share: of the reference's training rows.
        seeds: how often it is trained, each time with another seed; the first one is the run's.
        settings: digest of all settings that decide what it gives, however ``changed`` puts them.
    """

    name: str
    kind: ArmKind
    changed: Mapping[str, Any] = field(default_factory=dict)
    share: float = 1.0
    seeds: int = 1
    settings: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """One training of an arm, and its answers to dev.

    Attributes:
        seed: which of its seeds, from 0.
        rows: that it learned.
        seconds: of training and of answering dev.
        tokens: that the training read, with prompts; None where the trainer does not say.
        memory: most bytes that were in use; None where it is not known.
        parameters: of the model; None where it is not known.
        keys: what the answers rest on, as in :class:`harness.RoundResult`.
        failed: why there is no score; empty where there is one.
    """

    arm: str
    seed: int
    rows: int
    scores: Mapping[str, Score] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    tokens: int | None = None
    memory: int | None = None
    parameters: int | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    failed: str = ""


@dataclass(frozen=True, slots=True)
class ArmResult:
    """An arm with what it gave.

    Attributes:
        tried: its trainings, by seed.
        verdict: against the reference; None where none is given: the shares of a curve and the
            repetitions of the reference are no claims, and what failed has no answers.
        worth: whether a gain of ``worth:`` is shown (``yes``), excluded (``no``) or neither
            (``open``); None where the config names no such gain.
    """

    arm: Arm
    tried: tuple[Tried, ...]
    verdict: Verdict | None = None
    worth: Literal["yes", "no", "open"] | None = None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A share of the training rows.

    Attributes:
        share: of the reference's training rows.
        rows: how many these are.
        values: the primary score with each seed.
    """

    share: float
    rows: int
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """What more rows are worth.

    Attributes:
        points: from the smallest share to all rows.
        per_doubling: gain in the primary score, positive = better, for twice the rows.
        low, high: of that, a two-sided interval at 95 %; None where it cannot be given.
        last_doubling: the same from the last point but one to the last, if that is a doubling.
        sentence: all of it in words.
    """

    points: tuple[CurvePoint, ...]
    per_doubling: float | None
    low: float | None
    high: float | None
    last_doubling: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class ModelPair:
    """Two trained models on the same rows.

    Attributes:
        first, second: the base models.
        difference: of the primary score, positive: the first is better.
        low, high: simultaneous bounds of it.
        p: adjusted by Holm.
        label: of the first.
    """

    first: Name
    second: Name
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    label: Literal["better", "worse", "tied"]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Base models after the same training.

    Attributes:
        places: model -> how many models are shown to be better, plus one.
        pairs: each two of them, by Holm's method.
        sentence: all of it in words.
    """

    places: Mapping[Name, int]
    pairs: tuple[ModelPair, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Method:
    """What a training gives over seeds: the method, not one model.

    Attributes:
        name: of the round that is repeated.
        values: the primary score with each seed.
        verdict: against the base model, for other seeds and other rows.
    """

    name: str
    values: tuple[float | None, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Levers:
    """All that was tried beside the rounds.

    Attributes:
        reference: the round that arms differ from in one thing.
        own: what the training of that round was and cost.
    """

    reference: int
    own: Tried
    arms: tuple[ArmResult, ...] = ()
    curve: Curve | None = None
    ranking: Ranking | None = None
    method: Method | None = None
    search: Search | None = None
