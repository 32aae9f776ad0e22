"""The stage calls of a run, each one cached: functions from records to records.

The loop (``loop.py``) says *when*; these modules say *how* a stage is called, what its result
depends on, and where it is kept. Each function gets the :class:`Steps` of a run, or of a branch of
it: what all calls share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.config.loading import Config
from harness.errors import HarnessError
from harness.kit.numbers import counted
from harness.kit.text import one_line
from harness.records import BASE_ARM, Checkpoint, Dataset, Example
from harness.records.context import derive_seed
from harness.run import dev_ledger
from harness.run.arm_run import AheadRun, ArmRun
from harness.run.at import At
from harness.run.pins import DATA
from harness.run.row_keys import RowKeys, overlapping, row_keys
from harness.run.run import Run
from harness.run.trust import refuse_beside
from harness.scoring import MetricEntry
from harness.steps import compare, data
from harness.steps.gate import Gating
from harness.steps.probes import GeneralRows, GeneralTexts

if TYPE_CHECKING:
    from harness.config.plugin_entries import PluginEntry
    from harness.steps.answer import Evaluation


class Steps:
    """What the stage calls of one run share: rows, base model, gate, seeds, notes, pins.

    Attributes:
        made_with: digest of answers or measurements -> what they were made with, where that was
            kept.
        signatures: digest of measurements -> the metric's signature when they were made.
        doubt: what stands beside every score of the run; known once its data is.
        gating: the gate; its ``screening`` is what was found in the rows of the source.
        lacking: what is raised for a baseline that the run does without, as it is only looked at.
    """

    lacking: tuple[type[HarnessError], ...] = ()

    def __init__(self, run: Run, beside: Steps | None = None) -> None:
        """Nothing is called yet.

        Args:
            beside: steps of the run of which this one is a branch: it has the same rows and gate.
        """
        self.run, self.config = run, run.config
        self.made_with: dict[str, Any] = {}
        self.signatures: dict[str, str | None] = {}
        self.doubt: str = "" if beside is None else beside.doubt
        self.gating: Gating = Gating(self) if beside is None else beside.gating
        self.general_rows = GeneralRows(self)
        # Nobody is told of general text in a branch; its guards may need it.
        wanted = beside is None or run.config.guards_forgetting
        self.general_texts = GeneralTexts(self, wanted=wanted)
        self._beside = beside
        self._data: Dataset | None = None
        self._base: Checkpoint | None = None
        self._dev_keys: RowKeys | None = None
        if beside is not None and (made := beside.run.made.get((BASE_ARM, 0, DATA))):
            run.made[BASE_ARM, 0, DATA] = made

    def within(self, config: Config) -> Steps:
        """The steps of a branch: a training, or a loop, beside the rounds, on the same rows.

        Raises:
            Untrusted: it would run code for which the run's config does not ask.
        """
        refuse_beside(self.run, config)
        return Steps(ArmRun(self.run, config), beside=self)

    def ahead(self) -> Steps:
        """Steps that make what these are about to ask for (:meth:`Workers.ahead`)."""
        return Steps(AheadRun(self.run), beside=self)

    def data(self) -> Dataset:
        """The examples: dev with accepted corrections, repeats of held-out rows taken out, and
        ``valid`` cut from train. Read once.

        Raises:
            DataError: a split that is needed has no row, or a correction does not fit its row.
        """
        if self._beside is not None:
            return self._beside.data()
        if self._data is None:
            self._data = data.read_data(self)
        return self._data

    def base(self) -> Checkpoint:
        """The base model, as training loads it.

        Asked of its plugin once at each start, which checks its files.
        """
        if self._base is None:
            self._base = data.fetch_base(self)
        return self._base

    def same_machine(self, old: Evaluation, round_: int) -> None:
        """Refuse to compare answers that other libraries or another machine gave."""
        compare.same_machine(self, old, round_)

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
        same = overlapping(keys, [opening.rows for opening in openings])
        others = [
            opening.who for opening, is_same in zip(openings, same, strict=True)
            if is_same and not f"{opening.who} ".startswith(f"{self.run.name} ")
        ]  # fmt: skip
        if others:
            self.note(
                "These rows of dev, or a tenth of them, were opened as a test set "
                f"{counted(len(others), 'time')} in this folder, last by {one_line(others[-1])}. "
                "Each run that chooses by them counts as one more opening of that test set."
            )

    def _keys_of(self, dev: Sequence[Example]) -> RowKeys:
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
