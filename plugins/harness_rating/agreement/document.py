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
from harness_rating.figures import Figure, share
from harness_rating.ratings.resolved import checked
from harness_rating.rubric import scoring

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
    for rating in checked(batch, ratings):
        if rating.rater in batch.raters:
            tables[rating.criterion][rating.rater, rating.item] = rating.value
    scores = _overall(batch, tables)
    of_item = {item: (groups or {}).get(item) or batch.group(item) for item in batch.placings}
    criteria = [
        _criterion(batch, criterion, tables[criterion.id], of_item, seed)
        for criterion in batch.rubric.criteria
        if criterion.scale.kind in _KINDS
    ]
    gives_scores = any(criterion.scores for criterion in batch.rubric.criteria)
    has_score = gives_scores and not batch.rubric.pairwise
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
    values_of: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for criterion, table in tables.items():
        for place, value in table.items():
            values_of[place][criterion] = value
    return {place: scoring.overall(batch.rubric, values) for place, values in values_of.items()}


# -- one criterion ------------------------------------------------------------------------------


def _criterion(
    batch: Batch, criterion: Criterion, table: Values, groups: Mapping[str, str], seed: int
) -> dict[str, Any]:
    scale = criterion.scale.kind
    kind = _KINDS[scale]
    points = _points(criterion)
    ratings = _grid(batch, table, groups, points)
    part = _figures(batch, ratings, kind, seed)
    if scale in ("choice", "choices", "pairwise"):
        part["severity"] = []
    part |= {
        "id": criterion.id,
        "title": criterion.title,
        "scale": scale,
        "distribution": distribution(table.values()),
        "consistency": steadiness(batch, table, points),
    }
    if scale == "pairwise":
        part["first_shown"] = _first_shown(batch, table, groups, seed)
    if scale == "choices":
        part["choices"] = _per_choice(batch, criterion, table, groups, seed)
    part["sentences"] = in_words(criterion.title, part)
    return part


def _scored(batch: Batch, table: Values, groups: Mapping[str, str], seed: int) -> dict[str, Any]:
    """The overall score, 0 to 1, as if it were one more criterion of an interval scale."""
    ratings = _grid(batch, table, groups, float)
    part = _figures(batch, ratings, "interval", seed)
    part["consistency"] = steadiness(batch, table, float)
    part["sentences"] = in_words("Overall score", part)
    return part


def _figures(batch: Batch, ratings: Grid, kind: Kind, seed: int) -> dict[str, Any]:
    pairs, mean = kappas(ratings, kind in ("ordinal", "interval"), seed)
    names = ratings.names
    return {
        "kind": kind,
        "items_rated_twice": ratings.count,
        "alpha": alpha_of(ratings, kind, seed).as_json(),
        "raw": raw_of(ratings, seed).as_json(),
        "kappa": {
            "weights": "quadratic" if kind in ("ordinal", "interval") else "none",
            "mean": mean.as_json(),
            "pairs": [
                {"raters": [names[a], names[b]], **kappa.as_json()}
                for (a, b), kappa in pairs.items()
            ],
        },
        "severity": [
            {"rater": names[code], **figure.as_json()}
            for code, figure in severity(ratings, seed).items()
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
        return lambda value: scoring.normal(criterion, value) or 0.0
    return lambda value: math.nan


def _per_choice(
    batch: Batch, criterion: Criterion, table: Values, groups: Mapping[str, str], seed: int
) -> list[dict[str, Any]]:
    """Alpha of each choice by itself, as chosen or not."""
    rows = []
    for choice in criterion.scale.choices:
        chosen = {place: choice in value for place, value in table.items() if value is not None}
        ratings = _grid(batch, chosen, groups, float)
        times = sum(chosen.values())
        rows.append(
            {"choice": choice, "times": times} | alpha_of(ratings, "nominal", seed).as_json()
        )
    return rows


def _first_shown(
    batch: Batch, table: Values, groups: Mapping[str, str], seed: int
) -> dict[str, Any]:
    """Share of preferences, ties aside, for the answer shown first; sides are balanced."""
    preferences = [
        (item, value == "A")
        for (_, item), value in table.items()
        if value in MIRRORED and batch.placings[item].repeat_of is None
    ]
    if not preferences:
        return Figure(None, why="nobody preferred one answer").as_json()
    sums = np.array([[float(first), 1.0] for _, first in preferences])
    owners = [groups[item] for item, _ in preferences]
    return share(sums, owners, seed).as_json()


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
