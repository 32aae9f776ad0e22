"""What a summary tells of one round, what its model forgot, and a branch beside the rounds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.kit.documents import as_document, finite, shown
from harness.kit.numbers import signed
from harness.kit.text import one_line
from harness.kit.yaml_file import flattened
from harness.loop import general_answers, general_rise
from harness.records import (
    BASE_ARM,
    AnsweredKind,
    Forgetting,
    Growth,
    Plan,
    PlanItem,
    RoundResult,
    Slice,
    Verdict,
)
from harness.records.course import Course
from harness.records.summary import (
    LONGEST_NAME,
    Forgot,
    LogPoint,
    LostAnswers,
    LostText,
    MainRound,
    ShownArm,
    ShownForgetting,
    ShownInstructions,
    ShownPlanItem,
    ShownRound,
    ShownSlice,
    Training,
)
from harness.stages import BranchOutcome, BranchTraining
from harness.stats.decision import alpha_of
from harness.verdicts.course import course
from harness.verdicts.forgetting import compared

if TYPE_CHECKING:
    from harness.steps import Steps
    from harness.steps.history import History

EVERYWHERE = "everywhere"
LOG_POINTS = 200

TrainingLog = Sequence[Mapping[str, Any]]
"""Lines of a training's log, each with ``step``, ``loss`` or ``eval_loss``, or none of them."""


def main_round(
    result: RoundResult,
    slices: Sequence[Slice],
    log: TrainingLog,
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


def _parts(result: RoundResult, slices: Sequence[Slice], log: TrainingLog) -> dict[str, Any]:
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
        "course": as_document(Course, course(log)),
    }


def _plan_item(item: PlanItem) -> ShownPlanItem:
    of = item.slice
    words = one_line(of.words) if of else EVERYWHERE
    gap, low, high = map(finite, (of.gap, of.low, of.high) if of else (None, None, None))
    return as_document(ShownPlanItem, item, slice=words, n=of and of.n, gap=gap, low=low, high=high)


_OF_POINTS = ("loss", "eval_loss", "score")


def _points(log: TrainingLog) -> tuple[LogPoint, ...]:
    """One point per step; of long logs evenly spaced points, the last and all that was measured."""
    points: dict[int, dict[str, float | None]] = {}
    for line in log:
        step = finite(line.get("step"))
        if step is None:
            continue
        point = points.setdefault(int(step), dict.fromkeys(_OF_POINTS))
        for name in _OF_POINTS:
            if (value := finite(line.get(name))) is not None:
                point[name] = value
    ordered = [LogPoint(step, **points[step]) for step in sorted(points)]
    stride = -(-len(ordered) // LOG_POINTS) or 1
    return tuple(
        point
        for place, point in enumerate(ordered)
        if place % stride == 0
        or place == len(ordered) - 1
        or point.eval_loss is not None
        or point.score is not None
    )


# -- what the models of rounds forgot of general text and instructions ----------------------------


def forgetting_by_round(steps: Steps, history: History) -> dict[int, Forgetting]:
    """Round of the main arm -> its model beside the base model, where that was measured."""
    alpha, by_round = alpha_of(steps.config.settings.rounds), {}
    for arm, number in history.general:
        measured = general_rise(steps, history, (arm, number))
        if arm == BASE_ARM and measured is not None:
            of_kinds = general_answers(history, (arm, number))
            # Instructions of no kind are the general ones; the others are judged by themselves.
            general = of_kinds.pop("")
            by_round[number] = compared(measured, general, alpha, of_kinds)
    return by_round


def forgot(round_: int, loss: Forgetting | None) -> Forgot | None:
    """What a round's model is shown to have lost.

    Args:
        round_: the best one, or the latest where none improved.
        loss: None where it was not measured.
    """
    if loss is None:
        return None
    level = loss.level
    answers = LostAnswers(loss.right_before, loss.right_after, loss.asked, loss.p, level)
    before, after, bound = map(finite, (loss.loss_before, loss.loss_after, loss.low))
    return Forgot(
        round_,
        answers if loss.worse_answers else None,
        LostText(before, after, loss.texts, bound, level) if loss.worse_text else None,
        one_line(_worse(loss)),
    )


def _worse(loss: Forgetting) -> str:
    """``worse at general instructions: 22 → 4 of 40``; empty where nothing is shown."""
    parts = []
    if loss.worse_answers:
        counts = f"{loss.right_before} → {loss.right_after} of {loss.asked}"
        parts.append(f"general instructions: {counts}")
    if loss.worse_text:
        parts.append(f"general text: {signed(loss.difference)} nats per token")
    parts += [
        f"{kind.kind}: {kind.right_before} → {kind.right_after} of {kind.asked}"
        for kind in loss.kinds
        if kind.worse
    ]
    return f"worse at {', and at '.join(parts)}" if parts else ""


# -- branches beside the rounds --------------------------------------------------------------------


def branch_arm(branch: BranchOutcome, reference: int) -> ShownArm:
    """A branch.

    Args:
        reference: the round from which it differs.
    """
    settings = flattened(dict(branch.changes)) if branch.changes else ()
    changed = {one_line(key, LONGEST_NAME): _setting(value) for key, value in settings}
    seconds = sum(sum(training.seconds.values()) for training in branch.trainings)
    return as_document(
        ShownArm,
        branch.trainings[0],  # rows, tokens, memory and parameters are the same with other seeds
        name=one_line(branch.name, LONGEST_NAME),
        kind=one_line(branch.kind, LONGEST_NAME),
        what=", ".join(f"{key} {value}" for key, value in changed.items()),
        changed=changed,
        share=finite(branch.share),
        against=f"round {reference}",
        verdict=as_document(Verdict, branch.verdict),
        worth=branch.worth,
        seconds=round(seconds, 3),
        failed=next((one_line(each.failed) for each in branch.trainings if each.failed), None),
        trainings=tuple(map(_training, branch.trainings)),
    )


def _setting(value: Any) -> str:
    """A setting in one line, from which it can be read: text is JSON where it would not come back.

    That is text that reads as another value, as ``null`` does, or that one line would change.
    """
    if isinstance(value, str) and (_is_json(value) or one_line(value) != value):
        # A run of white space would become one blank.
        return shown(json.dumps(value).replace("  ", " \\u0020"))
    return shown(value)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _training(training: BranchTraining) -> Training:
    values = {one_line(name): finite(score.value) for name, score in training.scores.items()}
    return as_document(Training, training, values=values)
