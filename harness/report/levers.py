"""What a summary tells of the trainings beside the rounds: arms, and what they say together."""

from __future__ import annotations

import json
from typing import Any

from harness.kit.text import one_line
from harness.kit.yaml_file import flattened
from harness.records.arms import LONGEST_NAME, ArmResult, Curve, Levers, Method, Ranking, Tried
from harness.records.rounds import Verdict
from harness.records.searching import Search, Trial
from harness.records.summary import (
    OwnTraining,
    ShownArm,
    ShownLevers,
    ShownSearch,
    ShownTrial,
    Training,
)
from harness.report.values import as_document, finite, shown


def arms(levers: Levers) -> tuple[ShownArm, ...]:
    """What was trained and how it compares with the reference round."""
    return tuple(_arm(found, levers.reference) for found in levers.arms)


def together(levers: Levers, worth: float | None) -> ShownLevers:
    """What the arms say together.

    Args:
        worth: the gain that would matter, as the config names it.
    """
    own = as_document(
        OwnTraining, levers.own, seconds=_took(levers.own), trainings=(_training(levers.own),)
    )
    return ShownLevers(
        reference=levers.reference,
        worth=finite(worth),
        own=own,
        curve=as_document(Curve, levers.curve),
        models=as_document(Ranking, levers.ranking),
        method=as_document(Method, levers.method),
        search=None if levers.search is None else searched(levers.search),
    )


def searched(found: Search) -> ShownSearch:
    """A search of settings."""
    return as_document(
        ShownSearch,
        found,
        trials=tuple(map(_trial, found.trials)),
        seconds=round(sum(trial.seconds for trial in found.trials), 3),
    )


def _took(*trainings: Tried) -> float:
    return round(sum(sum(tried.seconds.values()) for tried in trainings), 3)


def _arm(found: ArmResult, reference: int) -> ShownArm:
    arm, first = found.arm, found.tried[0]
    settings = flattened(dict(arm.changed)) if arm.changed else ()
    changed = {one_line(key, LONGEST_NAME): _setting(value) for key, value in settings}
    return as_document(
        ShownArm,
        first,  # rows, tokens, memory and parameters are the same with other seeds
        name=one_line(arm.name, LONGEST_NAME),
        kind=arm.kind,
        what=", ".join(f"{key} {value}" for key, value in changed.items()),
        changed=changed,
        share=finite(arm.share),
        against=f"round {reference}",
        verdict=as_document(Verdict, found.verdict),
        worth=found.worth,
        seconds=_took(*found.tried),
        failed=next((one_line(tried.failed) for tried in found.tried if tried.failed), None),
        trainings=tuple(map(_training, found.tried)),
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


def _training(tried: Tried) -> Training:
    values = {one_line(name): finite(score.value) for name, score in tried.scores.items()}
    return as_document(Training, tried, values=values)


def _trial(trial: Trial) -> ShownTrial:
    values = {one_line(key, LONGEST_NAME): _value(value) for key, value in trial.values.items()}
    return as_document(ShownTrial, trial, values=values)


def _value(value: Any) -> str | float | None:
    """A setting: a number as it is, none where it is not set, all else as text."""
    if value is None:
        return None
    number = None if isinstance(value, bool) else finite(value)
    return shown(value) if number is None else number
