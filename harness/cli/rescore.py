"""``harness score --run``: a run's stored answers scored again, round against round."""

from __future__ import annotations

from rich.console import Console

from harness.cli.chosen import chosen
from harness.cli.inspect import folder_of
from harness.cli.iterate import Quiet
from harness.cli.request import Request
from harness.cli.score import report, showing, write_rows
from harness.entries import Entry
from harness.errors import DataError, UsageError, near
from harness.finish import database
from harness.history import History
from harness.lock import exclusive
from harness.records import BASE_ARM
from harness.replay import StoredRun, StoredSteps, opened, replay
from harness.rescored import record
from harness.rows import rows_digest
from harness.run import entry_key
from harness.scorecard import Question, System, document
from harness.scoring import Entry as MetricEntry
from harness.steps import Evaluation


def rescore(request: Request) -> int:
    """Score, compare with round 0 (or ``--baseline``), remember; returns the exit code."""
    folder = folder_of(request.run)
    run = opened(folder.name, folder / "config.yaml", Quiet())
    entries = _entries(request, run)
    with exclusive(run.folder / "lock"):
        steps, history = replay(run)
        evaluations = _evaluations(request, run, history)
        baseline = _baseline(request, list(evaluations))
        systems = _systems(request, steps, history, entries, evaluations)
        fresh = _fresh(entries, run)
        if fresh:
            record(run, fresh)
            database(run, steps, history)
    question = Question(
        system=systems[-1].name, baseline=baseline, by=tuple(request.by), test=request.test_kind,
        seed=steps.seed("scores", 0),
    )  # fmt: skip
    metrics = [MetricEntry(entry.name, entry.instance) for entry in entries]
    rows = history.data.split(request.split)
    report(document(metrics, rows, systems, question), as_json=request.as_json)
    if request.per_example is not None:
        write_rows(request.per_example, systems, metrics)
    return 0


def _entries(request: Request, run: StoredRun) -> list[Entry]:
    if request.metrics is None and not request.options:
        return list(run.config.metrics)
    if request.metrics is None:
        raise UsageError("--option needs --metrics, which names the metrics to score again with")
    return chosen(request.metrics, request.options, request.plugins)


def _fresh(entries: list[Entry], run: StoredRun) -> list[Entry]:
    """Those that say something which the run's own metrics do not."""
    own = [(entry.name, entry_key(entry)) for entry in run.config.metrics]
    return [entry for entry in entries if (entry.name, entry_key(entry)) not in own]


def _evaluations(
    request: Request, run: StoredRun, history: History
) -> dict[str, tuple[str, int, Evaluation]]:
    """System name -> arm, round and what was answered."""
    if request.split == "dev":
        return {
            _name(arm, number): (arm, number, found)
            for (arm, number), found in history.evaluations.items()
        }
    if request.split != "test":
        raise UsageError(f"a run answers dev and test, not '{request.split}'")
    if not request.open_test:
        raise UsageError(
            "the test set is sealed: each look at it is counted, and takes from what it is worth",
            hint="--split dev, or --open-test to look all the same",
        )
    if not history.test_evaluations:
        raise DataError("its test set was not opened yet", where=run.name, hint="harness iterate")
    run.ledger.open(rows_digest(history.data.split("test")), f"{run.name} scored again")
    found = history.test_evaluations.items()
    return {_name(BASE_ARM, number): (BASE_ARM, number, one) for number, one in found}


def _name(arm: str, number: int) -> str:
    return f"round {number}" + ("" if arm == BASE_ARM else f" ({arm})")


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
    history: History,
    entries: list[Entry],
    evaluations: dict[str, tuple[str, int, Evaluation]],
) -> list[System]:
    rows = history.data.split(request.split)
    systems = []
    with showing(Console(stderr=True), len(evaluations) * len(entries)) as stage:
        for name, (arm, number, found) in evaluations.items():
            measured = {}
            for entry in entries:
                stage(f"{name}: {entry.name}")
                generated = found.keys["generate"]
                measured[entry.name], _ = steps.score(
                    entry, found.predictions, generated, rows, request.split, number, arm
                )
            systems.append(System(name, found.predictions, measured))
    return systems
