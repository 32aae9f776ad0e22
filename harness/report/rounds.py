"""What a summary tells of one round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.kit.documents import as_document, finite
from harness.kit.text import one_line
from harness.records import AnsweredKind, Forgetting, Growth, Plan, PlanItem, RoundResult, Slice
from harness.records.course import Course
from harness.records.summary import (
    LogPoint,
    MainRound,
    ShownForgetting,
    ShownInstructions,
    ShownPlanItem,
    ShownRound,
    ShownSlice,
)

EVERYWHERE = "everywhere"
LOG_POINTS = 200

Log = Sequence[Mapping[str, Any]]
"""Lines of a training's log, each with ``step``, ``loss`` or ``eval_loss``, or none of them."""


def main_round(
    result: RoundResult,
    slices: Sequence[Slice],
    log: Log,
    *,
    replayed: int,
    forgotten: Forgetting | None,
) -> MainRound:
    """A round of the arm ``main``.

    Args:
        slices: what the analyzers found on this round's answers.
        log: a long one is thinned.
    """
    beside = {"replayed": replayed, "forgetting": forgotten and _forgetting(forgotten)}
    return as_document(MainRound, result, **_parts(result, slices, log), **beside)


def control_round(result: RoundResult) -> ShownRound:
    """A round of the arm with randomly drawn rows."""
    return as_document(ShownRound, result, **_parts(result, (), ()))


def _forgetting(forgetting: Forgetting) -> ShownForgetting:
    answers = as_document(ShownInstructions, forgetting, sentence=one_line(forgetting.answers))
    kinds = tuple(as_document(AnsweredKind, kind) for kind in forgetting.kinds)
    return as_document(ShownForgetting, forgetting, instructions=answers, kinds=kinds)


def _parts(result: RoundResult, slices: Sequence[Slice], log: Log) -> dict[str, Any]:
    """What a round's record has not, or has otherwise."""
    growth = result.growth or Growth(added=0)
    plan = result.plan or Plan(strategy="none")
    return {
        "slices": tuple(as_document(ShownSlice, s, slice=one_line(s.words)) for s in slices),
        "strategy": one_line(plan.strategy),
        "plan": tuple(map(_plan_item, plan.items)),
        "added": growth.added,
        "added_by": {one_line(by): n for by, n in growth.by.items()},
        "refused": {one_line(reason): n for reason, n in growth.refused.items()},
        "log": _points(log),
        "course": _course(log),
    }


def _plan_item(item: PlanItem) -> ShownPlanItem:
    of = item.slice
    words = one_line(of.words) if of else EVERYWHERE
    gap, low, high = map(finite, (of.gap, of.low, of.high) if of else (None, None, None))
    return as_document(ShownPlanItem, item, slice=words, n=of and of.n, gap=gap, low=low, high=high)


def _course(log: Log) -> Course | None:
    # NumPy: a run that is finished answers without it.
    from harness.verdicts.course import course

    course_ = course(log)
    return course_ and as_document(Course, course_)


def _points(log: Log) -> tuple[LogPoint, ...]:
    """One point per step; of long logs evenly spaced points, the last and all validations."""
    points: dict[int, dict[str, float | None]] = {}
    for line in log:
        step = finite(line.get("step"))
        if step is None:
            continue
        point = points.setdefault(int(step), {"loss": None, "eval_loss": None})
        for name in ("loss", "eval_loss"):
            if (value := finite(line.get(name))) is not None:
                point[name] = value
    ordered = [LogPoint(step, **points[step]) for step in sorted(points)]
    stride = -(-len(ordered) // LOG_POINTS) or 1
    return tuple(
        point
        for place, point in enumerate(ordered)
        if place % stride == 0 or place == len(ordered) - 1 or point.eval_loss is not None
    )
