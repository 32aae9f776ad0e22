"""Where a stage is called: in which round of which arm, on which split."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records import BASE_ARM

OF_THE_RUN = ("data", "screen", "model", "report")
"""Stages that a run has once, so that no round needs to be named."""


@dataclass(frozen=True, slots=True)
class At:
    """The place of a stage call in a run; by default round 0, dev."""

    round: int = 0
    arm: str = BASE_ARM
    split: str = "dev"

    def on_split(self, stage: str) -> str:
        """The stage's name on the split: dev is what is meant without a word."""
        return stage if self.split == "dev" else f"{stage} {self.split}"

    def label(self, stage: str) -> str:
        """``round 2: train (random)``; the name alone where the run has one such stage."""
        return stage if stage in OF_THE_RUN else self.in_round(stage)

    def in_round(self, stage: str) -> str:
        """``round 0: data``."""
        arm = "" if self.arm == BASE_ARM else f" ({self.arm})"
        return f"round {self.round}: {stage}{arm}"
