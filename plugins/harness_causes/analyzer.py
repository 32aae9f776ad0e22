"""The analyzer ``causes``: for each wrong answer the likeliest cause, and its remedy."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

import harness
from harness import Context, Evidence, Findings
from harness_causes import catalogue


class Causes(harness.Analyzer):
    """Diagnoses each failing answer with a fixed sequence of inexpensive checks.

    The signals: how the answer ended, whether the base model was right, what other
    scores say, and what the nearest training rows teach. Nothing is trained, and thresholds
    on nearness come from the training rows themselves. ``docs/causes.md`` has the rules.
    """

    name = "causes"
    revision = 4

    class Options(harness.Options):
        near: int = Field(5, ge=2, le=50, description="nearest training rows that are asked")
        far: float = Field(
            0.1, gt=0, lt=0.5,
            description="chance at which prompts that train covers are taken for far from it",
        )  # fmt: skip
        agree: float = Field(
            0.5,
            gt=0,
            le=1,
            description="overlap of words (F1, rare ones weigh more) from which two answers agree",
        )
        voice: float = Field(
            0.5, gt=0, le=1, description="share of the nearest rows that outvotes the reference"
        )
        twin: float = Field(
            0.8, gt=0, le=1, description="similarity from which two prompts are near copies"
        )

    options: Options

    def causes(self) -> Mapping[str, tuple[str, str, bool]]:
        """Cause -> its one-line definition, its remedy, whether new data can cure it."""
        return catalogue.CAUSES

    def analyze(self, evidence: Evidence, context: Context) -> Findings:
        """One diagnosis per wrong answer, in the order of the examples; of at most 20,000."""
        from harness_causes.analysis import Analysis

        return Analysis(self.options).findings(evidence, context)
