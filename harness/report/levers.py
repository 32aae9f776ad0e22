"""What a summary tells of the trainings beside the rounds: arms, curve, base models, seeds."""

from __future__ import annotations

import json
from typing import Any

from harness.kit.text import one_line
from harness.kit.yaml_file import flattened
from harness.records.arms import ArmResult, Curve, Levers, Method, Ranking, Tried
from harness.report.reading import Document
from harness.report.rounds import scores_entry, verdict_entry
from harness.report.searched import search_entry
from harness.report.values import finite, shown

NAME = 80
"""Characters of an arm's name."""


def arms_entry(levers: Levers) -> list[Document]:
    """The summary's ``arms``: what was trained and how it compares with the reference round."""
    return [_arm(found, levers.reference) for found in levers.arms]


def levers_entry(levers: Levers, worth: float | None) -> Document:
    """The summary's ``levers``: what the arms say together.

    Args:
        worth: the gain that would matter, as the config names it.
    """
    return {
        "reference": levers.reference,
        "worth": finite(worth),
        "own": {
            "rows": levers.own.rows,
            "seconds": round(sum(levers.own.seconds.values()), 3),
            "tokens": levers.own.tokens,
            "memory": levers.own.memory,
            "parameters": levers.own.parameters,
            "trainings": [_training(levers.own)],
        },
        "curve": levers.curve and _curve(levers.curve),
        "models": levers.ranking and _ranking(levers.ranking),
        "method": levers.method and _method(levers.method),
        "search": levers.search and search_entry(levers.search),
    }


def _arm(found: ArmResult, reference: int) -> Document:
    arm, first = found.arm, found.tried[0]
    settings = flattened(dict(arm.changed)) if arm.changed else ()
    changed = {one_line(key, NAME): _setting(value) for key, value in settings}
    return {
        "name": one_line(arm.name, NAME),
        "kind": arm.kind,
        "what": ", ".join(f"{key} {value}" for key, value in changed.items()),
        "changed": changed,
        "share": finite(arm.share),
        "rows": first.rows,
        "scores": scores_entry(first.scores),
        "against": f"round {reference}",
        "verdict": found.verdict and verdict_entry(found.verdict),
        "worth": found.worth,
        "seconds": round(sum(sum(one.seconds.values()) for one in found.tried), 3),
        "tokens": first.tokens,
        "memory": first.memory,
        "parameters": first.parameters,
        "failed": next((one_line(one.failed) for one in found.tried if one.failed), None),
        "trainings": [_training(one) for one in found.tried],
    }


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


def _training(tried: Tried) -> Document:
    return {
        "seed": tried.seed,
        "values": {one_line(name): finite(score.value) for name, score in tried.scores.items()},
        "seconds": {one_line(name): finite(took) for name, took in tried.seconds.items()},
        "failed": one_line(tried.failed) or None,
    }


def _curve(found: Curve) -> Document:
    return {
        "points": [
            {
                "share": finite(point.share),
                "rows": point.rows,
                "values": [finite(value) for value in point.values],
            }
            for point in found.points
        ],
        "per_doubling": finite(found.per_doubling),
        "low": finite(found.low),
        "high": finite(found.high),
        "last_doubling": finite(found.last_doubling),
        "sentence": one_line(found.sentence),
    }


def _ranking(found: Ranking) -> Document:
    return {
        "places": {one_line(name, NAME): place for name, place in found.places.items()},
        "pairs": [
            {
                "first": one_line(pair.first, NAME),
                "second": one_line(pair.second, NAME),
                "difference": finite(pair.difference),
                "low": finite(pair.low),
                "high": finite(pair.high),
                "p": finite(pair.p),
                "label": pair.label,
            }
            for pair in found.pairs
        ],
        "sentence": one_line(found.sentence),
    }


def _method(found: Method) -> dict[str, Any]:
    return {
        "name": one_line(found.name),
        "values": [finite(value) for value in found.values],
        "verdict": verdict_entry(found.verdict),
    }
