"""Whether a judge may stand in for raters: how far it agrees with them, and where it errs.

Both sides are brought to 0..1: raters' values are averaged within an item, the judge's over its
samples. On these numbers the quadratically weighted kappa is the intraclass correlation of the
two, which needs no categories: J. L. Fleiss and J. Cohen, *The Equivalence of Weighted Kappa and
the Intraclass Correlation Coefficient as Measures of Reliability*, 1973. With one rater and
samples that agree it is Cohen's weighted kappa (1968) itself.

This module loads NumPy, and SciPy when called: import it where it is used.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness import Criterion, Item, Judgement, Rubric, to_json
from harness_rating.agreement.grid import grid
from harness_rating.agreement.kappa import kappas
from harness_rating.batches.records import Batch, Rating
from harness_rating.figures import Figure, bootstrap, ratio, share
from harness_rating.judge import judgements
from harness_rating.judge.calibration_text import in_words, label_words
from harness_rating.judge.judgements import Judged
from harness_rating.outcomes.concordance import any_two
from harness_rating.outcomes.outcomes import outcomes_of
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.resolved import OVERALL, Column, clean, columns, mean

SCHEMA = "harness.calibration/1"
_COMPARED = (
    "criterion", "title", "arm", "round", "against", "n", "groups", "wins", "ties", "losses",
    "win_rate", "difference",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One item as raters and the judge see it.

    Attributes:
        words: of the answer; for pairs those of A less those of B.
        raters: what each rater said, criterion -> value; empty where nobody rated all of it.
        judged: criterion -> judgement.
    """

    group: str
    words: int
    people: Sequence[Mapping[str, Any]] = ()
    judged: Mapping[str, Judgement] = field(default_factory=dict)


def words_of(item: Item) -> int:
    """Words of an item's answer; for pairs those of A less those of B."""
    counts = [len(answer.split()) for answer in item.answers]
    return counts[0] - counts[1] if len(counts) > 1 else counts[0]


def rows_of(batch: Batch, judged: Judged, folder: RatingsFolder) -> list[Row]:
    """The judged items of a batch, with the values of its raters."""
    rated, items = folder.complete(batch), batch.by_id
    rows = []
    for item in batch.originals:
        of_item = judgements.of_item(judged, item, batch.rubric)
        if of_item:
            values = tuple(rated.get(item, {}).values())
            rows.append(Row(batch.group(item), words_of(items[item]), values, of_item))
    return rows


def calibration_of(rubric: Rubric, rows: Sequence[Row], seed: int = 0) -> dict[str, Any]:
    """How far a judge agrees with raters, as a JSON-like document.

    Returns:
        A document of schema ``harness.calibration/1``; see ``docs/agreement.md``.
    """
    wanted = judgements.settings(rubric)
    parts = [_part(column, rows, wanted, seed) for column in columns(rubric)]
    whole, *criteria = parts
    every = [judgement for row in rows for judgement in row.judged.values()]
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "rubric": rubric.id,
        "version": rubric.version,
        "bar": wanted.bar,
        "needed": wanted.items,
        "judged": len(rows),
        "rated": whole["n"],
        "judgements": len(every),
        "unreadable": sum(bool(judgement.error) for judgement in every),
        "calibrated": whole["calibrated"],
        "label": label_words(whole, wanted.bar, wanted.items),
        "overall": whole,
        "criteria": criteria,
    }
    document["sentences"] = in_words(document)
    return document


# -- one number that raters and the judge both give ---------------------------------------------


def _part(
    column: Column, rows: Sequence[Row], wanted: judgements.Settings, seed: int
) -> dict[str, Any]:
    both = []
    for row in rows:
        people = mean([column.value(values) for values in row.people])
        judge = judge_value(column, row.judged)
        if people is not None and judge is not None:
            both.append((row, people, clean(judge)))
    groups = [row.group for row, _, _ in both]
    by_people = np.array([people for _, people, _ in both], np.float64)
    by_judge = np.array([judge for _, _, judge in both], np.float64)
    words = np.array([row.words for row, _, _ in both], np.float64)
    kappa = _kappa(by_people, by_judge, groups, seed)
    apart = by_judge - by_people
    enough = len(both) >= wanted.items
    above = kappa.value is not None and kappa.value > wanted.bar
    return {
        "id": column.criterion or "overall",
        "title": column.title,
        "n": len(both),
        "groups": len(set(groups)),
        "kappa": to_json(kappa),
        "bias": to_json(_mean_of(apart, groups, seed)),
        "length": _length(apart, words, groups, seed),
        "consistency": to_json(_consistency(column, rows, seed)),
        "position": to_json(_position(column, rows, seed)),
        "calibrated": enough and above,
    }


def judge_value(column: Column, judged: Mapping[str, Judgement]) -> float | None:
    """What the judge's samples come to, 0 to 1."""
    if column.criterion == OVERALL:
        return judgements.overall(column.rubric, judged)
    judgement = judged.get(column.criterion)
    if judgement is None:
        return None
    return judgements.score(column.rubric.criterion(column.criterion), judgement)


def _kappa(people: Any, judge: Any, groups: Sequence[str], seed: int) -> Figure:
    table = np.column_stack([people, judge]).tolist()
    if not table:
        return Figure(None, why="no item is rated by raters and the judge")
    pairs, _ = kappas(grid(table, groups), True, seed)
    return pairs[0, 1]


def _mean_of(values: Any, groups: Sequence[str], seed: int) -> Figure:
    if not len(values):
        return Figure(None, why="no item is rated by raters and the judge")
    table = np.column_stack([values, np.ones(len(values))])
    (figure,) = bootstrap(table, ratio, groups, seed, (-1.0, 1.0))
    return figure


def _length(apart: Any, words: Any, groups: Sequence[str], seed: int) -> dict[str, Any]:
    """In how many pairs the judge goes further beyond raters for the longer answer; 0.5 is fair."""
    accuracy: dict[str, Any] = any_two(words, np.round(apart, 12), groups, seed)["accuracy"]
    if accuracy["value"] is None:
        accuracy["why"] = "too few items, or all of one length"
    return accuracy


# -- the judge against itself -------------------------------------------------------------------


def _of_column(column: Column, row: Row) -> list[tuple[Criterion, Judgement]]:
    """The judgements that a column rests on."""
    judged = []
    for criterion in column.rubric.criteria:
        if not criterion.scores or column.criterion not in (OVERALL, criterion.id):
            continue
        judgement = row.judged.get(criterion.id)
        if judgement is not None and not judgement.error:
            judged.append((criterion, judgement))
    return judged


def _consistency(column: Column, rows: Sequence[Row], seed: int) -> Figure:
    """Share of pairs of samples that give the same value."""

    def counts(row: Row) -> tuple[int, int]:
        pairs: list[tuple[Any, Any]] = []
        for criterion, judgement in _of_column(column, row):
            samples = judgement.samples
            if criterion.scale.kind == "pairwise":
                # Compared are samples that were asked in one way: those of each order.
                pairs += itertools.combinations(samples[::2], 2)
                pairs += itertools.combinations(samples[1::2], 2)
            else:
                pairs += itertools.combinations(samples, 2)
        return sum(a == b for a, b in pairs), len(pairs)

    return _share(counts, rows, seed, "each was asked once only")


def _position(column: Column, rows: Sequence[Row], seed: int) -> Figure:
    """Share of pairs whose preference is the same in both orders."""

    def counts(row: Row) -> tuple[int, int]:
        pairs: list[tuple[Any, Any]] = []
        for criterion, judgement in _of_column(column, row):
            if criterion.scale.kind == "pairwise":
                samples = judgement.samples
                pairs += zip(samples[::2], samples[1::2], strict=False)
        return sum(a == b for a, b in pairs), len(pairs)

    return _share(counts, rows, seed, "no pair was asked in both orders")


def _share(
    counts: Callable[[Row], tuple[int, int]], rows: Sequence[Row], seed: int, why: str
) -> Figure:
    """How many of all pairs are the same, by ``counts``: those of a row, and how many it has."""
    counted = [(row.group, *counts(row)) for row in rows]
    counted = [(group, same, pairs) for group, same, pairs in counted if pairs]
    if not counted:
        return Figure(None, why=why)
    table = np.array([[same, pairs] for _, same, pairs in counted], np.float64)
    groups = [group for group, _, _ in counted]
    return share(table, groups, seed)


# -- what the judge prefers ---------------------------------------------------------------------


def judge_outcome(batch: Batch, judged: Judged, calibration: Mapping[str, Any]) -> dict[str, Any]:
    """Wins, ties and losses of each two rounds, and each round's scores, by the judge's values.

    An item with a judgement that could not be read is left out, as one is that a person has not
    answered whole. What is no item of the batch counts in nothing.

    Args:
        calibration: of the same judgements (``harness.calibration/1``).

    Returns:
        ``label`` and ``calibrated``, as the calibration has them, and ``comparisons`` and
        ``scores`` as in ``harness.outcome/1``, without the fields of a verdict.
    """
    ratings = [
        Rating("judge", judgement.item, judgement.criterion, judgement.value, "")
        for judgement in judged.values()
        if judgement.item in batch.placings and not judgement.error
    ]
    outcome = outcomes_of(batch, ratings)
    return {
        "label": calibration["label"],
        "calibrated": calibration["calibrated"],
        "comparisons": [
            {key: comparison[key] for key in _COMPARED} for comparison in outcome["comparisons"]
        ],
        "scores": outcome["scores"],
    }
