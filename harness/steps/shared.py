"""What the stage calls of a run share, whatever they ask."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from harness.config.plugin_entries import PluginEntry
from harness.errors import HarnessError
from harness.kit.text import one_line
from harness.records import Checkpoint, Dataset
from harness.records.context import derive_seed
from harness.run.at import At
from harness.run.run import Run
from harness.scoring import MetricEntry
from harness.steps.gate import Gating


class Shared(ABC):
    """Rows, base model, gate, seeds, notes and pins of a run, or of a branch of it.

    Attributes:
        made_with: digest of answers or measurements -> what they were made with, where that was
            kept.
        signatures: digest of measurements -> the metric's signature when they were made.
        doubt: what stands beside every score of the run; known once its data is.
        gating: the gate; its ``screening`` is what was found in the rows of the source.
        lacking: what is raised for a baseline that the run does without, as it is only looked at.
    """

    lacking: tuple[type[HarnessError], ...] = ()

    def __init__(self, run: Run, gating: Gating, doubt: str) -> None:
        self.run, self.config = run, run.config
        self.made_with: dict[str, Any] = {}
        self.signatures: dict[str, str | None] = {}
        self.doubt, self.gating = doubt, gating

    @abstractmethod
    def data(self) -> Dataset:
        """The examples: dev with accepted corrections, repeats of held-out rows taken out, and
        ``valid`` cut from train. Read once.

        Raises:
            DataError: a split that is needed has no row, or a correction does not fit its row.
        """

    @abstractmethod
    def base(self) -> Checkpoint:
        """The base model, as training loads it.

        Asked of its plugin once at each start, which checks its files.
        """

    def seed(self, stage: str, round_: int) -> int:
        return derive_seed(self.config.settings.seed, stage, round_)

    def metric_entry(self, entry: PluginEntry) -> MetricEntry:
        """An entry of the config's metrics, as the scoring takes it."""
        return MetricEntry(entry.name, entry.instance, self.doubt)

    def metric_entries(self) -> list[MetricEntry]:
        """The run's metrics, as the scoring takes them."""
        return [self.metric_entry(entry) for entry in self.config.metrics]

    def primary_entry(self) -> MetricEntry:
        """The metric entry that gives the primary score."""
        name = self.config.settings.primary
        return next(entry for entry in self.metric_entries() if name in entry.score_names)

    def pins(self, at: At) -> Mapping[str, str]:
        """What a closed round rests on: name (``pins.py``) -> digest; nothing for an open one."""
        closed = self.run.journal.closed(at.arm, at.round)
        return closed.keys if closed is not None else {}

    def check_pin(self, name: str, digest: str, pinned: Mapping[str, str], at: At) -> None:
        """Check against its pin what is made at each start, or follows from other pins.

        Raises:
            HarnessError: it is another one by now.
        """
        if pinned.get(name, digest) != digest:
            raise self.run.mismatch(name, at)

    def note(self, sentence: str, *, aloud: bool = True) -> None:
        """Something the report and the person at the terminal should know, once.

        Args:
            aloud: whether it is said now; the whole report and the summary have it in any case.
        """
        if sentence not in self.run.notes:
            self.run.notes.append(sentence)
            if aloud:
                self.run.watcher.say(f"note: {sentence}")

    def note_remarks(self, facts: Mapping[str, Any]) -> None:
        """Notes what a trainer or generator remarked (:meth:`harness.Context.remark`)."""
        for sentence in facts.get("remarks", ()):
            self.note(one_line(sentence))
