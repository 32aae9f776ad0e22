"""The stage that finds where a model is weak: analyzer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.boundary.results import refused, returned
from harness.records import (
    ErrorLabel,
    Example,
    Findings,
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
