"""A run's stored answers scored again, by its own metrics or by others: :func:`harness.rescore`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config.making import metric_entries
from harness.config.plugin_entries import PluginEntry
from harness.errors import DataError, UsageError
from harness.kit.files import digest
from harness.kit.lock import exclusive
from harness.opened import Answered, NotStored, StoredRun, StoredSteps, answered, opened, replay
from harness.records import Example
from harness.records.context import Quiet
from harness.report.added_metrics import record
from harness.report.annotations import collect
from harness.report.annotators import plugins_of
from harness.report.database import database
from harness.report.folders import find_reports
from harness.report.reading import read_summary
from harness.run.at import At
from harness.run.ledger import Ledger, Opening, measuring
from harness.scoring import MetricEntry, Scorecard
from harness.steps.measure import score

Progress = Callable[[str, int], object]
"""Called as a piece of the work begins, with its label and the number of pieces."""


Check = Callable[[Sequence[Example], Sequence[str], Sequence[str]], object]
"""Given the rows, the names of the systems and those of the scores; may raise."""


def _unwatched(label: str, pieces: int) -> None:
    return None


def _unchecked(rows: Sequence[Example], systems: Sequence[str], scores: Sequence[str]) -> None:
    return None


@dataclass(frozen=True)
class Rescored:
    """What metrics say of a run's stored answers.

    Attributes:
        systems: ``round 0``, ``round 1`` and so on -> its answers measured.
        remarks: what has to stand beside these scores.
        openings: metric entry's name -> which opening of the test rows its measurements are;
            none for rows of dev.
    """

    systems: Mapping[str, Scorecard]
    remarks: Sequence[str]
    openings: Mapping[str, Opening]
    _run: StoredRun
    _added: Sequence[PluginEntry]

    def keep(self) -> str:
        """Keep the scores of metrics that the run has not itself, apart from its own, in its
        database (views ``rescores`` and ``example_rescores``, rows of dev).

        Returns:
            Why the database was left as it is; empty where it was not.

        Raises:
            EnvironmentFailure: another process works on the run.
        """
        if not self._added:
            return ""
        with exclusive(self._run.folder / "lock"):
            record(self._run, self._added)
            try:
                steps, history = replay(self._run)
                registry = plugins_of(self._run.folder, self._run.watcher.say)
                annotations = collect(self._run, history, registry)
                database(self._run, steps, history, annotations, added=self._added)
            except NotStored as error:
                return f"the run's database was left as it is: {error.what}"
        return ""


def rescore(
    run: str,
    metrics: Mapping[str, Mapping[str, Any]] | None = None,
    files: Sequence[Path] = (),
    *,
    split: str = "dev",
    open_test: bool = False,
    check: Check = _unchecked,
    progress: Progress = _unwatched,
) -> Rescored:
    """Measure what a run of this folder has answered. Nothing is trained and nothing generated.

    Args:
        run: its name.
        metrics: as :func:`harness.make_metrics` takes them; the run's own where none are given.
        files: one-file plugins to load for them.
        split: ``dev``, or ``test`` once the run has opened it.
        open_test: allows ``test``; each metric with its options is counted as an opening of its
            own before anything is measured, but for the one by which the run was judged itself.
        check: is called before anything is counted or measured.

    Raises:
        UsageError: there is no such run, it answers no such split, or test was not allowed.
        DataError: what is needed is not stored any more.
        PluginError: a metric fails on every answer.
    """
    stored = opened(find_reports(run).name, Quiet())
    with exclusive(stored.folder / "lock"):
        steps = StoredSteps(stored)
        entries = list(stored.config.metrics)
        if metrics is not None:
            entries = metric_entries(metrics, files)
        rows = steps.data().split(split)
        answers = _answers(stored, split, open_test)
        made = [steps.metric_entry(entry) for entry in entries]
        check(rows, list(answers), [name for metric in made for name in metric.score_names])
        openings = _openings(stored, steps, rows, made, answers) if split == "test" else {}
        systems = _measured(steps, rows, entries, answers, split, progress)
    remarks = _selection(stored, systems) if split == "dev" else []
    own = [(entry.name, stored.key_of(entry)) for entry in stored.config.metrics]
    added = [entry for entry in entries if (entry.name, stored.key_of(entry)) not in own]
    return Rescored(systems, remarks, openings, stored, added)


def _openings(
    run: StoredRun,
    steps: StoredSteps,
    rows: Sequence[Example],
    entries: Sequence[MetricEntry],
    answers: Mapping[str, Answered],
) -> dict[str, Opening]:
    """Each metric's opening, counted; what the run's own verdict rests on was counted by the run.

    Raises:
        DataError: the ledger cannot be read.
    """
    judged = measuring(run.name, steps.primary_entry())
    scored = digest([answer.digest for answer in answers.values()])
    ledger, openings = Ledger(run.ledger.path), {}
    for entry in entries:
        if measuring(run.name, entry) == judged:
            openings[entry.name] = run.ledger.open(rows, run.name)
        else:
            who = measuring(f"{run.name} scored again", entry)
            openings[entry.name] = ledger.open(rows, who, scored)
    return openings


def _answers(run: StoredRun, split: str, open_test: bool) -> dict[str, Answered]:
    """System name -> what that round answered."""
    if split == "dev":
        return {f"round {answers.round}": answers for answers in answered(run)}
    if split != "test":
        raise UsageError(f"a run answers dev and test, not '{split}'")
    if not open_test:
        raise UsageError("the test set is sealed")
    _, history = replay(run)
    if not history.test_evaluations:
        raise DataError("its test set was not opened yet", where=run.name, hint="harness test RUN")
    return {
        f"round {number}": Answered(number, evaluation.predictions, evaluation.keys["generate"])
        for number, evaluation in history.test_evaluations.items()
    }


def _measured(
    steps: StoredSteps,
    rows: Sequence[Example],
    entries: Sequence[PluginEntry],
    answers: Mapping[str, Answered],
    split: str,
    progress: Progress,
) -> dict[str, Scorecard]:
    metrics = [steps.metric_entry(entry) for entry in entries]
    systems = {}
    for name, answer in answers.items():
        measurements = {}
        for entry in entries:
            progress(f"{name}: {entry.name}", len(answers) * len(entries))
            at = At(answer.round, split=split)
            measurements[entry.name], _ = score(
                steps, entry, answer.predictions, answer.digest, rows, at
            )
        seed = steps.seed("scores", 0)
        systems[name] = Scorecard(rows, answer.predictions, metrics, measurements, seed)
    return systems


def _selection(run: StoredRun, systems: Mapping[str, Scorecard]) -> list[str]:
    """What has to stand beside dev scores of the round that was chosen by dev."""
    mark = read_summary(run.reports / "summary.json").chosen
    return [mark.sentence] if mark and f"round {mark.round}" in systems else []
