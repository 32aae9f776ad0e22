"""The document that others rely on: ``summary.json``, ``harness iterate --json``.

Built from records and settings, so the same run always gives the same document, but for
``seconds``, ``cached``, ``dates`` and, where the run was given in other words, ``next_command``.
``docs/summary.md`` explains every key; ``summary.schema.json`` checks them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import DataError
from harness.kit.text import one_line
from harness.records import (
    BaselineResult,
    BestPrompt,
    ControlResult,
    Forgetting,
    RoundResult,
    Sealed,
    Slice,
    TestResult,
)
from harness.records.arms import Levers
from harness.report.forgetting import forgetting_entry, forgot_entry
from harness.report.levers import arms_entry, levers_entry
from harness.report.reading import SUMMARY as SCHEMA, Document, read_document
from harness.report.rounds import round_entry, scores_entry, verdict_entry
from harness.report.summary_shape import missing
from harness.report.values import TEXT_LIMIT, finite
from harness.verdicts.selection import chosen

if TYPE_CHECKING:
    from harness.data.screening import Screening
    from harness.verdicts.objective import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """All that a summary tells of a run, finished or not.

    Attributes:
        rounds: of the arm ``main``, in order; element 0 is the baseline.
        seconds: stage (such as ``train``) -> seconds spent on it, over all rounds and arms.
        cached: stages that were taken from the store, in the order of the run.
        test: None until the test set was opened.
        sealed: why it was not, in a run that has ended.
        model: ``base``, ``adapter``, ``round`` and ``commands``, from
            :mod:`harness.report.origin`, as are ``dates`` and ``settings``.
        data: split -> rows at the start of the run.
        digests: of the rows of dev and of test, by which runs know whether theirs are the same.
        screening: what the gate said of the source's rows.
        baselines: the base model under other prompts, each with the best round against it.
        best_prompt: the best round against the base model and the best of these, on the same rows.
        levers: what was tried beside the rounds.
        worth: the gain that would matter, as the config names it.
        slices: round -> all slices found after it, weak or not.
        forgotten: round -> its model on general text, beside the base model.
        replayed: round -> general rows that it was trained on beside those of the task.
        logs: round -> the trainer's log (``step``, ``epoch``, ``loss`` or ``eval_loss``).
        examples: from :func:`~harness.report.instructive.instructive`.
    """

    run: str
    primary: str
    rounds: Sequence[RoundResult]
    kept_round: int
    test: TestResult | None = None
    sealed: Sealed | None = None
    control: ControlResult | None = None
    baselines: Sequence[BaselineResult] = ()
    best_prompt: BestPrompt | None = None
    levers: Levers | None = None
    worth: float | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    dates: Mapping[str, str | None] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, int] = field(default_factory=dict)
    dev_groups: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    screening: Screening | None = None
    slices: Mapping[int, Sequence[Slice]] = field(default_factory=dict)
    logs: Mapping[int, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    forgotten: Mapping[int, Forgetting] = field(default_factory=dict)
    replayed: Mapping[int, int] = field(default_factory=dict)
    examples: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[str] = ()
    objective: Progress | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    cached: Sequence[str] = ()
    next_command: str = ""


def summarise(run: RunRecord) -> Document:
    """The summary document of a run."""
    shown = run.kept_round or run.rounds[-1].round
    document: Document = {
        "schema": SCHEMA,
        "run": one_line(run.run),
        "primary": one_line(run.primary),
        "model": _model(run.model),
        "dates": {key: run.dates.get(key) for key in ("started", "finished")},
        "settings": dict(run.settings),
        "data": {
            "rows": dict(run.data),
            "dev_groups": run.dev_groups,
            "digests": dict(run.digests),
            "screening": _screening(run.screening),
        },
        "rounds": [
            {
                **round_entry(
                    result, run.slices.get(result.round, ()), run.logs.get(result.round, ())
                ),
                "replayed": run.replayed.get(result.round, 0),
                "forgetting": forgetting_entry(run.forgotten.get(result.round)),
            }
            for result in run.rounds
        ],
        "kept_round": run.kept_round,
        "best_prompt": _best_prompt(run.best_prompt),
        "beats_prompts": _beats_prompts(run),
        "forgot": forgot_entry(shown, run.forgotten.get(shown)),
        "test": _test(run.test),
        "sealed": run.sealed and {"reason": run.sealed.reason, "sentence": run.sealed.sentence},
        "objective": _objective(run.objective),
        "examples": [dict(example) for example in run.examples],
        "notes": [one_line(note) for note in run.notes],
        "seconds": {one_line(stage): round(took, 3) for stage, took in run.seconds.items()},
        "cached": [one_line(stage) for stage in run.cached],
        "next_command": one_line(run.next_command),
    }
    if run.control is not None:
        document["control"] = _control(run.control)
    if run.baselines:
        document["baselines"] = [_baseline(found) for found in run.baselines]
    if run.levers is not None:
        document["arms"] = arms_entry(run.levers)
        document["levers"] = levers_entry(run.levers, run.worth)
    document["chosen"] = chosen(document)
    return document


def schema() -> Document:
    """The JSON Schema (draft 2020-12) that every summary document obeys."""
    text = files("harness.report").joinpath("summary.schema.json").read_text(encoding="utf-8")
    document: Document = json.loads(text)
    return document


def rounds_closed(document: Mapping[str, Any]) -> int:
    """How many closed rounds of all arms the document tells of."""
    control = document.get("control") or {"rounds": ()}
    return len(document["rounds"]) + len(control["rounds"])


def read(path: Path) -> Document:
    """The document in a ``summary.json``.

    Raises:
        UsageError: there is no such file.
        DataError: it is not a whole summary, or one of a newer harness.
    """
    document = read_document(path, SCHEMA, "summary")
    if problem := missing(document):
        raise DataError(problem, where=str(path))
    return document


def _model(found: Mapping[str, Any]) -> Document:
    folder = found.get("adapter")
    return {
        "base": one_line(found.get("base") or ""),
        "adapter": folder and one_line(folder),
        "round": found.get("round", 0),
        "commands": [one_line(command) for command in found.get("commands", ())],
    }


def _screening(found: Screening | None) -> Document | None:
    if found is None:
        return None
    return {
        "left_out": {split: dict(counts) for split, counts in found.refused.items()},
        "near": dict(found.near),
        "pairs": [
            {
                "row": one_line(pair.row, 200),
                "split": pair.split,
                "text": one_line(pair.text, TEXT_LIMIT),
                "held_out": one_line(pair.held_out, 200),
                "held_out_split": pair.held_out_split,
                "held_out_text": pair.held_out_text and one_line(pair.held_out_text, TEXT_LIMIT),
                "similarity": finite(pair.similarity),
            }
            for pair in found.pairs
        ],
        "threshold": finite(found.threshold),
        "recognised": finite(found.usual.recognised),
    }


def _test(test: TestResult | None) -> Document | None:
    if test is None:
        return None
    return {
        "looks": test.looks,
        "counting": one_line(test.counting),
        "baseline": scores_entry(test.baseline),
        "kept": scores_entry(test.kept),
        "verdict": verdict_entry(test.verdict),
    }


def _objective(found: Progress | None) -> Document | None:
    if found is None:
        return None
    return {
        "metric": one_line(found.objective.metric),
        "target": found.objective.target,
        "statement": one_line(found.objective.statement),
        "state": found.state,
        "value": finite(found.score.value) if found.score else None,
        "missing": finite(found.missing),
        "per_round": finite(found.per_round),
        "rounds_left": finite(found.rounds_left),
        "sentence": one_line(found.sentence),
    }


def _control(control: ControlResult) -> Document:
    return {
        "rounds": [round_entry(result, (), ()) for result in control.rounds],
        "difference": finite(control.difference),
        "low": finite(control.low),
        "high": finite(control.high),
        "sentence": one_line(control.sentence),
    }


def _baseline(found: BaselineResult) -> Document:
    return {
        "name": one_line(found.name),
        "what": one_line(found.what),
        "scores": scores_entry(found.scores),
        "verdict": verdict_entry(found.verdict),
    }


def _best_prompt(found: BestPrompt | None) -> Document | None:
    if found is None:
        return None
    return {
        "name": one_line(found.name),
        "split": found.split,
        "scores": scores_entry(found.scores),
        "verdict": verdict_entry(found.verdict),
        "base": verdict_entry(found.base),
        "low": finite(found.low),
        "sentence": one_line(found.sentence),
    }


def _beats_prompts(run: RunRecord) -> bool | None:
    """Whether training is shown to be better than prompts; None where that cannot be judged."""
    if run.best_prompt is not None:
        return run.best_prompt.beaten
    nothing_improved = run.kept_round == 0 and len(run.rounds) > 1
    return False if run.baselines and nothing_improved else None
