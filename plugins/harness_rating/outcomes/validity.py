"""Which automatic metric can be believed: each against what raters said of the same answers.

Two views of one set of ratings:

* *answers*: each rated answer has the raters' overall score and the metric's value; does the
  metric order any two answers as raters do, whatever their prompts?
* *differences*: two answers to one prompt, later round minus earlier; does the metric prefer the
  one that raters prefer? Pairwise ratings give only this view.

This module loads NumPy: import it where it is used.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from harness.kit.numbers import share as shown_share
from harness.kit.text import one_line
from harness.stats import Floats
from harness_rating.batches.records import SETTLED, Batch, Rating
from harness_rating.figures import FEW_GROUPS
from harness_rating.outcomes.concordance import any_two, same_prompt
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
        "sentences": [_decisive(metric)["sentence"] for metric in metrics]
        + ([] if batch.verdicts else [_NO_SAMPLE.format(one_line(batch.strategy, 40))]),
    }


def overall_scores(batch: Batch, ratings: Iterable[Rating]) -> dict[str, float]:
    """Item -> mean overall score of its raters (for pairs the preference for A), 0 to 1.

    Raises:
        DataError: a value that its scale does not know.
    """
    counting = [
        rating
        for rating in ratings
        if rating.rater in batch.raters or rating.rater.startswith(SETTLED)
    ]
    scored, overall = ScoredItems(batch, counting), Column(batch.rubric, OVERALL, "")
    means = {item: scored.mean(overall, item) for item in scored.values}
    return {item: _clean(value) for item, value in means.items() if value is not None}


def _metric(
    batch: Batch,
    name: str,
    items: Mapping[str, float],
    groups: Mapping[str, str],
    values: Mapping[Answer, float | None],
    sign: float,
    seed: int,
) -> dict[str, Any]:
    scored = {
        answer: _clean(sign * value)
        for answer, value in values.items()
        if value is not None and math.isfinite(value)
    }
    answers = None
    if not batch.rubric.pairwise:
        answers = any_two(*_columns(_answers(batch, items, groups, scored)), seed)
        answers["sentence"] = _in_words(name, "orders any two answers", answers)
    differences = same_prompt(*_columns(_differences(batch, items, groups, scored)), seed)
    differences["sentence"] = _in_words(name, "orders two answers to one prompt", differences)
    return {"metric": name, "answers": answers, "differences": differences}


def _decisive(metric: Mapping[str, Any]) -> Mapping[str, Any]:
    """The view to go by: two answers to one prompt, or any two where there are no such pairs."""
    view: Mapping[str, Any] = metric["differences"]
    if view["accuracy"]["value"] is None and metric["answers"] is not None:
        view = metric["answers"]
    return view


# -- from items to rows -------------------------------------------------------------------------


_Row = tuple[float, float, str]
"""Raters' number, the metric's, and the group."""


def _columns(rows: Iterable[_Row]) -> tuple[Floats, Floats, tuple[str, ...]]:
    rows = list(rows)
    people = np.array([row[0] for row in rows], np.float64)
    metric = np.array([row[1] for row in rows], np.float64)
    return people, metric, tuple(row[2] for row in rows)


def _answers(
    batch: Batch,
    items: Mapping[str, float],
    groups: Mapping[str, str],
    scored: Mapping[Answer, float],
) -> Iterator[_Row]:
    for item, people in items.items():
        (answer,) = _sources(batch, item)
        if answer in scored:
            yield people, scored[answer], groups[item]


def _differences(
    batch: Batch,
    items: Mapping[str, float],
    groups: Mapping[str, str],
    scored: Mapping[Answer, float],
) -> Iterator[_Row]:
    for item, earlier, later, people in _pairs(batch, items):
        if earlier in scored and later in scored:
            yield people, _clean(scored[later] - scored[earlier]), groups[item]


def _pairs(batch: Batch, items: Mapping[str, float]) -> Iterator[tuple[str, Answer, Answer, float]]:
    """Item, earlier and later answer, and by how much raters prefer the later one."""
    if batch.rubric.pairwise:
        for item, prefers_a in items.items():
            a, b = _sources(batch, item)
            prefers_b = 1 - 2 * prefers_a  # -1 to 1
            if _when(a) <= _when(b):
                yield item, a, b, prefers_b
            else:
                yield item, b, a, -prefers_b
        return
    by_example: dict[str, list[tuple[Answer, str]]] = defaultdict(list)
    for item in items:
        (answer,) = _sources(batch, item)
        by_example[answer[2]].append((answer, item))
    for of_example in by_example.values():
        ordered = sorted(of_example, key=lambda pair: _when(pair[0]))
        for (earlier, first), (later, second) in itertools.combinations(ordered, 2):
            if earlier != later:
                yield second, earlier, later, _clean(items[second] - items[first])


def _sources(batch: Batch, item: str) -> tuple[Answer, ...]:
    placing = batch.placings[item]
    return tuple((placing.arm, number, placing.example_id) for number in placing.rounds)


def _clean(value: float) -> float:
    # With 12 digits rounding makes no difference between values that are one.
    return float(f"{value:.12g}")


def _when(answer: Answer) -> tuple[int, str]:
    return answer[1], answer[0]


# -- in words -----------------------------------------------------------------------------------


def _in_words(metric: str, does: str, view: Mapping[str, Any]) -> str:
    share, label = view["accuracy"], one_line(metric, 60)
    if share["value"] is None:
        return f"Whether {label} {does} as raters do is unknown: {share['why']}."
    text = f"{label} {does} as raters do in {shown_share(share)} of pairs: {_reading(share)}"
    ties = []
    if view["people_tied"] == 1:
        ties.append("1 pair that raters rate equal is left out")
    elif view["people_tied"]:
        ties.append(f"{view['people_tied']:,} pairs that raters rate equal are left out")
    if view["metric_tied"]:
        count = "counts" if view["metric_tied"] == 1 else "count"
        ties.append(f"{view['metric_tied']:,} that {label} scores alike {count} one half")
    return f"{text} ({'; '.join(ties)})." if ties else f"{text}."


def _reading(share: Mapping[str, Any]) -> str:
    if share["groups"] < FEW_GROUPS:
        return f"only {share['groups']} groups of items, too few to judge by"
    value, low, high = share["value"], share["low"], share["high"]
    if low is None:
        return f"there is no interval, because {share['why']}"
    if high < 0.5:
        return "worse than chance; it prefers what raters do not"
    if low <= 0.5:
        return "not shown to be better than chance"
    if value < 0.65:
        return "little better than chance"
    return "often right" if value < 0.8 else "mostly right"
