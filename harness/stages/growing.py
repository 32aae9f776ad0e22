"""Stages that find underperforming slices and propose rows: analyzer, augmenter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from harness.boundary.results import refused, returned, short
from harness.records import (
    Dataset,
    ErrorLabel,
    Example,
    Findings,
    PlanItem,
    ScoredExample,
)
from harness.records.context import Context
from harness.stages.base import Plugin

MOST_FINDINGS = 20_000
"""Slices and diagnoses of an analyzer, beyond which it is taken for one that does not end."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an analyzer sees of a round.

    Attributes:
        scored: every dev example with its values.
        score: name of the primary score (a key of ``ScoredExample.values``).
        higher_is_better: its direction.
        labels: what the detectors found.
        right: example id -> whether the answer counts as right; None = cannot be said.
        base: the base model's answers to the same examples (empty in round 0).
        base_right: the same as ``right``, of the base model.
        train: the rows that the model of this round has learned (empty in round 0).
        seed: the run's, equal in all of its rounds.
    """

    scored: tuple[ScoredExample, ...]
    score: str
    higher_is_better: bool
    labels: tuple[ErrorLabel, ...] = ()
    right: Mapping[str, bool | None] = field(default_factory=dict)
    base: tuple[ScoredExample, ...] = ()
    base_right: Mapping[str, bool | None] = field(default_factory=dict)
    train: tuple[Example, ...] = ()
    seed: int = 0


class Analyzer(Plugin):
    """Finds where the model is weak. Returns aggregates only, never texts of dev."""

    stage = "analyzer"

    def causes(self) -> Mapping[str, tuple[str, str, bool]]:
        """Cause -> definition, remedy, and whether new data can cure it: its diagnoses' causes."""
        return {}

    def analyze(self, evidence: Evidence, context: Context) -> Findings:
        """Slices, diagnoses and notes of a round's answers to dev."""
        raise NotImplementedError


def analyzed(analyzer: Analyzer, evidence: Evidence, context: Context) -> Findings:
    """What an analyzer finds."""
    causes_of(analyzer)
    findings = returned(Analyzer.analyze, analyzer.analyze(evidence, context))
    for name in ("slices", "diagnoses", "notes"):
        if (count := len(getattr(findings, name))) > MOST_FINDINGS:
            raise refused(f"analyze() gives {count:,} {name}, over {MOST_FINDINGS:,}")
    return findings


def causes_of(analyzer: Analyzer) -> Mapping[str, tuple[str, str, bool]]:
    """Cause -> definition, remedy, whether data can cure it."""
    causes = returned(Analyzer.causes, analyzer.causes())
    return {name: (defined, remedy, by) for name, (defined, remedy, by) in causes.items()}


class Augmenter(Plugin):
    """Proposes training rows for one item of the plan.

    Attributes:
        remedy: what the report calls it.
        draws_from: splits without a row of which it can propose nothing.
        moves: whether each row of these is proposed once at most, so that they run out.
        writes: whether it makes rows of its own and, asked for the control arm (``context.arm``),
            proposes real ones drawn at random instead.
    """

    stage = "augmenter"
    remedy: ClassVar[str] = "add rows"
    draws_from: ClassVar[Sequence[str]] = ()
    moves: ClassVar[bool] = False
    writes: ClassVar[bool] = False

    def propose(self, item: PlanItem, data: Dataset, context: Context) -> Iterator[Example]:
        """Rows for ``item`` (its slice, or anything where ``item.slice`` is None), lazily.

        The core takes rows until the item's budget of *accepted* rows is met; so yield the
        best first, and more than the budget. ``data`` holds only train and pool. A row that
        is moved from the pool keeps its id; a new one gets an id of its own and ``parent``.
        The core sets ``split``, and in ``origin`` who made the row (``by``, ``round``, ``slice``);
        what else the augmenter says there of how it made it, in JSON values, stays; where it says
        ``replaces`` with the id of a row of train, that one leaves train. Rows that it
        made and does not propose are counted by :meth:`harness.Context.refuse`.
        """
        raise NotImplementedError


def proposed(
    augmenter: Augmenter, item: PlanItem, data: Dataset, context: Context
) -> Iterator[Example]:
    """The rows that an augmenter proposes, each with a turn."""
    rows = returned(Augmenter.propose, augmenter.propose(item, data, context))
    for place, row in enumerate(rows, start=1):
        if not row.messages:
            what = f"propose(): item {place} ('{short(row.id)}')"
            raise refused(f"{what} has no turn in its messages")
        yield row
