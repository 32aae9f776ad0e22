"""The section of reports on a search of settings: its outcome, its trials drawn and in a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import harness
from harness import Analysis
from harness.kit.blocks import Block, Chart, Column, Heading, Note, Paragraph, Point, Series, Table
from harness.kit.numbers import DASH, duration
from harness.kit.text import one_line
from harness_levers.document import ShownSearch, ShownTrial, levers_of
from harness_levers.search.config import LOSS, measure

NAME = 40
"""Characters of a key or a value."""
SHORT = 5
"""Trials that a short report names."""
LOGARITHMIC = 10.0
"""From this ratio of the greatest to the least value on, an axis counts in ratios."""
APART = 0.12
"""Height above a missing value at which an axis begins."""
Setting: TypeAlias = float | str | None
_STATES = {"done": "", "pruned": "ended early", "failed": "failed", "open": "not finished"}


class SearchSection(harness.Section):
    """The conclusion, the picture, the trials, the best first."""

    name = "search"
    title = "Settings by search"
    order = 600
    always = True

    def blocks(self, document: Analysis) -> Iterator[Block]:
        """See :meth:`harness.Section.blocks`."""
        try:
            levers = levers_of(document)
        except harness.DataError:  # the section on all that was tried says so
            return
        if levers is not None and levers.search is not None and levers.search.trials:
            yield from self._told(levers.search)

    def _told(self, search: ShownSearch) -> Iterator[Block]:
        trials = search.trials
        keys = list(dict.fromkeys(key for trial in trials for key in trial.values))
        yield Heading(self.title, f"{len(trials)} trials, {duration(search.seconds)}")
        yield Paragraph(one_line(search.sentence, 1_000))
        lines = _lines(search, keys)
        if len(lines) > 1:
            title = f"Trials: settings and {_measure(search)}"
            legend = "best at the top, thick: the best trial, dashed: ended early"
            if any(trial.values.get(key) is None for trial in trials for key in keys):
                legend += f", {DASH} at the bottom: not set"
            yield Chart("parallel", title, lines, remark=legend, redundant=True)
        yield _table(search, keys)
        yield Note(_how_measured(search))


def _measure(search: ShownSearch) -> str:
    return one_line(measure(search.by), NAME)


def _how_measured(search: ShownSearch) -> str:
    if search.folds > 1:
        rows = (
            f"{search.rows} rows of train and valid, held out of training in {search.folds} parts "
            "in turn"
        )
    else:
        rows = f"{search.rows} rows of valid"
    sentences = (
        f"The {_measure(search)} of {rows}. Trials were compared on these rows, never on dev or "
        "test. Which of the settings mattered is not known from it."
    )
    failed = [trial for trial in search.trials if trial.state == "failed"]
    if failed:
        why = one_line(failed[0].failed or "", 200)
        sentences += f" {len(failed)} failed, the first one: {why}"
    return sentences


def _mean(trial: ShownTrial) -> float | None:
    """Of the parts that are measured: a trial that was ended early has a mean, and no value."""
    measured = [value for value in trial.folds if value is not None]
    return sum(measured) / len(measured) if measured else None


def _table(search: ShownSearch, keys: Sequence[str]) -> Table:
    sign = -1.0 if search.higher_is_better else 1.0

    def order(trial: ShownTrial) -> tuple[bool, float, float]:
        mean = _mean(trial)
        return trial.value is None, math.inf if mean is None else sign * mean, trial.number

    columns = (
        Column("trial", "word"),
        *(Column(one_line(key, NAME), "number", spare=2 if place > 3 else 0)
          for place, key in enumerate(keys)),
        Column(_measure(search), "number", strong=True), Column("", spare=1),
        Column("time", "number", spare=3),
    )  # fmt: skip
    rows = []
    for trial in sorted(search.trials, key=order):
        best = " ●" if trial.number == search.best else ""
        own = "the run's own" if trial.number == 0 else ""
        about = ", ".join(filter(None, (own, _STATES[trial.state])))
        rows.append((
            f"{trial.number + 1}{best}", *(_shown(trial.values.get(key)) for key in keys),
            _figure(trial.value), about,
            DASH if trial.seconds is None else duration(trial.seconds),
        ))  # fmt: skip
    return Table(columns, tuple(rows), "Trials, the best first", SHORT, "worse or without a value")


def _figure(value: float | None) -> str:
    return DASH if value is None else f"{value:.4g}"


def _shown(value: Setting) -> str:
    if value is None:
        return DASH
    return one_line(value if isinstance(value, str) else f"{value:.4g}", NAME)


def _lines(search: ShownSearch, keys: Sequence[str]) -> tuple[Series, ...]:
    """A line for each trial that has a value, or was ended early with that of some parts."""
    means = [
        (trial, mean)
        for trial in search.trials
        if trial.state in ("done", "pruned") and (mean := _mean(trial)) is not None
    ]
    names = _short(keys)
    axes = {key: _Axis([trial.values.get(key) for trial, _ in means]) for key in keys}
    ends = _Axis([mean for _, mean in means])
    lines = []
    for trial, mean in means:
        settings = [
            Point(names[key], axes[key].place(trial.values.get(key)),
                  tip=_shown(trial.values.get(key)))
            for key in keys
        ]  # fmt: skip
        early, place = trial.state == "pruned", ends.place(mean)
        end = Point(
            _measure(search), place if search.higher_is_better else 1 - place,
            strong=trial.number == search.best,
            tip=_figure(mean), tone="open" if early else "base",
        )  # fmt: skip
        name = f"trial {trial.number + 1}" + (" (ended early)" if early else "")
        lines.append(Series(name, (*settings, end)))
    return tuple(lines)


def _short(keys: Sequence[str]) -> dict[str, str]:
    """Key -> its last part, where no other key has the same."""
    last = [key.rpartition(".")[2] for key in keys]
    return {
        key: one_line(end if last.count(end) == 1 and end != LOSS else key, NAME)
        for key, end in zip(keys, last, strict=True)
    }


def _rank(value: float | str) -> tuple[bool, float, str]:
    return (True, 0.0, _shown(value)) if isinstance(value, str) else (False, value, "")


class _Axis:
    """Where values stand between 0 and 1.

    Numbers stand by size; where some are none, all in their order, text after numbers. A missing
    value stands at the bottom, apart from all others.
    """

    def __init__(self, values: Sequence[Setting]) -> None:
        known = [value for value in values if value is not None]
        numbers = [value for value in known if not isinstance(value, str)]
        self.bottom = APART if len(known) < len(values) else 0.0
        self.order = list(dict.fromkeys(map(_shown, sorted(known, key=_rank))))
        self.by_size = len(numbers) == len(known)
        if not self.by_size or not known:
            return
        low, high = float(min(numbers)), float(max(numbers))
        self.log = low > 0 and high / low >= LOGARITHMIC
        self.low, self.high = (math.log(low), math.log(high)) if self.log else (low, high)

    def place(self, value: Setting) -> float:
        if value is None:
            return 0.0
        return self.bottom + (1 - self.bottom) * self._share(value)

    def _share(self, value: float | str) -> float:
        """How far up among the known values."""
        if isinstance(value, str) or not self.by_size:
            return self.order.index(_shown(value)) / max(1, len(self.order) - 1)
        at = math.log(value) if self.log else value
        span = self.high - self.low
        return min(1.0, max(0.0, (at - self.low) / span)) if span else 0.5
