"""The analyzer ``slices``: groups of rows on which the model scores lower than elsewhere."""

from __future__ import annotations

from pydantic import Field

import harness
from harness import Context, Evidence, Findings


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

    class Options(harness.Options):
        min_rows: int = Field(5, ge=2, description="least rows inside and outside of a slice")
        min_groups: int = Field(5, ge=2, description="the same for groups")
        include: tuple[str, ...] = Field((), description="use these features only")
        exclude: tuple[str, ...] = Field((), description="features to pass over")
        max_slices: int = Field(20, ge=1, description="maximum number of slices reported")
        bins: int = Field(3, ge=2, le=10, description="numbers are cut at n-quantiles")
        alpha: float = Field(
            0.03, ge=0.01, le=0.5, description="probability of any find where nothing is weak"
        )
        pairs: int = Field(
            100, ge=0, le=2000, description="maximum number of pairs of conditions tried"
        )
        clusters: int = Field(8, ge=0, le=50, description="clusters of prompts; below 2 none")

    def analyze(self, evidence: Evidence, context: Context) -> Findings:
        """See :meth:`harness.Analyzer.analyze`: weak slices, the strongest evidence first."""
        from harness_slices.analysis import Analysis

        return Analysis(self.options).findings(evidence)
