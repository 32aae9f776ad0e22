"""The models of a run's rounds, answering any prompts as they answered dev."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.boundary.calls import aloud, plainly
from harness.boundary.lending import Lent
from harness.errors import DataError, EnvironmentFailure
from harness.loop import BASELINE
from harness.opened.replay import StoredRun, StoredSteps
from harness.records import Checkpoint, Example, Prediction
from harness.records.context import Context, Report, derive_seed, silent
from harness.run.pins import GENERATE, MODEL
from harness.stages.generator import answered
from harness.stages.model import fetched
from harness.steps.data import as_trained


class RoundModels:
    """The base model of a run and models of its rounds. They answer in this process.

    Nothing of it is stored, and the run may be in progress elsewhere.

    Attributes:
        base: the base model, where it lies today.

    Args:
        trained: round -> what its training left.

    Raises:
        EnvironmentFailure: the base model is not where the run's config says.
        DataError: it is another one by now.
    """

    def __init__(
        self, run: StoredRun, trained: Mapping[int, Checkpoint], report: Report = silent
    ) -> None:
        self._run = run
        self.base = _base(run, report)
        self._models = {BASELINE: self.base}
        for number, model in trained.items():
            placed = self.base.path if model.base_path is not None else None
            self._models[number] = dataclasses.replace(model, base_path=placed)

    def answer(
        self,
        number: int,
        rows: Sequence[Example],
        report: Report = silent,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> list[Prediction]:
        """What a round's model answers, in the order of the rows, whose references stay behind.

        By the generator of the run, with its options and the seed of the round's answers to dev.

        Raises:
            DataError: a prompt cannot be used, above all one that is too long.
            PluginError: the generator fails.
            Cancelled: ``cancelled`` said so.
        """
        entry, settings = self._run.config.generate, self._run.config.settings
        prompts = tuple(row.as_asked() for row in rows)
        call = plainly(f"{entry.named}, round {number}: generate", aloud, lent=Lent(prompts))
        with tempfile.TemporaryDirectory(prefix="harness-") as folder, call:
            context = Context(
                Path(folder), derive_seed(settings.seed, GENERATE, number), GENERATE, number,
                report=call.calls.hearing(report), cancelled=cancelled,
            )  # fmt: skip
            return answered(entry.instance, self._models[number], prompts, context)


def _base(run: StoredRun, report: Report) -> Checkpoint:
    """The model that the run began with, looked for and checked by its plugin."""
    begun, entry = StoredSteps(run).base(), run.config.model
    call = plainly(f"{entry.named}, model", aloud)
    with tempfile.TemporaryDirectory(prefix="harness-") as folder, call:
        context = Context(Path(folder), stage=MODEL, known=begun, report=call.calls.hearing(report))
        try:
            checkpoint = fetched(entry.instance, context)
        except EnvironmentFailure as error:
            error.hint = (
                error.hint or f"run {run.name} began with a base model there: bring it back"
            )
            raise
    if checkpoint.digest != begun.digest:
        checkpoint = as_trained(checkpoint, run.config.train.instance)
    if checkpoint.digest != begun.digest:
        raise DataError(
            f"the base model is not the one that run {run.name} began with",
            where=checkpoint.path,
            hint="bring its files back as they were; an adapter fits one base model alone",
        )
    return checkpoint
