"""Rows that two sides have in common: what may be compared, and the first reason against it.

Only rows that are scored on both sides count, and where more is missing on one side than on the
other nothing is concluded: what cannot be scored is seldom missing by chance.
"""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness import stats
from harness.records import Measurement
from harness.scoring import Entry, Groups, table

MIN_GROUPS = 20
MAX_SHARE = 0.10

NO_SPREAD = "the spread of this score cannot be had from these rows"
_NOT_ADDITIVE = "this metric has no statistics that add up over rows, so it has no interval"
_OTHER_METRIC = "the two sides hold different statistics of this metric"
_NOT_BY_CHANCE = "and what cannot be scored is seldom missing by chance"


def usable(groups: Sequence[str]) -> str:
    """Why rows of these groups cannot carry a verdict, or an empty string.

    Args:
        groups: the group of each row.
    """
    counts = Counter(groups)
    if not counts:
        return "no row can be compared"
    if len(counts) < MIN_GROUPS:
        found = f"{len(groups)} rows come from {len(counts)} groups"
        return f"the {found}, and a verdict needs {MIN_GROUPS} groups or more"
    name, most = counts.most_common(1)[0]
    if most > MAX_SHARE * len(groups):
        share = f"{most} of the {len(groups)} rows"
        most_allowed = f"{100 * MAX_SHARE:.0f} % is the most that a verdict allows"
        return f"one group, {reprlib.repr(name)}, has {share}, and {most_allowed}"
    return ""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows scored on both sides, in the order of their ids.

    Attributes:
        ids: of the examples.
        names: each row's group.
        new, old: statistics ``(n, k)``.
        doubt: why no verdict can be had, or an empty string.
        comparable: whether even the bare difference means something.
    """

    ids: list[str]
    names: list[str]
    new: stats.Floats
    old: stats.Floats
    doubt: str
    comparable: bool


def complete_pairs(
    entry: Entry, new: Sequence[Measurement], old: Sequence[Measurement], groups: Groups
) -> Pairs:
    """Complete pairs, and the first reason against a verdict on them."""
    by_id = [{m.example_id: m for m in side} for side in (new, old)]
    if [len(side) for side in by_id] != [len(new), len(old)]:
        raise ValueError("an example is measured twice on one side")
    scored = [{key for key, m in side.items() if m.statistics is not None} for side in by_id]
    ids = sorted(scored[0] & scored[1])
    names = [groups.get(key) or key for key in ids]
    rows = len(by_id[0].keys() | by_id[1].keys())
    here, there = (rows - len(side) for side in scored)
    if not entry.metric.additive:
        return Pairs(ids, names, table([]), table([]), _NOT_ADDITIVE, False)
    if not ids:
        return Pairs(ids, names, table([]), table([]), usable(names), False)
    first, second = (table([side[key] for key in ids]) for side in by_id)
    if first.shape != second.shape:
        return Pairs(ids, names, table([]), table([]), _OTHER_METRIC, False)
    if scored[0] != scored[1]:
        doubt = f"of {rows} rows, {here} are unscored on this side and {there} on the other"
        if here == there:
            doubt += ", and not the same ones"
        return Pairs(ids, names, first, second, f"{doubt}, {_NOT_BY_CHANCE}", False)
    return Pairs(ids, names, first, second, usable(names), True)


def difference(
    entry: Entry, pairs: Pairs, sure: float, seed: int, draws: int
) -> list[stats.Difference]:
    """New minus old on the pairs for each score, turned so that positive is better.

    Args:
        sure: confidence of each one-sided bound.
    """
    first, second = pairs.new, pairs.old
    if not entry.metric.higher_is_better:
        first, second = second, first
    return stats.difference(entry.aggregate, first, second, pairs.names, seed, sure, draws)
