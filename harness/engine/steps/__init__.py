"""The stage calls of a run, each one cached: from records to records.

The loop (``loop.py``) says *when*; these modules say *how* a stage is called, what its result
depends on, and where it is kept.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.config.loading import Config
from harness.data.screening import Screening
from harness.engine.arm_run import ArmRun
from harness.engine.at import At
from harness.engine.pins import DATA
from harness.engine.run import Run
from harness.engine.steps.analyzing import Analyzing
from harness.engine.steps.asking import Asked, Asking
from harness.engine.steps.augmenting import AugmentedRows, Augmenting
from harness.engine.steps.base import StageCaller
from harness.engine.steps.comparing import Comparing
from harness.engine.steps.detecting import UNEXPLAINED, Detecting
from harness.engine.steps.evaluating import Evaluating, Evaluation
from harness.engine.steps.gating import Gating
from harness.engine.steps.generating import Generating
from harness.engine.steps.measuring import Measuring
from harness.engine.steps.preparing import Preparing
from harness.engine.steps.probing import Beside, Probing
from harness.engine.steps.replaying import Replaying
from harness.engine.steps.training import Training
from harness.engine.trust import refuse_beside
from harness.errors import HarnessError
from harness.records import BASE_ARM, Checkpoint, Dataset


class Steps:
    """All stage calls of one run. Each is a method of one of the parts, and is named here.

    Attributes:
        lacking: what is raised for a baseline that the run does without, as it is only looked at.
    """

    lacking: tuple[type[HarnessError], ...] = ()

    def __init__(self, run: Run, beside: Steps | None = None) -> None:
        """Prepare the calls; nothing is called yet.

        Args:
            beside: steps of the run whose rows, and whose gate, this one has.
        """
        self.run = run
        self.config = run.config
        self.caller = caller = StageCaller(run)
        self.gating: Gating = Gating(caller) if beside is None else beside.gating
        self.preparing = Preparing(caller, self.gating)
        if beside is not None:
            caller.doubt = beside.doubt
            place = (BASE_ARM, 0, DATA)
            run.made |= {place: made} if (made := beside.run.made.get(place)) else {}
        generating, measuring, detecting = Generating(caller), Measuring(caller), Detecting(caller)
        self.data: Callable[[], Dataset] = self.preparing.data if beside is None else beside.data
        self.replayed = Replaying(caller, self.gating, self.data).replayed
        training = Training(caller, self.replayed)
        asking = Asking(caller, generating, measuring, detecting)
        self.comparing = Comparing(caller, measuring)

        self.train = training.train
        self.training_log = training.training_log
        self.generate = generating.generate
        self.score = measuring.score
        self.scores = measuring.scores
        self.right = detecting.right
        self.malformed = detecting.malformed
        self.evaluate = Evaluating(caller, generating, measuring, detecting).evaluate
        self.prompts, self.answers, self.answered = asking.prompts, asking.answers, asking.answered
        self.asked_on_test = asking.on_test
        # Nobody is told of general text in a loop beside the rounds; its guards may need it.
        told = beside is None or run.config.guards_forgetting
        self.on_general_text = Probing(caller, asked=told).beside
        self.compared = self.comparing.compared
        self.alike = self.comparing.alike
        self.analyze = Analyzing(caller, detecting).analyze
        self.augment = Augmenting(caller, self.gating).augment

        self.seed, self.note = caller.seed, caller.note
        self.choosing_by, self.note_opened = caller.choosing_by, caller.note_opened
        self.pins, self.check_pin = caller.pins, caller.check_pin
        self.metric_entries, self.primary_entry = caller.metric_entries, caller.primary_entry

    @property
    def screening(self) -> Screening | None:
        """What was found in the rows of the source; None until they were screened."""
        return self.gating.screening

    @property
    def doubt(self) -> str:
        """What stands beside every score of the run; known once its data is."""
        return self.caller.doubt

    def base(self) -> Checkpoint:
        """The base model, as training loads it."""
        return self.preparing.base()

    def within(self, config: Config) -> Steps:
        """The steps of a training, or of a loop, beside the rounds: on the same rows.

        Raises:
            Untrusted: it would run code for which the run's config does not ask.
        """
        refuse_beside(self.run, config)
        return Steps(ArmRun(self.run, config), beside=self)

    def same_machine(self, old: Evaluation, round_: int) -> None:
        """Refuse to compare answers that other libraries or another machine gave."""
        self.comparing.same_machine(old, round_)


__all__ = ["UNEXPLAINED", "Asked", "At", "AugmentedRows", "Beside", "Evaluation", "Steps"]
