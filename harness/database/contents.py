"""What is written into a run's database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.database.columns import Layout
from harness.records import (
    Diagnosis,
    ErrorLabel,
    Example,
    Measurement,
    Prediction,
    RoundResult,
    Score,
    Slice,
)

ArmRound = tuple[str, int]


@dataclass(frozen=True, slots=True)
class RescoredAnswers:
    """What one more metric, or the same with other options, says of stored answers."""

    scores: Mapping[str, Score]
    measurements: Sequence[Measurement]


@dataclass(frozen=True, slots=True)
class Answers:
    """All about one checkpoint's answers to one split.

    Attributes:
        scores: of the whole split; needed only where ``RoundResult.scores`` are of another.
        rescored: what the run did not decide by.
        right: example id -> whether the answer counts as right by the primary score.
    """

    arm: str
    round: int
    split: str
    predictions: Sequence[Prediction]
    measurements: Sequence[Measurement] = ()
    labels: Sequence[ErrorLabel] = ()
    scores: Mapping[str, Score] = field(default_factory=dict)
    rescored: Sequence[RescoredAnswers] = ()
    right: Mapping[str, bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunContents:
    """All that goes into the file. Whoever fills it decides what may be seen: rows and answers
    of test only after the test set was opened.

    Attributes:
        config: the run's whole configuration, as JSON values.
        facts: further JSON values worth keeping of the run (versions, model, times).
        arms: arm -> what its configuration changes.
        rounds: of all arms; their scores are those of dev.
        examples: rows as the source gave them.
        added: arm -> rows that augmentation added, in order.
        slices: (arm, round) -> slices found.
        diagnoses: (arm, round) -> causes of wrong answers.
        logs: (arm, round) -> the trainer's log lines.
        annotations: further table -> its layout and rows.
    """

    run: str
    primary: str
    kept_round: int
    config: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    arms: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"main": {}})
    rounds: Sequence[RoundResult] = ()
    examples: Sequence[Example] = ()
    answers: Sequence[Answers] = ()
    added: Mapping[str, Sequence[Example]] = field(default_factory=dict)
    slices: Mapping[ArmRound, Sequence[Slice]] = field(default_factory=dict)
    diagnoses: Mapping[ArmRound, Sequence[Diagnosis]] = field(default_factory=dict)
    logs: Mapping[ArmRound, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    annotations: Mapping[str, tuple[Layout, Sequence[Mapping[str, Any]]]] = field(
        default_factory=dict
    )
