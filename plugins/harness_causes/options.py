"""The options of the analyzer ``causes``."""

from __future__ import annotations

from pydantic import Field

import harness


class CausesOptions(harness.Options):
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
