"""``--run``: a run's stored answers scored again, round against round."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from harness.cli.score.files import report, showing, write_rows
from harness.cli.score.metric_options import chosen
from harness.cli.score.request import Request
from harness.config.making import metric_entry
from harness.config.plugin_entries import PluginEntry
from harness.context import Quiet
from harness.engine.ledger import Ledger
from harness.engine.steps import At
from harness.errors import DataError, UsageError, near
from harness.evaluation.scorecard import Question, Systems, check_fields, document
from harness.kit.lock import exclusive
from harness.kit.text import one_line
from harness.records import Example
from harness.report.added_metrics import record
from harness.report.folders import find_reports
from harness.report.publishing import database
from harness.report.summary import read
from harness.scoring import Scorecard
from harness.stored import Answered, NotStored, StoredRun, StoredSteps, answered, opened, replay
from harness.terminal.streams import plugins_on_stderr


def rescore(request: Request) -> None:
    """Score, compare with round 0 (or ``--baseline``), remember."""
    folder = find_reports(request.run)
    with plugins_on_stderr():
        run = opened(folder.name, Quiet())
        with exclusive(run.folder / "lock"):
            found, systems = _found(request, run)
    if request.per_example is not None:
        write_rows(request.per_example, systems)
    report(found, as_json=request.as_json)


def _found(request: Request, run: StoredRun) -> tuple[dict[str, Any], Systems]:
    """The document; only what it could be made of is remembered."""
    steps, entries = StoredSteps(run), _entries(request, run)
    metrics = list(map(metric_entry, entries))
    request.check_scores([name for entry in metrics for name in entry.score_names])
    rows = steps.data().split(request.split)
    check_fields(request.by, rows)
    answers = _answers(request, run, rows)
    baseline = _baseline(request, list(answers))
    systems = _systems(request, steps, rows, entries, answers)
    question = Question(
        system=list(systems)[-1], baseline=baseline, by=tuple(request.by), test=request.test_kind,
        seed=steps.seed("scores", 0),
    )  # fmt: skip
    found = document(systems, question)
    if request.split == "dev":
        found["remarks"] += _chosen(find_reports(request.run), answers)
    fresh = _fresh(entries, run)
    if fresh:
        record(run, fresh)
        _update_database(run)
    return found, systems


def _chosen(folder: Path, answers: Mapping[str, Answered]) -> list[str]:
    """What has to stand beside dev scores of the round that was chosen by dev."""
    mark = read(folder / "summary.json")["chosen"]
    return [mark["sentence"]] if mark and f"round {mark['round']}" in answers else []


def _update_database(run: StoredRun) -> None:
    """With the new scores, if all that the database is made from is still stored."""
    try:
        database(run, *replay(run))
    except NotStored as error:
        told = f"note: the run's database was left as it is: {error.what}"
        Console(stderr=True).print(Text(one_line(told), style="yellow"), highlight=False)


def _entries(request: Request, run: StoredRun) -> list[PluginEntry]:
    if request.metrics is None and not request.options:
        return list(run.config.metrics)
    if request.metrics is None:
        raise UsageError("--option needs --metrics, which names the metrics to score again with")
    return chosen(request.metrics, request.options, request.plugins)


def _fresh(entries: list[PluginEntry], run: StoredRun) -> list[PluginEntry]:
    """Those that say something which the run's own metrics do not."""
    own = [(entry.name, run.key_of(entry)) for entry in run.config.metrics]
    return [entry for entry in entries if (entry.name, run.key_of(entry)) not in own]


def _answers(request: Request, run: StoredRun, rows: Sequence[Example]) -> dict[str, Answered]:
    """System name -> what that round answered."""
    if request.split == "dev":
        return {f"round {one.round}": one for one in answered(run)}
    if request.split != "test":
        raise UsageError(f"a run answers dev and test, not '{request.split}'")
    request.check_sealed()
    _, history = replay(run)
    if not history.test_evaluations:
        raise DataError("its test set was not opened yet", where=run.name, hint="harness iterate")
    Ledger(run.ledger.path).open(rows, f"{run.name} scored again")
    return {
        f"round {number}": Answered(number, found.predictions, found.keys["generate"])
        for number, found in history.test_evaluations.items()
    }


def _baseline(request: Request, names: list[str]) -> str | None:
    if request.baseline is None:
        return names[0] if len(names) > 1 else None
    if request.baseline not in names:
        raise UsageError(
            f"--baseline: there is no '{request.baseline}'{near(request.baseline, names)}",
            hint=f"there are: {', '.join(names)}",
        )
    return request.baseline


def _systems(
    request: Request,
    steps: StoredSteps,
    rows: Sequence[Example],
    entries: list[PluginEntry],
    answers: dict[str, Answered],
) -> Systems:
    metrics = [dataclasses.replace(metric_entry(entry), doubt=steps.doubt) for entry in entries]
    systems = {}
    with showing(Console(stderr=True), len(answers) * len(entries)) as stage:
        for name, one in answers.items():
            measured = {}
            for entry in entries:
                stage(f"{name}: {entry.name}")
                at = At(one.round, split=request.split)
                measured[entry.name], _ = steps.score(entry, one.predictions, one.digest, rows, at)
            systems[name] = Scorecard(
                rows, one.predictions, metrics, measured, steps.seed("scores", 0)
            )
    return systems
