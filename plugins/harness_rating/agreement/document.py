"""How good the ratings of a batch are: agreement by criterion, and what each rater is like.

:func:`agreement_of` makes one JSON-like document of a batch and its ratings, with sentences for
raters. What raters or a rubric wrote stands in it as values, never as keys, and in the sentences
as one harmless line in quotes.

This module loads NumPy: import it where it is used.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from harness import Criterion
from harness_rating.agreement.alpha import Kind, alpha_of, raw_of
from harness_rating.agreement.grid import Grid, from_cells
from harness_rating.agreement.kappa import kappas
from harness_rating.agreement.raters import MIRRORED, Values, is_list, severity, steadiness, timing
from harness_rating.agreement.text import OVERALL, in_words, sentences
from harness_rating.batches.records import Batch, Rating
from harness_rating.figures import Figure, bootstrap, ratio
from harness_rating.ratings.resolved import checked
from harness_rating.rubric import scoring as rubrics

SCHEMA = "harness.agreement/1"

_KINDS: Mapping[str, Kind] = {
    "binary": "nominal",
    "choice": "nominal",
    "choices": "sets",
    "ordinal": "ordinal",
    "pairwise": "ordinal",
    "number": "interval",
}


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
    of_item = {item: (groups or {}).get(item) or batch.group(item) for item in batch.placings}
    criteria = [
        _criterion(batch, criterion, tables[criterion.id], of_item, seed)
        for criterion in batch.rubric.criteria
        if criterion.scale.kind in _KINDS
    ]
    has_score = any(one.scores for one in batch.rubric.criteria) and not batch.rubric.pairwise
    document = {
        "schema": SCHEMA,
        "batch": batch.name,
        "raters": list(batch.raters),
        "items": len(batch.originals),
        "ratings": sum(len(table) for table in tables.values()),
        "criteria": criteria,
        OVERALL: _scored(batch, scores, of_item, seed) if has_score else None,
        "time": timing(seconds or {}, batch.raters),
    }
    document["sentences"] = sentences(document)
    return document


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
        "consistency": steadiness(batch, table, points),
    }
    if scale == "pairwise":
        found["first_shown"] = _first_shown(batch, table, groups, seed)
    if scale == "choices":
        found["choices"] = _per_choice(batch, criterion, table, groups, seed)
    found["sentences"] = in_words(criterion.title, found)
    return found


def _scored(
    batch: Batch, table: Values, groups: Mapping[str, str], seed: int
) -> dict[str, Any] | None:
    """The overall score, 0 to 1, as if it were one more criterion of an interval scale."""
    given = _grid(batch, table, groups, float)
    found = _figures(batch, given, "interval", seed)
    found["consistency"] = steadiness(batch, table, float)
    found["sentences"] = in_words("Overall score", found)
    return found


def _figures(batch: Batch, given: Grid, kind: Kind, seed: int) -> dict[str, Any]:
    pairs, mean = kappas(given, kind in ("ordinal", "interval"), seed)
    names = given.names
    return {
        "kind": kind,
        "items_rated_twice": given.count,
        "alpha": alpha_of(given, kind, seed).told(),
        "raw": raw_of(given, seed).told(),
        "kappa": {
            "weights": "quadratic" if kind in ("ordinal", "interval") else "none",
            "mean": mean.told(),
            "pairs": [
                {"raters": [names[a], names[b]], **found.told()} for (a, b), found in pairs.items()
            ],
        },
        "severity": [
            {"rater": names[code], **found.told()} for code, found in severity(given, seed).items()
        ],
    }


def _grid(
    batch: Batch, table: Values, groups: Mapping[str, str], number: Callable[[Any], float]
) -> Grid:
    """Ratings without repeats and without *cannot judge*."""
    items = batch.originals
    row = {item: code for code, item in enumerate(items)}
    column = {rater: code for code, rater in enumerate(batch.raters)}
    cells = [
        (row[item], column[rater], tuple(sorted(value)) if is_list(value) else value)
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


def _per_choice(
    batch: Batch, criterion: Criterion, table: Values, groups: Mapping[str, str], seed: int
) -> list[dict[str, Any]]:
    """Alpha of each choice by itself, as chosen or not."""
    found = []
    for choice in criterion.scale.choices:
        chosen = {k: choice in value for k, value in table.items() if value is not None}
        given = _grid(batch, chosen, groups, float)
        times = sum(chosen.values())
        found.append({"choice": choice, "times": times} | alpha_of(given, "nominal", seed).told())
    return found


def _first_shown(
    batch: Batch, table: Values, groups: Mapping[str, str], seed: int
) -> dict[str, Any]:
    """Share of preferences, ties aside, for the answer shown first; sides are balanced."""
    given = [
        (item, value == "A")
        for (_, item), value in table.items()
        if value in MIRRORED and batch.placings[item].repeat_of is None
    ]
    if not given:
        return Figure(None, why="nobody preferred one answer").told()
    sums = np.array([[float(first), 1.0] for _, first in given])
    owners = [groups[item] for item, _ in given]
    (found,) = bootstrap(sums, ratio, owners, seed, (0.0, 1.0))
    return found.told()


def distribution(values: Iterable[Any]) -> list[dict[str, Any]]:
    """How often each value was given, most frequent first; lists count for each choice.

    The value None is *cannot judge*. Shares are of the ratings, so those of choices need not add
    up to 1.
    """
    counts: Counter[Any] = Counter()
    total = 0
    for value in values:
        total += 1
        counts.update(set(value) if is_list(value) else [value])
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return [{"value": value, "ratings": n, "share": n / total} for value, n in ordered]
