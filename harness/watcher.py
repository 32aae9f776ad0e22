"""Who is told what a run is doing, and the one that tells nobody. Cheap to import."""

from __future__ import annotations

from typing import Protocol

from harness.context import Report, silent


class Watcher(Protocol):
    """Shows what a run is doing."""

    def stage(self, label: str) -> Report:
        """A stage begins; returns where its steps are reported."""

    def stage_done(self, stage: str, label: str, seconds: float, cached: bool) -> None:
        """The stage that began last has ended."""

    def say(self, sentence: str) -> None:
        """Something that a person should read."""


class Quiet:
    """Shows nothing: for runs that are only looked at, and before a display is there."""

    def stage(self, label: str) -> Report:
        return silent

    def stage_done(self, stage: str, label: str, seconds: float, cached: bool) -> None:
        return None

    def say(self, sentence: str) -> None:
        return None
