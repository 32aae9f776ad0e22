"""The stage calls of a run, each one cached: functions from records to records.

The loop (``loop.py``) says *when*; these modules say *how* a stage is called, what its result
depends on, and where it is kept. Each function gets the :class:`Steps` of a run, or of a branch of
it, or of these what all calls share (:class:`harness.steps.shared.Shared`).
"""

from __future__ import annotations

from harness.config.loading import Config
from harness.records import BASE_ARM, Checkpoint, Dataset
from harness.run.arm_run import AheadRun, ArmRun
from harness.run.pins import DATA
from harness.run.run import Run
from harness.run.trust import refuse_beside
from harness.steps import compare, data
from harness.steps.answer import Evaluation
from harness.steps.gate import Gating
from harness.steps.probes import GeneralRows, GeneralTexts
from harness.steps.shared import Shared


class Steps(Shared):
    """What the stage calls of one run share, with the rows, the base model and the probes."""

    def __init__(self, run: Run, beside: Steps | None = None) -> None:
        """Nothing is called yet.

        Args:
            beside: steps of the run of which this one is a branch: it has the same rows and gate.
        """
        if beside is None:
            super().__init__(run, Gating(run), "")
        else:
            super().__init__(run, beside.gating, beside.doubt)
        self.general_rows = GeneralRows(self)
        # Nobody is told of general text in a branch; its guards may need it.
        wanted = beside is None or run.config.guards_forgetting
        self.general_texts = GeneralTexts(self, wanted=wanted)
        self._beside = beside
        self._data: Dataset | None = None
        self._base: Checkpoint | None = None
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
        if self._beside is not None:
            return self._beside.data()
        if self._data is None:
            self._data = data.read_data(self)
        return self._data

    def base(self) -> Checkpoint:
        if self._base is None:
            self._base = data.fetch_base(self)
        return self._base

    def same_machine(self, old: Evaluation, round_: int) -> None:
        """Refuse to compare answers that other libraries or another machine gave."""
        compare.same_machine(self, old, round_)
