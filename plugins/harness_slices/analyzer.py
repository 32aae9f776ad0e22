"""The analyzer ``slices``: groups of rows on which the model scores lower than elsewhere."""

from __future__ import annotations

import harness
from harness import Context, Evidence, Findings
from harness_slices.options import SlicesOptions


class Slices(harness.Analyzer):
    """Compares every slice with the rest on the primary score, and says which are weak.

    A slice is a condition on the prompt (``intent = RateBook``), on what training knew of it
    (``train_distance > 0.8``) or on the reply (``finish_reason = length``), or two of the first
    kinds together. All are tested on all rows by one rule (weighted max-T, see
    :mod:`harness_slices.finder`): where nothing is weak, anything is found in a share ``alpha``
    of dev sets at most. A fifth of that goes to replies, which are tested apart, so that the
    obvious (cut replies score badly) lends no credit to the rest.
    """

    name = "slices"
    revision = 5
    synonyms = {"q": "alpha"}

    class Options(SlicesOptions): ...

    def analyze(self, evidence: Evidence, context: Context) -> Findings:
        """See :meth:`harness.Analyzer.analyze`: weak slices, the strongest evidence first."""
        from harness_slices.analysis import Analysis

        return Analysis(self.options).findings(evidence)
