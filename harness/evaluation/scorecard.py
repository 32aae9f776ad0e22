"""Systems measured and compared: the document that ``harness score`` prints.

Its form is ``docs/score.md``'s; :data:`SCHEMA` is its number. Systems answer the same examples in
the same order.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import stats
from harness.boundary.calls import aloud, plainly
from harness.data.splits import groups_of
from harness.errors import UsageError, Waiting
from harness.records import Example, Measurement, Prediction, Score
from harness.scoring import Groups, MetricEntry, measure, ready, scores
from harness.verdicts.comparison import Comparison, compare
from harness.verdicts.pairs import Test
from harness.verdicts.power import minimum_detectable_effect

SCHEMA = "harness.score/1"
MOST_SLICES = 100

Stage = Callable[[str], Callable[[int, int, str], None]]
"""A piece of work begins; returns where its steps are reported."""


@dataclass(frozen=True, slots=True)
class System:
    """Something that answered: a file of predictions, a round of a run.

    Attributes:
        measurements: metric entry -> a measurement for each example.
    """

    name: str
    predictions: Sequence[Prediction]
    measurements: Mapping[str, Sequence[Measurement]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the systems.

    Attributes:
        system: the one that ``metrics`` speaks of; the first where it is not named.
        baseline: the system that all others are compared with, or None.
        by: fields of the examples' meta to make slices of.
    """

    system: str | None = None
    baseline: str | None = None
    by: tuple[str, ...] = ()
    test: Test = "auto"
    seed: int = 0
    draws: int = stats.DRAWS


def measured(
    name: str,
    entries: Sequence[MetricEntry],
    examples: Sequence[Example],
    predictions: Sequence[Prediction],
    stage: Stage,
    workers: int | None = None,
) -> System:
    """A system's answers through every metric."""
    pairs = list(zip(predictions, examples, strict=True))
    found = {}
    for entry in entries:
        call = plainly(f"metric {entry.name}", aloud)
        progress = call.calls.hearing(stage(f"{name}: {entry.name}"))
        with call:
            with contextlib.suppress(Waiting):  # what people have not rated yet is not scored
                ready(entry.metric, pairs, progress)
            found[entry.name] = measure(entry, pairs, progress, workers=workers)
    return System(name, predictions, found)


def document(
    entries: Sequence[MetricEntry],
    examples: Sequence[Example],
    systems: Sequence[System],
    question: Question,
) -> dict[str, Any]:
    """Scores of all systems, comparisons with the baseline, slices; plain JSON values.

    Raises:
        UsageError: a field of ``by`` is in no example, or has too many values.
        PluginError: a metric fails on the whole set.
    """
    groups = groups_of(examples)
    slices = {field: _slices(field, examples) for field in question.by}
    totals = {s.name: _scores(entries, examples, s, groups, question) for s in systems}
    compared = _compared(entries, systems, groups, question)
    name = question.system or systems[0].name
    chosen = next(system for system in systems if system.name == name)
    return {
        "schema": SCHEMA,
        "n": len(examples),
        "groups": len(set(groups.values())),
        "system": name,
        "baseline": question.baseline,
        "metrics": _metrics(totals[name]),
        "systems": {other: {"metrics": _metrics(found)} for other, found in totals.items()},
        "comparison": {
            system: {score: _comparison(one) for score, one in found.items()}
            for system, found in compared.items()
        },
        "by": {
            field: [
                _slice(value, ids, entries, examples, systems, groups, question)
                for value, ids in found
            ]
            for field, found in slices.items()
        },
        "remarks": _remarks(entries, examples, systems, totals[name]),
        "sentence": minimum_detectable_effect(
            _scored_groups(entries, chosen, groups), totals[name], compared
        ),
    }


def rows(systems: Sequence[System], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Each answer's own values, system by system: what ``--per-example`` writes."""
    for system in systems:
        values: dict[str, dict[str, float]] = defaultdict(dict)
        for found in system.measurements.values():
            for one in found:
                values[one.example_id] |= one.values
        for prediction in system.predictions:
            own = values[prediction.example_id]
            head = {"id": prediction.example_id, "system": system.name}
            yield head | {name: own.get(name) for name in names}


def _scores(
    entries: Sequence[MetricEntry],
    examples: Sequence[Example],
    system: System,
    groups: Groups,
    question: Question,
) -> dict[str, Score]:
    pairs = list(zip(system.predictions, examples, strict=True))
    found: dict[str, Score] = {}
    for entry in entries:
        found |= scores(
            entry, system.measurements[entry.name], groups, question.seed,
            pairs=pairs, draws=question.draws,
        )  # fmt: skip
    return found


def _compared(
    entries: Sequence[MetricEntry], systems: Sequence[System], groups: Groups, question: Question
) -> dict[str, dict[str, Comparison]]:
    baseline = next((s for s in systems if s.name == question.baseline), None)
    if baseline is None:
        return {}
    others = [s for s in systems if s is not baseline]
    found: dict[str, dict[str, Comparison]] = {s.name: {} for s in others}
    for entry in entries:
        of_entry = compare(
            entry, {s.name: s.measurements[entry.name] for s in others},
            baseline.measurements[entry.name], groups,
            seed=question.seed, test=question.test, draws=question.draws,
        )  # fmt: skip
        for name, comparisons in of_entry.items():
            found[name] |= comparisons
    return found


def _scored_groups(
    entries: Sequence[MetricEntry], system: System, groups: Groups
) -> dict[str, list[str]]:
    """Score name -> the group of each row that has it."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        kept = [m for m in system.measurements[entry.name] if m.statistics is not None]
        names = [groups[m.example_id] for m in kept]
        found |= dict.fromkeys(entry.score_names, names)
    return found


def _metrics(found: Mapping[str, Score]) -> dict[str, Any]:
    return {
        name: {
            "value": score.value,
            "low": score.low,
            "high": score.high,
            "n": score.n,
            "unscored": score.unscored,
            "higher_is_better": score.higher_is_better,
            "signature": score.signature,
            "caveat": score.caveat,
        }
        for name, score in found.items()
    }


def _comparison(one: Comparison) -> dict[str, Any]:
    return {key: value for key, value in dataclasses.asdict(one).items() if key != "name"}


def check_fields(fields: Sequence[str], examples: Sequence[Example]) -> None:
    """Raises UsageError where a field of ``by`` is in no example, or has too many values."""
    for field in fields:
        _slices(field, examples)


def _slices(field: str, examples: Sequence[Example]) -> list[tuple[Any, list[str]]]:
    """Value -> ids of the examples that have it, the largest slice first."""
    found: dict[tuple[str, Any], list[str]] = defaultdict(list)
    for example in examples:
        value = example.meta.get(field)
        found[type(value).__name__, value].append(example.id)
    if set(found) == {("NoneType", None)}:
        named = {n for e in examples for n, v in e.meta.items() if v is not None}
        known = sorted(named)
        has = f"the examples have: {', '.join(known)}" if known else "the examples have no fields"
        raise UsageError(f"--by {field}: no example has such a field", hint=has)
    if len(found) > MOST_SLICES:
        raise UsageError(
            f"--by {field}: it has {len(found)} different values, and a table of slices takes "
            f"{MOST_SLICES} at most"
        )
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), str(item[0])))
    return [(value, ids) for (_, value), ids in ordered]


def _slice(
    value: Any,
    ids: Sequence[str],
    entries: Sequence[MetricEntry],
    examples: Sequence[Example],
    systems: Sequence[System],
    groups: Groups,
    question: Question,
) -> dict[str, Any]:
    chosen = set(ids)
    inside = [place for place, example in enumerate(examples) if example.id in chosen]
    rows = [examples[place] for place in inside]
    found = {
        system.name: {
            "metrics": _metrics(_scores(entries, rows, _part(system, inside), groups, question))
        }
        for system in systems
    }
    head = {"value": value, "n": len(rows), "groups": len({groups[row.id] for row in rows})}
    several = {"systems": found} if len(systems) > 1 else {}
    return head | found[question.system or systems[0].name] | several


def _part(system: System, places: Sequence[int]) -> System:
    """The system on some of the examples."""
    return System(
        system.name,
        [system.predictions[place] for place in places],
        {name: [found[place] for place in places] for name, found in system.measurements.items()},
    )


def _remarks(
    entries: Sequence[MetricEntry],
    examples: Sequence[Example],
    systems: Sequence[System],
    totals: Mapping[str, Score],
) -> list[str]:
    """What the metrics, and the rows that they could not score, have to tell the reader."""
    found = []
    for system in systems:
        pairs = list(zip(system.predictions, examples, strict=True))
        for entry in entries:
            head = f"{entry.name}: " if len(systems) == 1 else f"{system.name}: {entry.name}: "
            found += [head + remark for remark in entry.remarks(pairs)]
            failed = [m for m in system.measurements[entry.name] if m.error]
            if failed:
                found.append(
                    f"{head}{len(failed)} of {len(pairs)} answers could not be scored, first "
                    f"'{failed[0].example_id}': {failed[0].error}"
                )
    for name, score in totals.items():
        if score.value is None and score.n:
            found.append(f"{name}: its value over {score.n} rows is not a finite number")
    bare = sum(not example.references for example in examples)
    if bare:
        found.append(f"{bare} of {len(examples)} examples have no reference")
    return list(dict.fromkeys(found))
