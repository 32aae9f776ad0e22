"""What a blind batch says of its rounds: verdicts, win rates, and each round's scores.

Pairs of answers give verdicts and win rates and no score of a round. Answers that were rated one
by one, both rounds in one batch, give the differences of their values besides.

The label follows the rule of :mod:`harness.verdicts.rule`: one-sided bounds at a level, corrected
for few groups; doubt of any kind reads *no evidence*.

This module loads NumPy: import it where it is used.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness import stats
from harness.stats.decision import NO_SPREAD, POWER, label, usable
from harness_rating.batches.records import SETTLED, Batch, Rating
from harness_rating.figures import Figure, share
from harness_rating.outcomes import text as words
from harness_rating.ratings.resolved import Column, ScoredItems, columns
from harness_rating.rubric.scales import SIDES

SCHEMA = "harness.outcome/1"
_TWO_SIDED = 0.95
_EVEN = 0.5
_DIGITS = 12  # of a difference of two means: what is less is rounding, and a tie

Span = dict[str, float | None]
"""``value``, ``low`` and ``high``."""


def outcomes_of(
    batch: Batch, ratings: Iterable[Rating], *, level: float = 0.95, seed: int = 0
) -> dict[str, Any]:
    """What a batch's ratings say of its rounds, as a JSON-like document.

    Raters are averaged within an item; a value that was settled afterwards stands for all of
    them. Two answers to one example are compared by the raters who rated both. Hidden repeats
    are left out.

    Args:
        ratings: of all who are to count, settled values included.
        level: confidence of each one-sided bound (:func:`harness.stats.decision.level`).

    Returns:
        A document of schema ``harness.outcome/1``; see ``docs/agreement.md``. Titles stand in
        it as the rubric has them.

    Raises:
        DataError: a value that its scale does not know.
    """
    ratings = list(ratings)
    scored_items, wanted = ScoredItems(batch, ratings), columns(batch.rubric)
    compared = [
        _rows(batch, scored_items, column, pair)
        for pair in _round_pairs(batch)
        for column in wanted
    ]
    compared = [rows for rows in compared if rows.values]
    scored = [] if batch.rubric.pairwise else list(_scores(batch, scored_items, wanted, seed))
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "batch": batch.name,
        "run": batch.run,
        "rubric": batch.rubric_name,
        "verdicts": batch.verdicts,
        "comparisons": [_comparison(batch, rows, level, seed) for rows in compared],
        "scores": [score for score, _ in scored],
        "position": _position(batch, ratings) if batch.rubric.pairwise else None,
    }
    total = max((len(rows.pair.items) for rows in compared), default=0)
    bias = _preference_for_the_place(batch, ratings, seed) if batch.rubric.pairwise else None
    missing = [words.missing(score, why) for score, why in scored if why]
    document["sentences"] = words.sentences(document, batch.strategy, total, missing, bias)
    return document


# -- two rounds, matched example by example -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class _RoundPair:
    """Two rounds of one arm.

    Attributes:
        items: example id -> the items of the earlier and the later answer; one item twice for
            pairs.
    """

    arm: str
    earlier: int
    later: int
    items: Mapping[str, tuple[str, str]]


def _round_pairs(batch: Batch) -> Iterator[_RoundPair]:
    """Each two rounds that the batch holds, by arm."""
    item_of: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for item in batch.originals:
        placing = batch.placings[item]
        for number in placing.rounds:
            item_of[placing.arm, number][placing.example_id] = item
    for (arm, earlier), (other, later) in itertools.combinations(sorted(item_of), 2):
        if arm == other:
            old, new = item_of[arm, earlier], item_of[arm, later]
            items = {name: (old[name], new[name]) for name in sorted(old.keys() & new.keys())}
            yield _RoundPair(arm, earlier, later, items)


@dataclass(slots=True)
class _Rows:
    """What one column says of two rounds.

    Attributes:
        values: earlier and later value of each example that has both, in the order of ids.
        groups: one per row of ``values``.
        lopsided: examples of which only one answer has a value.
    """

    pair: _RoundPair
    column: Column
    values: list[tuple[float, float]] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    lopsided: int = 0


def _rows(batch: Batch, scored: ScoredItems, column: Column, pair: _RoundPair) -> _Rows:
    rows = _Rows(pair, column)
    for name, items in pair.items.items():
        values = _values(batch, scored, column, pair, items)
        if values is not None:
            rows.values.append(values)
            rows.groups.append(batch.placings[items[0]].group or name)
        elif any(scored.mean(column, item) is not None for item in items):
            rows.lopsided += 1
    return rows


def _values(
    batch: Batch, scored: ScoredItems, column: Column, pair: _RoundPair, items: tuple[str, str]
) -> tuple[float, float] | None:
    """Earlier and later value; of a pair the share of preferences for each."""
    if items[0] != items[1]:
        return scored.pair(column, items)
    first = scored.mean(column, items[0])
    if first is None:
        return None
    later_first = batch.placings[items[0]].rounds[0] == pair.later
    return (1 - first, first) if later_first else (first, 1 - first)


def _comparison(batch: Batch, rows: _Rows, level: float, seed: int) -> dict[str, Any]:
    pairs = batch.rubric.pairwise
    values = np.array(rows.values, np.float64)
    signs = np.sign(np.round(values[:, 1] - values[:, 0], _DIGITS))
    sound = batch.verdicts and not rows.lopsided
    won = (1 + signs) / 2
    comparison: dict[str, Any] = {
        "criterion": rows.column.criterion,
        "title": rows.column.title,
        "arm": rows.pair.arm,
        "round": rows.pair.later,
        "against": rows.pair.earlier,
        "n": len(values),
        "groups": len(set(rows.groups)),
        "wins": int(np.count_nonzero(signs == 1)),
        "ties": int(np.count_nonzero(signs == 0)),
        "losses": int(np.count_nonzero(signs == -1)),
        "win_rate": _win_rate(won, rows.groups, seed, sound),
        "difference": None if pairs else _difference(values, rows.groups, seed, sound),
    }
    old, new = (np.full(len(won), _EVEN), won) if pairs else (values[:, 0], values[:, 1])
    gap = _gap(new, old, rows.groups, level, seed)
    low, high = _bounds(gap, rows.groups, pairs)
    doubt = _doubt(batch, rows, gap) or (NO_SPREAD if low is None or high is None else "")
    if doubt:
        low = high = None
    verdict = label(low, high, equal=_EVEN if pairs else 0.0)
    least = None if doubt or not gap.se else stats.detectable(gap.se, level, gap.effective, POWER)
    comparison |= {"label": verdict, "low": low, "high": high, "level": level, "detectable": least}
    return comparison | {"sentence": words.comparison(comparison, doubt)}


def _doubt(batch: Batch, rows: _Rows, gap: stats.Difference) -> str:
    """The first reason why there is no verdict, or an empty string."""
    if not batch.verdicts:
        return words.NO_SAMPLE
    if rows.lopsided:
        return words.lopsided(rows.lopsided, len(rows.values) + rows.lopsided)
    doubt = usable(rows.groups)
    if not doubt and gap.se == 0 and gap.value == 0:
        return words.ALL_EQUAL
    return doubt


def _bounds(
    gap: stats.Difference, groups: Sequence[str], pairs: bool
) -> tuple[float | None, float | None]:
    """One-sided bounds of the difference, or for pairs of the win rate."""
    if not pairs or gap.low is None or gap.high is None:
        return gap.low, gap.high
    value = gap.value + _EVEN
    if not gap.se:
        return _exact(value, groups, 1 - gap.level)
    return max(0.0, gap.low + _EVEN), min(1.0, gap.high + _EVEN)


def _win_rate(won: stats.Floats, groups: Sequence[str], seed: int, sound: bool) -> Span:
    gap = _gap(won, np.full(len(won), _EVEN), groups, (1 + _TWO_SIDED) / 2, seed)
    low, high = _bounds(gap, groups, True) if sound else (None, None)
    return {"value": gap.value + _EVEN, "low": low, "high": high}


def _difference(values: stats.Floats, groups: Sequence[str], seed: int, sound: bool) -> Span:
    """Later minus earlier, with a two-sided interval."""
    gap = _gap(values[:, 1], values[:, 0], groups, (1 + _TWO_SIDED) / 2, seed)
    low, high = (gap.low, gap.high) if sound and gap.se else (None, None)
    return {"value": gap.value, "low": low, "high": high}


def _exact(value: float, groups: Sequence[str], alpha: float) -> tuple[float | None, float | None]:
    """Bounds of a share of which all groups say the same, where a bootstrap sees no spread."""
    if value not in (0.0, 1.0) or len(set(groups)) < 2:
        return None, None
    reach = stats.from_end(groups, alpha)
    return (1 - reach, 1.0) if value else (0.0, reach)


def _gap(
    new: stats.Floats, old: stats.Floats, groups: Sequence[str], level: float, seed: int
) -> stats.Difference:
    (difference,) = stats.difference(_means, new[:, None], old[:, None], groups, seed, level)
    return difference


def _means(sums: stats.Floats, rows: stats.Floats) -> stats.Floats:
    return np.asarray(sums / np.asarray(rows)[..., None])


# -- each round ---------------------------------------------------------------------------------


def _scores(
    batch: Batch, scored: ScoredItems, wanted: Sequence[Column], seed: int
) -> Iterator[tuple[dict[str, Any], str]]:
    """The mean value of each round's answers, unrated ones left out; and why a part is missing."""
    rounds: dict[tuple[str, int], list[str]] = defaultdict(list)
    for item in scored.values:
        placing = batch.placings[item]
        rounds[placing.arm, placing.rounds[0]].append(item)
    for (arm, number), items in sorted(rounds.items()):
        for column in wanted:
            means = {item: scored.mean(column, item) for item in sorted(items)}
            values = {item: value for item, value in means.items() if value is not None}
            figure = _mean(list(values.values()), [batch.group(item) for item in values], seed)
            sound = batch.verdicts
            yield (
                {
                    "criterion": column.criterion,
                    "title": column.title,
                    "arm": arm,
                    "round": number,
                    "value": figure.value,
                    "low": figure.low if sound else None,
                    "high": figure.high if sound else None,
                    "n": figure.n,
                    "groups": figure.groups,
                    "unrated": len(items) - len(values),
                },
                figure.why,
            )


def _mean(values: Sequence[float], groups: Sequence[str], seed: int) -> Figure:
    """A mean of values in 0..1, with its interval where they differ."""
    if not values:
        return Figure(None, why=words.UNRATED)
    table = np.column_stack([values, np.ones(len(values))])
    return share(table, groups, seed)


# -- the place where an answer was shown --------------------------------------------------------


def _position(batch: Batch, ratings: Iterable[Rating]) -> dict[str, int]:
    """How often raters preferred the answer shown first, or neither, or the second."""
    sides = [side for _, side in _sides(batch, ratings)]
    counts = {key: sides.count(side) for key, side in zip(("a", "tie", "b"), SIDES, strict=True)}
    return {"n": len(sides), **counts}


def _preference_for_the_place(batch: Batch, ratings: Iterable[Rating], seed: int) -> Span | None:
    """Share of preferences, ties aside, for the answer shown first; None where there are none."""
    sides = [(item, value == "A") for item, value in _sides(batch, ratings) if value != "tie"]
    if not sides:
        return None
    groups = [batch.group(item) for item, _ in sides]
    return _win_rate(np.array([float(first) for _, first in sides]), groups, seed, True)


def _sides(batch: Batch, ratings: Iterable[Rating]) -> Iterator[tuple[str, str]]:
    """Item and side of each preference that a rater gave; settled ones are nobody's first look."""
    originals = set(batch.originals)
    pairwise = {
        criterion.id for criterion in batch.rubric.criteria if criterion.scale.kind == "pairwise"
    }
    for rating in ratings:
        if rating.rater.startswith(SETTLED) or rating.item not in originals:
            continue
        if rating.criterion in pairwise and rating.value in SIDES:
            yield rating.item, rating.value
