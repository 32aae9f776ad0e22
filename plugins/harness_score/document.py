"""Systems measured and compared: the document that ``harness score`` prints.

Its form is ``docs/score.md``'s; :data:`SCHEMA` is its number. Systems answer the same examples in
the same order.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from harness import Comparison, Example, Opening, Scorecard, UsageError, compare_systems, stats
from harness.kit.numbers import percent, sized
from harness.kit.text import one_line, titled
from harness.stats.decision import ALPHA, POWER, usable
from harness_score.request import Request

SCHEMA = "harness.score/1"
MOST_SLICES = 100
SCORE_KEYS = (
    "value", "low", "high", "n", "unscored", "higher_is_better", "signature", "caveat",
)  # fmt: skip

Systems = Mapping[str, Scorecard]
"""Name -> its answers measured: a file of predictions, a round of a run."""


def document(
    systems: Systems,
    request: Request,
    system: str,
    baseline: str | None,
    openings: Mapping[str, Opening],
) -> dict[str, Any]:
    """Scores of all systems, comparisons with the baseline, slices; plain JSON values.

    Args:
        system: the one that ``metrics`` speaks of.
        baseline: the system that all others are compared with, or None.
        openings: metric entry's name -> which opening of sealed rows its measurements are; none
            for other rows.

    Raises:
        UsageError: a field of ``by`` is in no example, or has too many values.
        PluginError: a metric fails on the whole set.
    """
    card = systems[system]
    slices = {field: _slices(field, card.examples) for field in request.by}
    compared: dict[str, dict[str, Comparison]] = {}
    if baseline is not None:
        compared = compare_systems(
            {name: other for name, other in systems.items() if name != baseline},
            systems[baseline], test=request.test_kind, seed=request.resampling_seed,
            alphas={name: opening.alpha for name, opening in openings.items()},
        )  # fmt: skip
    return {
        "schema": SCHEMA,
        "n": len(card.examples),
        "groups": len(set(card.groups.values())),
        "system": system,
        "baseline": baseline,
        "primary": request.primary,
        "metrics": _metrics(card),
        "systems": {name: {"metrics": _metrics(other)} for name, other in systems.items()},
        "comparison": {
            name: {score: _comparison(comparison) for score, comparison in of_system.items()}
            for name, of_system in compared.items()
        },
        "by": {
            field: [_slice(value, ids, systems, system) for value, ids in values]
            for field, values in slices.items()
        },
        "openings": {
            name: {"opening": opening.looks, "alpha": opening.alpha}
            for name, opening in openings.items()
        },
        "remarks": [*_opened(openings), *_remarks(systems, card)],
        "sentence": minimum_detectable_effect(card, compared, request.primary),
    }


def _metrics(card: Scorecard) -> dict[str, Any]:
    return {
        name: {key: getattr(score, key) for key in SCORE_KEYS}
        for name, score in card.scores.items()
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    fields = dataclasses.asdict(comparison) | {"sentence": comparison.sentence}
    return {key: value for key, value in fields.items() if key != "name"}


def check_fields(fields: Sequence[str], examples: Sequence[Example]) -> None:
    """Raises UsageError where a field of ``by`` is in no example, or has too many values."""
    for name in fields:
        _slices(name, examples)


def _slices(field: str, examples: Sequence[Example]) -> list[tuple[Any, list[str]]]:
    """Value -> ids of the examples that have it, the largest slice first."""
    slices: dict[tuple[str, Any], list[str]] = defaultdict(list)
    for example in examples:
        value = example.meta.get(field)
        slices[type(value).__name__, value].append(example.id)
    if set(slices) == {("NoneType", None)}:
        named = {n for e in examples for n, v in e.meta.items() if v is not None}
        known = sorted(named)
        has = f"the examples have: {', '.join(known)}" if known else "the examples have no fields"
        raise UsageError(f"--by {field}: no example has such a field", hint=has)
    if len(slices) > MOST_SLICES:
        raise UsageError(
            f"--by {field}: it has {len(slices)} different values, and a table of slices takes "
            f"{MOST_SLICES} at most"
        )
    ordered = sorted(slices.items(), key=lambda item: (-len(item[1]), str(item[0])))
    return [(value, ids) for (_, value), ids in ordered]


def _slice(value: Any, ids: Sequence[str], systems: Systems, shown: str) -> dict[str, Any]:
    parts = {name: card.part(ids) for name, card in systems.items()}
    scores = {name: {"metrics": _metrics(part)} for name, part in parts.items()}
    head = {"value": value, "n": len(ids), "groups": len(set(parts[shown].groups.values()))}
    several = {"systems": scores} if len(systems) > 1 else {}
    return head | scores[shown] | several


def _opened(openings: Mapping[str, Opening]) -> list[str]:
    """Which opening of sealed rows each metric was, and what that asks of its labels."""
    return [f"{name}: {opening.sentence_on_labels}" for name, opening in openings.items()]


def _remarks(systems: Systems, card: Scorecard) -> list[str]:
    """What the metrics, and the rows that they could not score, have to tell the reader."""
    remarks = []
    for name, other in systems.items():
        head = f"{name}: " if len(systems) > 1 else ""
        remarks += [head + remark for remark in other.remarks()]
    for name, score in card.scores.items():
        if score.value is None and score.n:
            remarks.append(f"{name}: its value over {score.n} rows is not a finite number")
    bare = sum(not example.references for example in card.examples)
    if bare:
        remarks.append(f"{bare} of {len(card.examples)} examples have no reference")
    return list(dict.fromkeys(remarks))


# -- what scores over so many rows can show, and what they cannot ----------------------------------


def minimum_detectable_effect(
    card: Scorecard, compared: Mapping[str, Mapping[str, Comparison]], primary: str | None
) -> str:
    """The smallest difference that these rows can be expected to show.

    Args:
        card: of one system; its scores are used where nothing is compared.
        compared: system -> score name -> comparison.
        primary: the score that decides; None: the first one that can be judged.
    """
    if compared:
        return _of_differences(compared, card, primary)
    names = _scored_groups(card, next(iter(card.scores)))
    doubt = usable(names)
    if doubt:
        return f"These scores describe these rows only: {doubt}. No difference can be judged."
    return _of_one_system(card, sized(len(names), len(set(names))))


def _scored_groups(card: Scorecard, score: str) -> list[str]:
    """The group of each row that has the score."""
    entry = next(entry for entry in card.metrics if score in entry.score_names)
    measured = card.measurements[entry.name]
    return [card.groups[m.example_id] for m in measured if m.statistics is not None]


def _of_differences(
    compared: Mapping[str, Mapping[str, Comparison]], card: Scorecard, primary: str | None
) -> str:
    """Of the score that decides; where none is named, of the first one that can be judged."""
    every = [difference for scores in compared.values() for difference in scores.values()]
    asked = [difference for difference in every if primary in (None, difference.name)]
    shown = next((difference for difference in asked if difference.detectable), asked[0])
    called = titled(shown.name, card.scores[shown.name].caveat)
    if len(compared) == 1:
        return shown.power_and_need(called)
    needs = [
        f"{scores[shown.name].rows_needed:,} rows ({one_line(system, 60)})"
        for system, scores in compared.items()
        if scores[shown.name].lacks_rows
    ]
    sentences = [shown.power(called)]
    if needs:
        sentences.append(f"True differences of the sizes seen would take about {', '.join(needs)}.")
    if shown.detectable:
        sentences.append("All of this is before the correction for several systems.")
    return " ".join(sentences)


def _of_one_system(card: Scorecard, size: str) -> str:
    with_interval = [
        s for s in card.scores.values() if s.se and s.low is not None and s.high is not None
    ]
    if not with_interval:
        return f"{size}: none of these scores has an interval, so no difference can be judged."
    first = with_interval[0]
    names = _scored_groups(card, first.name)
    within = ((first.high or 0.0) - (first.low or 0.0)) / 2
    worth = stats.effective_groups(names)
    least = stats.detectable(first.se or 0.0, 1 - ALPHA / 2, worth, POWER)
    return (
        f"With {sized(len(names), len(set(names)))}, "
        f"{titled(first.name, first.caveat)} is known to within {within:.3g} (95 %). Between two "
        "systems whose differences vary as much as these scores do, the minimum detectable effect "
        f"is {least:.3g} at {percent(POWER)} power."
    )
