"""How good the ratings of a batch are: agreement by criterion, and what each rater is like.

:func:`agreement_of` makes one JSON-like document of a batch and its ratings, with sentences for
people. What raters or a rubric wrote stands in it as values, never as keys, and in the sentences
as one harmless line in quotes.

This module loads NumPy: import it where it is used.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.errors import DataError
from harness.rating import rubric as rubrics
from harness.rating.agreement import (
    FEW_GROUPS,
    Figure,
    Grid,
    Kind,
    alpha_of,
    bootstrap,
    from_cells,
    kappas,
    ratio,
    raw_of,
)
from harness.rating.records import Batch, Rating
from harness.rating.rubric import Criterion
from harness.records import to_json
from harness.stats import Floats
from harness.text import one_line

SCHEMA = "harness.agreement/1"
OVERALL = "overall"
RELIABLE, TENTATIVE = 0.8, 0.667  # Krippendorff's customary requirements

_KINDS: Mapping[str, Kind] = {
    "binary": "nominal",
    "choice": "nominal",
    "choices": "sets",
    "ordinal": "ordinal",
    "pairwise": "ordinal",
    "number": "interval",
}
_MIRRORED = {"A": "B", "B": "A"}
_HINT = "the rater's file was changed outside of the program: take it from a backup"
Values = Mapping[tuple[str, str], Any]
"""(rater, item) -> value; None = cannot judge."""


def agreement_of(
    batch: Batch,
    ratings: Iterable[Rating],
    groups: Mapping[str, str] | None = None,
    seed: int = 0,
    seconds: Mapping[tuple[str, str], float] | None = None,
) -> dict[str, Any]:
    """Agreement and quality of a batch's ratings, as a JSON-like document.

    Only ratings by the batch's raters count, not what was settled afterwards. Hidden repeats
    show how steadily each rater judges, and count in nothing else.

    Args:
        groups: item -> group of rows that belong together; by default the placing's.
        seconds: (rater, item) -> time spent on it.

    Returns:
        A document of schema ``harness.agreement/1``; see ``docs/agreement.md``.

    Raises:
        DataError: a value that its scale does not know.
    """
    tables: dict[str, dict[tuple[str, str], Any]] = {c.id: {} for c in batch.rubric.criteria}
    for one in checked(batch, ratings):
        if one.rater in batch.raters:
            tables[one.criterion][one.rater, one.item] = one.value
    scores = _overall(batch, tables)
    of_item = {item: (groups or {}).get(item) or group_of(batch, item) for item in batch.placings}
    criteria = [
        _criterion(batch, criterion, tables[criterion.id], of_item, seed)
        for criterion in batch.rubric.criteria
        if criterion.scale.kind in _KINDS
    ]
    timing = _timing(seconds or {}, batch.raters)
    document = {
        "schema": SCHEMA,
        "batch": batch.name,
        "raters": list(batch.raters),
        "items": sum(p.repeat_of is None for p in batch.placings.values()),
        "ratings": sum(len(table) for table in tables.values()),
        "criteria": criteria,
        OVERALL: None if batch.rubric.pairwise else _scored(batch, scores, of_item, seed),
        "time": timing,
    }
    document["sentences"] = _sentences(document)
    return document


def checked(batch: Batch, ratings: Iterable[Rating]) -> Iterator[Rating]:
    """Ratings of the batch's items and criteria, leaving out marks such as flags.

    Raises:
        DataError: a value that its scale does not know, as in a file edited by hand.
    """
    criteria = {criterion.id: criterion for criterion in batch.rubric.criteria}
    for one in ratings:
        if one.criterion not in criteria or one.item not in batch.placings:
            continue
        try:
            rubrics.check_value(criteria[one.criterion], one.value)
        except DataError as error:
            where = f"batch {batch.name}, rater {one.rater}, item {one.item}"
            raise DataError(error.what, where=where, hint=_HINT) from error
        yield one


def group_of(batch: Batch, item: str) -> str:
    """The group of an item's example, which is itself where it has none."""
    placing = batch.placings[item]
    return placing.group or placing.example_id


def _overall(batch: Batch, tables: Mapping[str, Values]) -> dict[tuple[str, str], float | None]:
    given: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for criterion, table in tables.items():
        for place, value in table.items():
            given[place][criterion] = value
    return {place: rubrics.overall(batch.rubric, values) for place, values in given.items()}


# -- one criterion ------------------------------------------------------------------------------


def _criterion(
    batch: Batch, criterion: Criterion, table: Values, groups: Mapping[str, str], seed: int
) -> dict[str, Any]:
    scale = criterion.scale.kind
    kind = _KINDS[scale]
    points = _points(criterion)
    given = _grid(batch, table, groups, points)
    found = _figures(batch, given, kind, seed)
    if scale in ("choice", "choices", "pairwise"):
        found["severity"] = []
    found |= {
        "id": criterion.id,
        "title": criterion.title,
        "scale": scale,
        "distribution": distribution(table.values()),
        "consistency": _consistency(batch, table, points),
    }
    if scale == "pairwise":
        found["first_shown"] = _first_shown(batch, table, groups, seed)
    if scale == "choices":
        found["choices"] = _per_choice(batch, criterion, table, groups, seed)
    found["sentences"] = _in_words(criterion.title, found)
    return found


def _scored(
    batch: Batch, table: Values, groups: Mapping[str, str], seed: int
) -> dict[str, Any] | None:
    """The overall score, 0 to 1, as if it were one more criterion of an interval scale."""
    given = _grid(batch, table, groups, float)
    found = _figures(batch, given, "interval", seed)
    found["consistency"] = _consistency(batch, table, float)
    found["sentences"] = _in_words("Overall score", found)
    return found


def _figures(batch: Batch, given: Grid, kind: Kind, seed: int) -> dict[str, Any]:
    pairs, mean = kappas(given, kind in ("ordinal", "interval"), seed)
    names = given.names
    return {
        "kind": kind,
        "items_rated_twice": given.count,
        "alpha": to_json(alpha_of(given, kind, seed)),
        "raw": to_json(raw_of(given, seed)),
        "kappa": {
            "weights": "quadratic" if kind in ("ordinal", "interval") else "none",
            "mean": to_json(mean),
            "pairs": [
                {"raters": [names[a], names[b]], **to_json(found)}
                for (a, b), found in pairs.items()
            ],
        },
        "severity": [
            {"rater": names[code], **to_json(found)}
            for code, found in severity(given, seed).items()
        ],
    }


def _grid(
    batch: Batch, table: Values, groups: Mapping[str, str], number: Callable[[Any], float]
) -> Grid:
    """Ratings without repeats and without *cannot judge*."""
    items = [item for item, placing in batch.placings.items() if placing.repeat_of is None]
    row = {item: code for code, item in enumerate(items)}
    column = {rater: code for code, rater in enumerate(batch.raters)}
    cells = [
        (row[item], column[rater], tuple(sorted(value)) if _is_list(value) else value)
        for (rater, item), value in table.items()
        if value is not None and item in row
    ]
    return from_cells(cells, [groups[item] for item in items], batch.raters, number)


def _points(criterion: Criterion) -> Callable[[Any], float]:
    """What a value counts in points of its scale; NaN where the scale has no points."""
    if criterion.scale.kind in ("ordinal", "number"):
        return float
    if criterion.scale.kind in ("binary", "pairwise"):
        return lambda value: rubrics.normal(criterion, value) or 0.0
    return lambda value: math.nan


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _per_choice(
    batch: Batch, criterion: Criterion, table: Values, groups: Mapping[str, str], seed: int
) -> list[dict[str, Any]]:
    """Alpha of each choice by itself, as chosen or not."""
    found = []
    for choice in criterion.scale.choices:
        chosen = {k: choice in value for k, value in table.items() if value is not None}
        given = _grid(batch, chosen, groups, float)
        times = sum(chosen.values())
        found.append({"choice": choice, "times": times} | to_json(alpha_of(given, "nominal", seed)))
    return found


def _first_shown(
    batch: Batch, table: Values, groups: Mapping[str, str], seed: int
) -> dict[str, Any]:
    """Share of preferences, ties aside, for the answer shown first; sides are balanced."""
    given = [
        (item, value == "A")
        for (_, item), value in table.items()
        if value in _MIRRORED and batch.placings[item].repeat_of is None
    ]
    if not given:
        return dict(to_json(Figure(None, why="nobody preferred one answer")))
    sums = np.array([[float(first), 1.0] for _, first in given])
    owners = [groups[item] for item, _ in given]
    (found,) = bootstrap(sums, ratio, owners, seed, (0.0, 1.0))
    return dict(to_json(found))


def distribution(values: Iterable[Any]) -> list[dict[str, Any]]:
    """How often each value was given, most frequent first; lists count for each choice.

    The value None is *cannot judge*. Shares are of the ratings, so those of choices need not add
    up to 1.
    """
    counts: Counter[Any] = Counter()
    total = 0
    for value in values:
        total += 1
        counts.update(set(value) if _is_list(value) else [value])
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return [{"value": value, "ratings": n, "share": n / total} for value, n in ordered]


# -- each rater ---------------------------------------------------------------------------------


def severity(given: Grid, seed: int | None) -> dict[int, Figure]:
    """By how many points each rater (code) is above the others on the same units.

    A rating's deviation is from the mean of the *others'* ratings of that unit: the mean of all
    would contain the rater, and with two raters halve the difference. Below 0 is strict.
    """
    if not given.count or not np.isfinite(given.numbers).all():
        return {}
    values, sizes = given.numbers[given.codes], given.sizes
    sums = np.bincount(given.units, values, given.count)
    others = (sums[given.units] - values) / (sizes[given.units] - 1)
    raters, columns = np.unique(given.raters, return_inverse=True)
    shape = (given.count, len(raters))
    apart, rated = np.zeros(shape), np.zeros(shape)
    np.add.at(apart, (given.units, columns), values - others)
    np.add.at(rated, (given.units, columns), 1.0)

    def scores(sums: Floats) -> Floats:
        half = len(raters)
        return np.asarray(sums[:half] / sums[half:])

    limits = (-math.inf, math.inf)
    found = bootstrap(np.hstack([apart, rated]), scores, given.groups, seed, limits, rated)
    return dict(zip(raters.tolist(), found, strict=True))


def _consistency(
    batch: Batch, table: Values, number: Callable[[Any], float]
) -> list[dict[str, Any]]:
    """How far each rater gave hidden repeats the same value again."""
    pairs: dict[str, list[tuple[Any, Any]]] = defaultdict(list)
    for (rater, item), again in table.items():
        placing = batch.placings[item]
        first = table.get((rater, placing.repeat_of)) if placing.repeat_of else None
        if first is None or again is None:
            continue
        if placing.rounds != batch.placings[placing.repeat_of or ""].rounds:
            again = _MIRRORED.get(again, again) if isinstance(again, str) else again
        pairs[rater].append((first, again))
    return [
        {"rater": rater, **consistency(pairs[rater], number)}
        for rater in batch.raters
        if pairs[rater]
    ]


def consistency(
    pairs: Sequence[tuple[Any, Any]], number: Callable[[Any], float] = lambda _: math.nan
) -> dict[str, Any]:
    """Share of pairs of one rater's values that are the same, and their mean distance.

    The interval is Wilson's (1927), which also holds where all or none are the same.

    Args:
        number: what a value counts in points, NaN without.
    """
    n = len(pairs)
    same = sum(_same(first, again) for first, again in pairs)
    low, high = wilson(same, n)
    moved = [abs(number(again) - number(first)) for first, again in pairs]
    mean = math.fsum(moved) / n if n else math.nan
    return {
        "repeats": n,
        "same": same / n if n else None,
        "low": low,
        "high": high,
        "moved": mean if math.isfinite(mean) else None,
    }


def _same(first: Any, again: Any) -> bool:
    if _is_list(first) and _is_list(again):
        return set(first) == set(again)
    return bool(first == again)


def wilson(hits: int, n: int) -> tuple[float | None, float | None]:
    """95 % interval of a share: E. B. Wilson, *Probable Inference*, 1927."""
    if not n:
        return None, None
    z = 1.959963984540054
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _timing(seconds: Mapping[tuple[str, str], float], raters: Sequence[str]) -> dict[str, Any]:
    """Seconds for an item, of all and of each rater."""
    of: dict[str, list[float]] = {rater: [] for rater in raters}
    for (rater, _), spent in seconds.items():
        if rater in of:
            of[rater].append(spent)
    every = [spent for one in of.values() for spent in one]
    return {
        **quartiles(every),
        "raters": [{"rater": rater, **quartiles(one)} for rater, one in of.items() if one],
    }


def quartiles(seconds: Sequence[float]) -> dict[str, Any]:
    """Items, and the quartiles of their times; None without any."""
    if len(seconds) < 2:
        only = seconds[0] if seconds else None
        return {"items": len(seconds), "lower": only, "median": only, "upper": only}
    lower, median, upper = statistics.quantiles(seconds, n=4, method="inclusive")
    return {"items": len(seconds), "lower": lower, "median": median, "upper": upper}


# -- in words -----------------------------------------------------------------------------------


def between(found: Mapping[str, Any], digits: int = 2) -> str:
    """A figure's value with its interval: ``0.71 [0.62, 0.80]``."""
    text = f"{found['value']:.{digits}f}"
    if found["low"] is None:
        return text
    return f"{text} [{found['low']:.{digits}f}, {found['high']:.{digits}f}]"


def _in_words(title: str, found: Mapping[str, Any]) -> list[str]:
    name = one_line(title, 60)
    alpha, raw = found["alpha"], found["raw"]
    if alpha["value"] is None:
        return [f"{name}: agreement cannot be computed, because {alpha['why']}."]
    lines = [
        f"{name}: alpha {between(alpha)} on {alpha['n']:,} items rated twice or more: "
        f"{_reading(alpha)}."
    ]
    if alpha["low"] is None:
        lines.append(f"{name}: there is no interval, because {_without(alpha)}.")
    elif alpha["groups"] < FEW_GROUPS:
        lines.append(f"{name}: only {alpha['groups']} groups of items, so the interval is rough.")
    if raw["value"] >= RELIABLE and alpha["value"] < TENTATIVE:
        lines.append(
            f"{name}: two raters give the same value in {raw['value']:.0%} of pairs, but nearly "
            f"all values are alike, so chance alone would come close to that."
        )
    return lines + _side_words(name, found) + _severity_words(name, found["severity"])


def _reading(alpha: Mapping[str, Any]) -> str:
    value, low = alpha["value"], alpha["low"]
    if value >= RELIABLE:
        sure = low is not None and low >= TENTATIVE
        return "raters agree well" if sure else "raters seem to agree well, on few items"
    if value >= TENTATIVE:
        return "enough for careful conclusions only"
    if low is not None and low <= 0:
        return "not shown to be better than chance"
    return "too little to rely on; sharpen the anchors and talk over the items that differ"


def _without(found: Mapping[str, Any]) -> str:
    if found["why"] == "all items say the same":
        return f"no two ratings differ on these {found['n']:,} items"
    return str(found["why"])


def _side_words(name: str, found: Mapping[str, Any]) -> list[str]:
    first = found.get("first_shown")
    if not first or first["low"] is None or first["low"] <= 0.5 <= first["high"]:
        return []
    side = "first" if first["value"] > 0.5 else "second"
    share = max(first["value"], 1 - first["value"])
    return [
        f"{name}: raters prefer the answer shown {side} in {share:.0%} of pairs, though sides were "
        f"drawn by lot: some judge by the place."
    ]


def _severity_words(name: str, raters: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for one in raters:
        if one["low"] is None or one["low"] <= 0 <= one["high"]:
            continue
        side = "higher" if one["value"] > 0 else "lower"
        size = {"value": abs(one["value"])}
        size["low"], size["high"] = sorted((abs(one["low"]), abs(one["high"])))
        lines.append(
            f"{name}: {one['rater']} scores {between(size)} points {side} than the others on the "
            f"same {one['n']:,} items."
        )
    return lines


def _sentences(document: Mapping[str, Any]) -> list[str]:
    parts = [*document["criteria"], *([document[OVERALL]] if document[OVERALL] else [])]
    lines = [line for part in parts for line in part["sentences"]]
    for part in document["criteria"]:
        for one in part["consistency"]:
            lines.append(
                f"{one_line(part['title'], 60)}: {one['rater']} gave {one['same']:.0%} "
                f"[{one['low']:.0%}, {one['high']:.0%}] of {one['repeats']} hidden repeats the "
                f"same value again."
            )
    time = document["time"]
    if time["items"]:
        lines.append(
            f"An item takes {time['median']:.0f} s; half of them take {time['lower']:.0f} to "
            f"{time['upper']:.0f} s."
        )
    return lines
