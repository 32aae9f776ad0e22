"""What all stage calls of a run share: its config, its seeds, its notes, its labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.context import derive_seed
from harness.engine.run import Run
from harness.errors import Cancelled, EnvironmentFailure, Waiting
from harness.kit.text import one_line
from harness.records import BASE_ARM

if TYPE_CHECKING:
    from harness.scoring import Entry as MetricEntry

SEEDLESS = 0
STOP = (Cancelled, Waiting, EnvironmentFailure)
"""What is not one plugin's failure: the run has to stop."""


class Calls:
    """Calls stages for one run."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.config = run.config
        self.made_with: dict[str, Any] = {}
        """Digest of answers or measurements -> what they were made with, where that was kept."""
        self.signatures: dict[str, str | None] = {}
        """Digest of measurements -> the metric's signature when they were made."""
        self.doubt = ""
        """What stands beside every score of the run; known once its data is."""

    def seed(self, stage: str, round_: int) -> int:
        return derive_seed(self.config.settings.seed, stage, round_)

    def metric_entries(self) -> list[MetricEntry]:
        """The run's metrics, as the scoring takes them."""
        from harness.scoring import Entry as MetricEntry

        metrics = self.config.metrics
        return [MetricEntry(entry.name, entry.instance, self.doubt) for entry in metrics]

    def primary_entry(self) -> MetricEntry:
        """The metric entry that gives the primary score."""
        name = self.config.settings.primary
        return next(entry for entry in self.metric_entries() if name in entry.score_names)

    def pins(self, round_: int, arm: str) -> Mapping[str, str]:
        """What a closed round rests on: name (``pins.py``) -> digest; nothing for an open one."""
        closed = self.run.journal.closed(arm, round_)
        return closed.keys if closed is not None else {}

    def same(
        self, name: str, digest: str, pinned: Mapping[str, str], round_: int, arm: str
    ) -> None:
        """Check against its pin what is made at each start, or follows from other pins.

        Raises:
            HarnessError: it is another one by now.
        """
        if pinned.get(name, digest) != digest:
            raise self.run.mismatch(name, round_, arm)

    def note(self, sentence: str) -> None:
        """Something the report and the person at the terminal should know, once."""
        if sentence not in self.run.notes:
            self.run.notes.append(sentence)
            self.run.watcher.say(f"note: {sentence}")

    def remarks(self, facts: Mapping[str, Any]) -> None:
        """Notes what a trainer or generator remarked (:meth:`harness.Context.remark`)."""
        for sentence in facts.get("remarks", ()):
            self.note(one_line(sentence))


def on(split: str, stage: str) -> str:
    """The stage's name on that split: dev is what is meant without a word."""
    return stage if split == "dev" else f"{stage} {split}"


def label(stage: str, round_: int, arm: str) -> str:
    """``round 2: train (random)``."""
    return f"round {round_}: {stage}" + ("" if arm == BASE_ARM else f" ({arm})")
