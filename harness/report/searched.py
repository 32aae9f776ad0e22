"""What a summary tells of a search of settings."""

from __future__ import annotations

from typing import Any

from harness.kit.text import one_line
from harness.records.searching import Search, Trial
from harness.report.reading import Document
from harness.report.values import finite, shown

NAME = 80
"""Characters of a key, and of a score's name."""


def search_entry(found: Search) -> Document:
    """The summary's ``levers.search``."""
    return {
        "by": one_line(found.by, NAME),
        "higher_is_better": found.higher_is_better,
        "folds": found.folds,
        "rows": found.rows,
        "planned": found.planned,
        "ended": found.ended,
        "trials": list(map(_trial, found.trials)),
        "best": found.best,
        "arm": one_line(found.arm, NAME) or None,
        "seconds": round(sum(one.seconds for one in found.trials), 3),
        "sentence": one_line(found.sentence),
    }


def _trial(trial: Trial) -> Document:
    return {
        "number": trial.number,
        "values": {one_line(key, NAME): _value(value) for key, value in trial.values.items()},
        "folds": [finite(one) for one in trial.folds],
        "course": [finite(one) for one in trial.course],
        "value": finite(trial.value),
        "state": trial.state,
        "seconds": finite(trial.seconds),
        "failed": one_line(trial.failed) or None,
    }


def _value(value: Any) -> str | float | None:
    """A setting: a number as it is, none where it is not set, all else as text."""
    if value is None:
        return None
    number = None if isinstance(value, bool) else finite(value)
    return shown(value) if number is None else number
