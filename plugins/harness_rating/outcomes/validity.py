"""Which automatic metric can be believed: each against what raters said of the same answers.

Two views of one set of ratings:

* *answers*: each rated answer has the raters' overall score and the metric's value; does the
  metric rank answers as raters do, whatever their prompts?
* *differences*: two answers to one prompt, later round minus earlier; does the metric prefer the
  one that raters prefer? Pairwise ratings give only this view.

How the figures are computed: :mod:`harness_rating.outcomes.ranks`,
:mod:`harness_rating.outcomes.concordance`.

This module loads NumPy: import it where it is used.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness import to_json
from harness.kit.text import one_line
from harness.stats import Floats
from harness_rating.batches.records import SETTLED, Batch, Rating
from harness_rating.figures import Figure, bootstrap, ratio
from harness_rating.outcomes.concordance import compared, differences
from harness_rating.outcomes.ranks import Rows
from harness_rating.outcomes.validity_text import in_words
from harness_rating.ratings.resolved import OVERALL, Column, ScoredItems

SCHEMA = "harness.validity/1"

Answer = tuple[str, int, str]
"""(arm, round, example id): where one answer came from."""

_NO_SAMPLE = (
    "This batch was drawn for finding errors ({}), so it is no sample of all answers, and a metric "
    "may do better or worse on those."
)


def validity_of(
    batch: Batch,
    ratings: Iterable[Rating],
    scores: Mapping[str, Mapping[Answer, float | None]],
    groups: Mapping[str, str] | None = None,
    seed: int = 0,
    lower_is_better: Iterable[str] = (),
) -> dict[str, Any]:
    """How well each automatic metric does what raters do, as a JSON-like document.

    Raters are averaged within an item; a value that was settled afterwards stands for all of
    them. Hidden repeats are left out.

    Args:
        scores: metric -> (arm, round, example id) -> value of the answer; None = not scored.
        groups: item -> group of rows that belong together; by default the placing's.
        lower_is_better: metrics of which less is better; their values are turned round.

    Returns:
        A document of schema ``harness.validity/1``; see ``docs/agreement.md``.

    Raises:
        DataError: a value that its scale does not know.
    """
    items = overall_scores(batch, ratings)
    of_item = {item: (groups or {}).get(item) or batch.group(item) for item in items}
    turned = set(lower_is_better)
    metrics = [
        _metric(batch, name, items, of_item, values, -1.0 if name in turned else 1.0, seed)
        for name, values in scores.items()
    ]
    return {
        "schema": SCHEMA,
        "batch": batch.name,
        "rated": len(items),
        "groups": len(set(of_item.values())),
        "metrics": metrics,
        "sentences": [line for metric in metrics for line in metric["sentences"]]
        + ([] if batch.verdicts else [_NO_SAMPLE.format(one_line(batch.strategy, 40))]),
    }


def overall_scores(batch: Batch, ratings: Iterable[Rating]) -> dict[str, float]:
    """Item -> mean overall score of its raters (for pairs the preference for A), 0 to 1.

    Raises:
        DataError: a value that its scale does not know.
    """
    own = [r for r in ratings if r.rater in batch.raters or r.rater.startswith(SETTLED)]
    scored, overall = ScoredItems(batch, own), Column(batch.rubric, OVERALL, "")
    means = {item: scored.mean(overall, item) for item in scored.values}
    return {item: _clean(value) for item, value in means.items() if value is not None}


# -- from items to rows -------------------------------------------------------------------------


def _metric(
    batch: Batch,
    name: str,
    items: Mapping[str, float],
    groups: Mapping[str, str],
    values: Mapping[Answer, float | None],
    sign: float,
    seed: int,
) -> dict[str, Any]:
    known = {
        answer: _clean(sign * value)
        for answer, value in values.items()
        if value is not None and math.isfinite(value)
    }
    answers = None if batch.rubric.pairwise else _answers(batch, items, groups, known)
    changes = list(_changes(batch, items, groups, known))
    found: dict[str, Any] = {
        "metric": name,
        "answers": None if answers is None else compared(answers, seed),
        "differences": differences(_rows([change for _, change in changes]), seed),
        "rounds": _rounds(changes, seed),
    }
    found["sentences"] = in_words(name, found)
    return found


_Row = tuple[float, float, str]
"""Raters' number, the metric's, and the group."""


def _answers(
    batch: Batch,
    items: Mapping[str, float],
    groups: Mapping[str, str],
    known: Mapping[Answer, float],
) -> Rows:
    rows = []
    for item, people in items.items():
        (answer,) = _sources(batch, item)
        if answer in known:
            rows.append((people, known[answer], groups[item]))
    return _rows(rows)


def _changes(
    batch: Batch,
    items: Mapping[str, float],
    groups: Mapping[str, str],
    known: Mapping[Answer, float],
) -> Iterator[tuple[tuple[Answer, Answer], _Row]]:
    """Two answers to one prompt: ``(earlier, later)`` and the difference, later - earlier."""
    for item, one, other, people in _pairs(batch, items):
        if one in known and other in known:
            yield (one, other), (people, _clean(known[other] - known[one]), groups[item])


def _pairs(batch: Batch, items: Mapping[str, float]) -> Iterator[tuple[str, Answer, Answer, float]]:
    """Item, earlier and later answer, and by how much raters prefer the later one."""
    if batch.rubric.pairwise:
        for item, prefers_a in items.items():
            a, b = _sources(batch, item)
            preference = 1 - 2 * prefers_a  # of B
            yield (item, a, b, preference) if _when(a) <= _when(b) else (item, b, a, -preference)
        return
    of_example: dict[str, list[tuple[Answer, str]]] = defaultdict(list)
    for item in items:
        (answer,) = _sources(batch, item)
        of_example[answer[2]].append((answer, item))
    for found in of_example.values():
        ordered = sorted(found, key=lambda pair: _when(pair[0]))
        for (one, first), (other, second) in itertools.combinations(ordered, 2):
            if one != other:
                yield second, one, other, _clean(items[second] - items[first])


def _sources(batch: Batch, item: str) -> tuple[Answer, ...]:
    placing = batch.placings[item]
    return tuple((placing.arm, number, placing.example_id) for number in placing.rounds)


def _clean(value: float) -> float:
    """A number of 12 digits, so that rounding makes no differences."""
    return float(f"{value:.12g}")


def _when(answer: Answer) -> tuple[int, str]:
    return answer[1], answer[0]


def _rows(rows: Sequence[_Row]) -> Rows:
    people, metric, groups = zip(*rows, strict=True) if rows else ((), (), ())
    return Rows(np.array(people, np.float64), np.array(metric, np.float64), tuple(groups))


# -- rounds -------------------------------------------------------------------------------------


def _rounds(
    changes: Sequence[tuple[tuple[Answer, Answer], _Row]], seed: int
) -> list[dict[str, Any]]:
    """For each two rounds rated on the same prompts: mean difference by raters, by the metric."""
    by_rounds: dict[tuple[tuple[str, int], tuple[str, int]], list[_Row]] = defaultdict(list)
    for (one, other), row in changes:
        by_rounds[one[:2], other[:2]].append(row)
    found = []
    for (earlier, later), rows in sorted(by_rounds.items()):
        both = _rows(rows)
        people, metric = (to_json(_mean(side, both, seed)) for side in (both.people, both.metric))
        found.append(
            {
                "from": {"arm": earlier[0], "round": earlier[1]},
                "to": {"arm": later[0], "round": later[1]},
                "n": len(rows),
                "people": people,
                "metric": metric,
                "says": _says(people, metric),
            }
        )
    return found


def _mean(values: Floats, rows: Rows, seed: int) -> Figure:
    table = np.column_stack([values, np.ones(len(values))])
    (found,) = bootstrap(table, ratio, rows.groups, seed, (-math.inf, math.inf))
    return found


def _says(people: Mapping[str, Any], metric: Mapping[str, Any]) -> str:
    """Whether two mean differences, with intervals, point the same way."""
    sides = [_side(one) for one in (people, metric)]
    if sides[0] is None:
        return "raters see no clear difference"
    if sides[1] is None:
        return "raters see a difference, the metric no clear one"
    return "both see the same" if sides[0] == sides[1] else "they contradict each other"


def _side(found: Mapping[str, Any]) -> bool | None:
    if found["low"] is None or found["low"] <= 0 <= found["high"]:
        return None
    return bool(found["value"] > 0)
