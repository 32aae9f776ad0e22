"""What all stage calls of a run share: its config, its seeds, its notes, its pins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.context import derive_seed
from harness.engine import dev_ledger
from harness.engine.at import At
from harness.engine.row_keys import overlap, row_keys
from harness.engine.run import Run
from harness.kit.numbers import counted
from harness.kit.text import one_line

if TYPE_CHECKING:
    from harness.config.plugin_entries import PluginEntry
    from harness.records import Example
    from harness.scoring import MetricEntry

SEEDLESS = 0


class StageCaller:
    """What each part of :class:`harness.engine.steps.Steps` calls its stages with.

    Attributes:
        made_with: digest of answers or measurements -> what they were made with, where that was
            kept.
        signatures: digest of measurements -> the metric's signature when they were made.
        doubt: what stands beside every score of the run; known once its data is.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.config = run.config
        self.made_with: dict[str, Any] = {}
        self.signatures: dict[str, str | None] = {}
        self.doubt = ""
        self._dev_keys: frozenset[str] | None = None

    def seed(self, stage: str, round_: int) -> int:
        return derive_seed(self.config.settings.seed, stage, round_)

    def metric_entry(self, entry: PluginEntry) -> MetricEntry:
        """An entry of the config's metrics, as the scoring takes it."""
        from harness.scoring import MetricEntry

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

    def choosing_by(self, dev: Sequence[Example]) -> None:
        """Count that the run is about to judge a round on these rows.

        A loop beside the rounds judges on the rows on which its run has judged already.

        Raises:
            DataError: the ledger of what was judged on dev cannot be read.
        """
        if self.run.counts:
            dev_ledger.count(self.run.machine, self._keys_of(dev), self.run.name)

    def note_opened(self, dev: Sequence[Example]) -> None:
        """Note that these rows of dev were opened as a test set, by another run.

        Raises:
            DataError: a ledger cannot be read.
        """
        if not self.run.counts:
            return
        keys, openings = self._keys_of(dev), self.run.ledger.openings()
        dev_ledger.check(self.run.machine)
        others = [
            opening.who for opening in openings
            if not f"{opening.who} ".startswith(f"{self.run.name} ")
            and overlap(opening.rows, keys)
        ]  # fmt: skip
        if others:
            self.note(
                "These rows of dev, or a tenth of them, were opened as a test set "
                f"{counted(len(others), 'time')} in this folder, last by {one_line(others[-1])}. "
                "Each run that chooses by them counts as one more opening of that test set."
            )

    def _keys_of(self, dev: Sequence[Example]) -> frozenset[str]:
        if self._dev_keys is None:
            self._dev_keys = row_keys(dev)
        return self._dev_keys

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
