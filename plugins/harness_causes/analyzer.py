"""The analyzer ``causes``: for each wrong answer the likeliest cause, and its remedy."""

from __future__ import annotations

from collections.abc import Mapping

import harness
from harness import Context, Evidence, Findings
from harness_causes import catalogue
from harness_causes.options import CausesOptions


class Causes(harness.Analyzer):
    """Diagnoses each failing answer with a fixed sequence of inexpensive checks.

    The signals: how the answer ended, whether the base model was right, what other
    scores say, and what the nearest training rows teach. Nothing is trained, and thresholds
    on nearness come from the training rows themselves. ``docs/causes.md`` has the rules.
    """

    name = "causes"
    revision = 4

    class Options(CausesOptions): ...

    options: Options

    def causes(self) -> Mapping[str, tuple[str, str, bool]]:
        """Cause -> its one-line definition, its remedy, whether new data can cure it."""
        return catalogue.CAUSES

    def analyze(self, evidence: Evidence, context: Context) -> Findings:
        """One diagnosis per wrong answer, in the order of the examples; of at most 20,000."""
        from harness_causes.analysis import Analysis

        return Analysis(self.options).findings(evidence, context)
