"""The document that others rely on: ``summary.json``, ``harness iterate --json``.

Built from records alone, so the same run always gives the same document (but for ``seconds``
and ``cached``). ``docs/summary.md`` explains every key; ``summary.schema.json`` checks them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.kit.text import one_line, plain
from harness.kit.worddiff import closest
from harness.records import (
    ControlResult,
    ErrorLabel,
    Growth,
    GuardResult,
    Plan,
    PlanItem,
    RoundResult,
    Score,
    ScoredExample,
    Sealed,
    Slice,
    TestResult,
    Verdict,
)
from harness.report.reading import SUMMARY as SCHEMA, Document, read_document
from harness.verdicts.selection import chosen

if TYPE_CHECKING:
    from harness.data.screening import Screening
    from harness.verdicts.objective import Progress

EVERYWHERE = "everywhere"
TEXT_LIMIT = 2_000
LOG_POINTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """All that a summary tells of a run, finished or not.

    Attributes:
        rounds: of the arm ``main``, in order; element 0 is the baseline.
        seconds: stage (such as ``train``) -> seconds spent on it, over all rounds and arms.
        cached: stages that were taken from the store, in the order of the run.
        test: None until the test set was opened.
        sealed: why it was not, in a run that has ended.
        model: ``base``, ``adapter`` and ``round``, from :mod:`harness.report.origin`, as are
            ``dates`` and ``settings``.
        data: split -> rows at the start of the run.
        screening: what the gate said of the source's rows.
        slices: round -> all slices found after it, weak or not.
        logs: round -> the trainer's log (``step``, ``epoch``, ``loss`` or ``eval_loss``).
        examples: from :func:`instructive`.
    """

    run: str
    primary: str
    rounds: Sequence[RoundResult]
    kept_round: int
    test: TestResult | None = None
    sealed: Sealed | None = None
    control: ControlResult | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    dates: Mapping[str, str | None] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, int] = field(default_factory=dict)
    dev_groups: int | None = None
    screening: Screening | None = None
    slices: Mapping[int, Sequence[Slice]] = field(default_factory=dict)
    logs: Mapping[int, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    examples: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[str] = ()
    objective: Progress | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    cached: Sequence[str] = ()
    next_command: str = ""


def summarise(run: RunRecord) -> Document:
    """The summary document of a run."""
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
            "screening": _screening(run.screening),
        },
        "rounds": [
            _round(result, run.slices.get(result.round, ()), run.logs.get(result.round, ()))
            for result in run.rounds
        ],
        "kept_round": run.kept_round,
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
    document["chosen"] = chosen(document)
    return document


def instructive(
    scored: Sequence[ScoredExample],
    labels: Sequence[ErrorLabel],
    *,
    score: str,
    higher_is_better: bool,
    count: int = 6,
) -> list[Document]:
    """A few of the worst dev examples, first one of each kind of error and each group.

    Rows of the test split are never taken. Ties go by id, so the choice is repeatable.
    """
    kinds: dict[str, list[str]] = {}
    for label in labels:
        kinds.setdefault(label.example_id, []).append(label.category)

    def badness(row: ScoredExample) -> tuple[float, str]:
        value = row.values[score] or 0.0
        return (value if higher_is_better else -value), row.example.id

    usable = (
        row
        for row in scored
        if row.example.split != "test" and finite(row.values.get(score)) is not None
    )
    ranked = sorted(usable, key=badness)
    chosen: list[ScoredExample] = []
    seen: set[str] = set()
    later: list[ScoredExample] = []
    for row in ranked:
        traits = {f"error {kind}" for kind in kinds.get(row.example.id, [])[:1]} or {"no error"}
        traits |= {f"group {row.example.group}"} if row.example.group else set()
        (later if traits & seen else chosen).append(row)
        seen |= traits
    best = sorted([*chosen[:count], *later[: max(0, count - len(chosen))]], key=badness)
    return [_example(row, kinds.get(row.example.id, []), score) for row in best]


def finite(value: Any) -> float | None:
    """The number, or None for None, NaN, infinities and whatever is no number."""
    if value is None or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value


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
        DataError: it is not a summary, or one of a newer harness.
    """
    return read_document(path, SCHEMA, "summary")


def _round(
    result: RoundResult, slices: Sequence[Slice], log: Sequence[Mapping[str, Any]]
) -> Document:
    growth = result.growth or Growth(added=0)
    plan = result.plan or Plan(strategy="none")
    return {
        "round": result.round,
        "train_rows": result.train_rows,
        "kept": result.kept,
        "scores": _scores(result.scores),
        "verdict": _verdict(result.verdict),
        "errors": {one_line(kind): n for kind, n in result.errors.items()},
        "slices": [_slice(found) for found in slices],
        "strategy": one_line(plan.strategy),
        "plan": [_plan_item(item) for item in plan.items],
        "added": growth.added,
        "added_by": {one_line(by): n for by, n in growth.by.items()},
        "refused": {one_line(reason): n for reason, n in growth.refused.items()},
        "log": _log(log),
        "guards": [_guard(guard) for guard in result.guards],
    }


def _model(found: Mapping[str, Any]) -> Document:
    folder = found.get("adapter")
    return {
        "base": one_line(found.get("base") or ""),
        "adapter": folder and one_line(folder),
        "round": found.get("round", 0),
    }


def _guard(guard: GuardResult) -> Document:
    return {
        "name": one_line(guard.name),
        "verdict": _verdict(guard.verdict),
        "state": guard.outcome,
        "start": _verdict(guard.start) if guard.start is not None else None,
        "largest_loss": finite(guard.largest_loss),
        "sentence": one_line(guard.sentence or guard.verdict.sentence),
        "required": guard.required,
        "max_loss": finite(guard.max_loss),
        "refuses": guard.refuses or guard.outcome == "broken",
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


def _scores(scores: Mapping[str, Score]) -> Document:
    return {
        one_line(name): {
            "value": finite(score.value),
            "low": finite(score.low),
            "high": finite(score.high),
            "n": score.n,
            "unscored": score.unscored,
            "signature": one_line(score.signature),
            "higher_is_better": score.higher_is_better,
            "caveat": one_line(score.caveat),
        }
        for name, score in scores.items()
    }


def _verdict(verdict: Verdict) -> Document:
    return {
        "label": verdict.label,
        "against": one_line(verdict.against),
        "difference": finite(verdict.difference),
        "low": finite(verdict.low),
        "high": finite(verdict.high),
        "level": finite(verdict.level),
        "detectable": finite(verdict.detectable),
        "sentence": one_line(verdict.sentence),
        "n": verdict.n,
        "groups": verdict.groups,
    }


def _interval(found: Slice | None) -> Document:
    return {
        "gap": finite(found.gap) if found else None,
        "low": finite(found.low) if found else None,
        "high": finite(found.high) if found else None,
    }


def _slice(found: Slice) -> Document:
    return {
        "slice": one_line(found.words),
        "n": found.n,
        "groups": found.groups,
        "score": finite(found.score),
        **_interval(found),
        "q": finite(found.q),
        "holds": found.holds,
        "from_prompt": found.from_prompt,
    }


def _plan_item(item: PlanItem) -> Document:
    return {
        "slice": one_line(item.slice.words) if item.slice else EVERYWHERE,
        "n": item.slice.n if item.slice else None,
        **_interval(item.slice),
        "rows": item.rows,
        "remedy": one_line(item.remedy),
        "reason": one_line(item.reason),
    }


def _log(log: Sequence[Mapping[str, Any]]) -> list[Document]:
    """One point per step; of long logs evenly spaced points, the last and all validations."""
    points: dict[int, Document] = {}
    for line in log:
        step = finite(line.get("step"))
        if step is None:
            continue
        point = points.setdefault(int(step), {"step": int(step), "loss": None, "eval_loss": None})
        for name in ("loss", "eval_loss"):
            if (value := finite(line.get(name))) is not None:
                point[name] = value
    ordered = [points[step] for step in sorted(points)]
    stride = -(-len(ordered) // LOG_POINTS) or 1
    return [
        point
        for place, point in enumerate(ordered)
        if place % stride == 0 or place == len(ordered) - 1 or point["eval_loss"] is not None
    ]


def _test(test: TestResult | None) -> Document | None:
    if test is None:
        return None
    return {
        "looks": test.looks,
        "counting": one_line(test.counting),
        "baseline": _scores(test.baseline),
        "kept": _scores(test.kept),
        "verdict": _verdict(test.verdict),
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
        "rounds": [_round(result, (), ()) for result in control.rounds],
        "difference": finite(control.difference),
        "low": finite(control.low),
        "high": finite(control.high),
        "sentence": one_line(control.sentence),
    }


def _example(row: ScoredExample, kinds: Sequence[str], score: str) -> Document:
    return {
        "id": one_line(row.example.id, 200),
        "place": one_line(row.example.place, 200),
        "prompt": plain(row.example.prompt, TEXT_LIMIT),
        "reference": plain(closest(row.example.references, row.prediction.text), TEXT_LIMIT),
        "answer": plain(row.prediction.text, TEXT_LIMIT),
        "score": finite(row.values[score]),
        "finish_reason": one_line(row.prediction.finish_reason, 40),
        "errors": [one_line(kind, 80) for kind in dict.fromkeys(kinds)],
    }
