"""The options of the analyzer ``slices``."""

from __future__ import annotations

from pydantic import Field

import harness


class SlicesOptions(harness.Options):
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
