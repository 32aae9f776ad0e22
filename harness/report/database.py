"""The run's database, written from what has happened so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.config.plugin_entries import PluginEntry
from harness.database.contents import Answers, RescoredAnswers, RunContents
from harness.database.writing import build
from harness.errors import HarnessError, InputChanged
from harness.records import BASE_ARM, CONTROL_ARM, Example
from harness.report.added_metrics import recorded
from harness.report.annotations import RunAnnotations
from harness.report.caveats import Caveats, caveats_of, scores_with
from harness.run.at import At
from harness.run.run import Run
from harness.stages import BranchOutcome
from harness.steps import Steps, detect, measure
from harness.steps.answer import Evaluation
from harness.steps.baselines import arm_of
from harness.steps.history import History


def database(
    run: Run, steps: Steps, history: History, annotations: RunAnnotations,
    added: Sequence[PluginEntry] = (),
) -> None:  # fmt: skip
    """Write the run's database from what has happened so far.

    Args:
        added: metrics that the person at the terminal has just scored the run with again.
    """
    opened, caveats = history.test is not None, caveats_of(steps)
    arms: dict[str, Mapping[str, Any]] = {BASE_ARM: {}}
    if CONTROL_ARM in history.arms:
        arms[CONTROL_ARM] = {"augment.control": run.config.control}
    arms |= {stored_arm(branch.name): branch.changes for branch in _branches(history)}
    arms |= {arm_of(name): {"prompts": asked.description} for name, asked in history.asked.items()}
    contents = RunContents(
        run=run.name, primary=run.config.settings.primary, kept_round=history.kept,
        config=run.config.published(), facts={"model": history.model}, arms=arms,
        rounds=[
            replace(result, scores=scores_with(result.scores, caveats))
            for result in history.results.values()
        ],
        examples=[row for row in history.data.examples if opened or row.split != "test"],
        answers=list(_answers(run, steps, history, caveats, added)), added=history.added,
        slices={place: findings.slices for place, findings in history.findings.items()},
        diagnoses={place: findings.diagnoses for place, findings in history.findings.items()},
        logs=history.logs, annotations=annotations.tables,
    )  # fmt: skip
    build(run.reports / "run.duckdb", contents)


def stored_arm(name: str) -> str:
    """What the database calls a training beside the rounds, so that it is never taken for one."""
    return f"arm {name}"


def _branches(history: History) -> list[BranchOutcome]:
    return [branch for outcome in history.outcomes.values() for branch in outcome.branches]


def _answers(
    run: Run, steps: Steps, history: History, caveats: Caveats, added: Sequence[PluginEntry]
) -> Iterator[Answers]:
    sets = [
        (arm, number, "dev", evaluation)
        for (arm, number), evaluation in history.evaluations.items()
    ]
    sets += [
        (BASE_ARM, n, "test", evaluation) for n, evaluation in history.test_evaluations.items()
    ]
    sets += [
        (stored_arm(branch.name), history.kept or 1, "dev", branch.evaluation)
        for branch in _branches(history)
        if branch.evaluation is not None
    ]
    # They are the base model's, which is round 0.
    sets += [(arm_of(name), 0, "dev", asked.evaluation) for name, asked in history.asked.items()]
    sets += [(arm_of(name), 0, "test", side) for name, side in history.prompts_on_test.items()]
    extra, right = recorded(run, added), _right(steps, history)
    for arm, number, split, evaluation in sets:
        rows = history.data.split(split)
        yield Answers(
            arm, number, split, evaluation.predictions,
            [m for entry in evaluation.measurements.values() for m in entry], evaluation.labels,
            scores_with(evaluation.scores, caveats) if (arm, split) == (BASE_ARM, "test") else {},
            # Another score of test would be another look at it.
            list(_rescored(steps, extra if split == "dev" else (), evaluation, rows, number, arm)),
            right[arm, number] if (arm, number) in right and split == "dev"
            else detect.right(steps, evaluation.scored),
        )  # fmt: skip


def _right(steps: Steps, history: History) -> dict[tuple[str, int], dict[str, bool | None]]:
    """(arm, round) -> example id -> whether its answer counts as right.

    What people say of one text may change from round to round; it has not got better or worse by
    that, so the latest they said of it holds for all rounds.
    """
    right = {place: detect.right(steps, side.scored) for place, side in history.evaluations.items()}
    if not steps.primary_entry().metric.by_people:
        return right
    latest: dict[tuple[str, str], bool | None] = {}
    for place in sorted(right, key=lambda place: place[1]):
        for row in history.evaluations[place].scored:
            key, says = (row.example.id, row.prediction.text), right[place][row.example.id]
            latest[key] = latest.get(key) if says is None else says
    return {
        place: {
            row.example.id: latest[row.example.id, row.prediction.text]
            for row in history.evaluations[place].scored
        }
        for place in right
    }


def _rescored(
    steps: Steps, entries: Sequence[PluginEntry], evaluation: Evaluation, rows: Sequence[Example],
    number: int, arm: str,
) -> Iterator[RescoredAnswers]:  # fmt: skip
    """What each metric says that the run was scored with again; one that fails harms no other."""
    answers, generated = evaluation.predictions, evaluation.keys["generate"]
    for entry in entries:
        try:
            measured, made = measure.score(steps, entry, answers, generated, rows, At(number, arm))
            scores = measure.scores(
                steps,
                [entry],
                {entry.name: measured},
                answers,
                rows,
                {entry.name: made},
                At(number, arm),
            )
        except InputChanged:
            raise
        except HarnessError as error:
            steps.note(f"round {number}: '{entry.name}' of harness score --run: {error.what}")
            continue
        yield RescoredAnswers(scores, measured)
