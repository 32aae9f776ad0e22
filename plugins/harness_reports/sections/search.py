"""The search of settings: what came of it, its trials as a picture and as a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import harness
from harness.kit.blocks import Block, Chart, Column, Heading, Note, Paragraph, Point, Series, Table
from harness.kit.numbers import DASH, duration
from harness.kit.text import one_line
from harness_reports import figures
from harness_reports.figures import Document

NAME = 40
"""Characters of a key or a value."""
SHORT = 5
"""Trials that a short report names."""
LOSS = "loss"
LOGARITHMIC = 10.0
"""From this ratio of the greatest to the least value on, an axis counts in ratios."""
APART = 0.12
"""Height above a missing value at which an axis begins."""
_STATES = {"done": "", "pruned": "ended early", "failed": "failed", "open": "not finished"}


class SearchSection(harness.Section):
    """The conclusion, the picture, the trials, the best first."""

    name = "search"
    title = "Settings by search"
    order = 600
    always = True

    def blocks(self, document: Document) -> Iterator[Block]:
        levers = figures.levers(document)
        found = levers and levers["search"]
        if not found or not found["trials"]:
            return
        trials = found["trials"]
        keys = list(dict.fromkeys(key for trial in trials for key in trial["values"]))
        yield Heading(self.title, f"{len(trials)} trials, {duration(found['seconds'])}")
        yield Paragraph(one_line(found["sentence"], 1_000))
        drawn = _series(found, trials, keys)
        if len(drawn) > 1:
            title = f"Trials: settings and {_measure(found)}"
            legend = "best at the top, thick: the best trial, dashed: ended early"
            if any(one["values"].get(key) is None for one in trials for key in keys):
                legend += f", {DASH} at the bottom: not set"
            yield Chart("parallel", title, drawn, remark=legend, told=True)
        yield _table(found, trials, keys)
        yield Note(_measured(found, trials))


def _measure(found: Mapping[str, Any]) -> str:
    by = found["by"]
    return "validation loss" if by == LOSS else one_line(by, NAME)


def _measured(found: Mapping[str, Any], trials: Sequence[Mapping[str, Any]]) -> str:
    folds, rows = found["folds"], found["rows"]
    if folds > 1:
        how = f"{rows} rows of train and valid, held out of training in {folds} parts in turn"
    else:
        how = f"{rows} rows of valid"
    told = (
        f"The {_measure(found)} of {how}. Trials were compared on these rows, never on dev or "
        "test. Which of the settings mattered is not known from it."
    )
    failed = [one for one in trials if one["state"] == "failed"]
    if failed:
        why = one_line(failed[0]["failed"] or "", 200)
        told += f" {len(failed)} failed, the first one: {why}"
    return told


def _mean(trial: Mapping[str, Any]) -> float | None:
    known = [one for one in trial["folds"] if one is not None]
    return sum(known) / len(known) if known else None


def _table(
    found: Mapping[str, Any], trials: Sequence[Mapping[str, Any]], keys: Sequence[str]
) -> Table:
    sign = -1.0 if found["higher_is_better"] else 1.0

    def order(trial: Mapping[str, Any]) -> tuple[bool, float, float]:
        value, mean = trial["value"], _mean(trial)
        return value is None, math.inf if mean is None else sign * mean, trial["number"]

    columns = (
        Column("trial", "word"),
        *(Column(one_line(key, NAME), "number", spare=2 if place > 3 else 0)
          for place, key in enumerate(keys)),
        Column(_measure(found), "number", strong=True), Column("", spare=1),
        Column("time", "number", spare=3),
    )  # fmt: skip
    rows = []
    for trial in sorted(trials, key=order):
        best = " ●" if trial["number"] == found["best"] else ""
        own = "the run's own" if trial["number"] == 0 else ""
        about = ", ".join(filter(None, (own, _STATES[trial["state"]])))
        took = trial["seconds"]
        rows.append((
            f"{trial['number'] + 1}{best}", *(_shown(trial["values"].get(key)) for key in keys),
            _figure(trial["value"]), about, DASH if took is None else duration(took),
        ))  # fmt: skip
    return Table(columns, tuple(rows), "Trials, the best first", SHORT, "worse or without a value")


def _figure(value: float | None) -> str:
    return DASH if value is None else f"{value:.4g}"


def _shown(value: Any) -> str:
    return DASH if value is None else one_line(f"{value:.4g}" if _number(value) else value, NAME)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _series(
    found: Mapping[str, Any], trials: Sequence[Mapping[str, Any]], keys: Sequence[str]
) -> tuple[Series, ...]:
    """A line for each trial that has a value, or was ended early with that of some parts."""
    shown = [one for one in trials if _mean(one) is not None and one["state"] in ("done", "pruned")]
    names = _short(keys)
    axes = {key: _Axis([one["values"].get(key) for one in shown]) for key in keys}
    ends = _Axis([_mean(one) for one in shown])
    upwards = bool(found["higher_is_better"])
    lines = []
    for trial in shown:
        settings = [
            Point(names[key], axes[key].place(trial["values"].get(key)),
                  tip=_shown(trial["values"].get(key)))
            for key in keys
        ]  # fmt: skip
        mean, early = _mean(trial), trial["state"] == "pruned"
        place = ends.place(mean)
        end = Point(
            _measure(found), place if upwards else 1 - place,
            strong=trial["number"] == found["best"],
            tip=_figure(mean), tone="open" if early else "base",
        )  # fmt: skip
        name = f"trial {trial['number'] + 1}" + (" (ended early)" if early else "")
        lines.append(Series(name, (*settings, end)))
    return tuple(lines)


def _short(keys: Sequence[str]) -> dict[str, str]:
    """Key -> its last part, where no other key has the same."""
    last = [key.rpartition(".")[2] for key in keys]
    return {
        key: one_line(end if last.count(end) == 1 and end != LOSS else key, NAME)
        for key, end in zip(keys, last, strict=True)
    }


def _rank(value: Any) -> tuple[bool, float, str]:
    return (False, value, "") if _number(value) else (True, 0.0, _shown(value))


class _Axis:
    """Where values stand between 0 and 1.

    Numbers stand by size; where some are none, all in their order, text after numbers. A missing
    value stands at the bottom, apart from all others.
    """

    def __init__(self, values: Sequence[Any]) -> None:
        known = [value for value in values if value is not None]
        self.bottom = APART if len(known) < len(values) else 0.0
        self.numbers = all(map(_number, known))
        self.order = list(dict.fromkeys(map(_shown, sorted(known, key=_rank))))
        if not self.numbers or not known:
            return
        low, high = float(min(known)), float(max(known))
        self.log = low > 0 and high / low >= LOGARITHMIC
        self.low, self.high = (math.log(low), math.log(high)) if self.log else (low, high)

    def place(self, value: Any) -> float:
        if value is None:
            return 0.0
        return self.bottom + (1 - self.bottom) * self._share(value)

    def _share(self, value: Any) -> float:
        """How far up among the known values."""
        if not self.numbers:
            return self.order.index(_shown(value)) / max(1, len(self.order) - 1)
        at = math.log(value) if self.log else value
        span = self.high - self.low
        return min(1.0, max(0.0, (at - self.low) / span)) if span else 0.5
