"""What a summary tells of one round: scores, verdict, slices, plan, rows, log, guards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.kit.text import one_line
from harness.records import (
    Growth,
    GuardResult,
    Noisy,
    Plan,
    PlanItem,
    RoundResult,
    Score,
    Slice,
    Verdict,
)
from harness.report.reading import Document
from harness.report.values import finite

EVERYWHERE = "everywhere"
LOG_POINTS = 200


def round_entry(
    result: RoundResult, slices: Sequence[Slice], log: Sequence[Mapping[str, Any]]
) -> Document:
    """One element of ``rounds`` in ``summary.json``.

    Args:
        slices: what the analyzers found on this round's answers.
        log: lines of the training's log, each with ``step``, ``loss`` or ``eval_loss``, or none of
            them; a long log is thinned.
    """
    growth = result.growth or Growth(added=0)
    plan = result.plan or Plan(strategy="none")
    return {
        "round": result.round,
        "train_rows": result.train_rows,
        "kept": result.kept,
        "scores": scores_entry(result.scores),
        "verdict": verdict_entry(result.verdict),
        "errors": {one_line(kind): n for kind, n in result.errors.items()},
        "slices": [_slice(found) for found in slices],
        "strategy": one_line(plan.strategy),
        "plan": [_plan_item(item) for item in plan.items],
        "added": growth.added,
        "added_by": {one_line(by): n for by, n in growth.by.items()},
        "refused": {one_line(reason): n for reason, n in growth.refused.items()},
        "log": _log(log),
        "course": _course(log),
        "guards": [_guard(guard) for guard in result.guards],
    }


def _guard(guard: GuardResult) -> Document:
    return {
        "name": one_line(guard.name),
        "verdict": verdict_entry(guard.verdict),
        "state": guard.state,
        "start": verdict_entry(guard.start) if guard.start is not None else None,
        "largest_loss": finite(guard.largest_loss),
        "sentence": one_line(guard.sentence),
        "required": guard.required,
        "max_loss": finite(guard.max_loss),
        "refuses": guard.refuses,
    }


def scores_entry(scores: Mapping[str, Score]) -> Document:
    """Name of the score -> its value, interval, rows and signature; None for what is not finite."""
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


def verdict_entry(verdict: Verdict) -> Document:
    """Label, difference, bounds and sentence; None for numbers that are not finite."""
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


def _course(log: Sequence[Mapping[str, Any]]) -> Document | None:
    # NumPy: a run that is finished answers without it.
    from harness.verdicts.course import course

    found = course(log)
    if found is None:
        return None
    return {
        "kind": found.kind,
        "since": finite(found.since),
        "sentence": one_line(found.sentence),
        "advice": one_line(found.advice),
        "valid_rows": found.valid_rows,
        "valid_of": found.valid_of,
        "train_rows": found.train_rows,
        **{name: _noisy(getattr(found, name)) for name in ("gap", "rise", "slope")},
        "late_share": finite(found.late_share),
        "best_step": found.best_step,
        "best_epoch": finite(found.best_epoch),
        "kept_step": found.kept_step,
        "stopped_step": found.stopped_step,
    }


def _noisy(found: Noisy | None) -> Document | None:
    return None if found is None else {"value": finite(found.value), "se": finite(found.se)}


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
