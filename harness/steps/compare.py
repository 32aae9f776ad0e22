"""The calls that make two checkpoints' answers ready to be compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from harness import scoring
from harness.boundary import results
from harness.boundary.lending import Lent
from harness.config.plugin_entries import PluginEntry
from harness.errors import EnvironmentFailure, Waiting
from harness.records import BASE_ARM, Example, Measurement, Prediction
from harness.records.context import silent
from harness.run.at import At
from harness.run.pins import GENERATE
from harness.stages import Metric
from harness.steps.answer import Evaluation
from harness.steps.measure import score, waits
from harness.steps.shared import Shared


def compared(
    steps: Shared, new: Evaluation, old: Evaluation, rows: Sequence[Example], at: At, against: int
) -> tuple[Evaluation, Evaluation]:
    """Two checkpoints' answers to dev, measured for comparing them.

    What raters said is compared as they say it by now, by those who rated both answers. What
    was measured with other versions of a metric's libraries is measured again, so that no
    comparison mixes two; the older round's own scores stay.

    Args:
        at: where ``new`` is; ``against`` is the round of ``old``.

    Raises:
        Waiting: too few answers are rated beside the others.
    """
    sides = (new, old)
    pairs = [tuple(zip(side.predictions, rows, strict=True)) for side in sides]
    lent = Lent(new.predictions, old.predictions, rows)
    measured = [dict(side.measurements) for side in sides]
    of_old = At(against, at.arm if against else BASE_ARM)
    measured[1] |= _scored_again(steps, old, rows, of_old)
    for entry in steps.config.metrics:
        with steps.run.guard("score", entry, at, lent=lent):
            metrics = [
                results.instance_of(
                    Metric, entry.instance.beside(pairs[side], pairs[1 - side]), "beside()"
                )
                for side in (0, 1)
            ]
        if metrics[0] is entry.instance:
            continue
        try:
            for side, metric in enumerate(metrics):
                measured[side][entry.name] = _co_rated(steps, entry, metric, pairs[side], at)
        except Waiting as wait:
            raise waits(steps, wait, new.keys[GENERATE], at, against) from None
    return (
        dataclasses.replace(new, measurements=measured[0]),
        dataclasses.replace(old, measurements=measured[1]),
    )


def alike(
    steps: Shared,
    of_round: Evaluation,
    asked: Evaluation,
    rows: Sequence[Example],
    at: At,
    of_asked: At,
) -> tuple[tuple[Measurement, ...], tuple[Measurement, ...]]:
    """A round's answers and those of a baseline or an arm, measured alike by the metric that
    decides.

    Args:
        at, of_asked: where they are.
    """
    name = steps.primary_entry().name
    sides = [(of_round, at), (asked, of_asked)]
    made_with = [steps.made_with.get(side.keys[f"score {name}"]) for side, _ in sides]
    measurements = [side.measurements[name] for side, _ in sides]
    if made_with[0] != made_with[1]:
        entry = next(metric for metric in steps.config.metrics if metric.name == name)
        measurements = [
            score(steps, entry, side.predictions, side.keys[GENERATE], rows, place)[0]
            for side, place in sides
        ]
    return measurements[0], measurements[1]


def _scored_again(
    steps: Shared, old: Evaluation, rows: Sequence[Example], at: At
) -> dict[str, tuple[Measurement, ...]]:
    """Metric entry -> measurements of ``old``, where its libraries have changed since."""
    measurements = {}
    for entry in steps.config.metrics:
        before = steps.made_with.get(old.keys[f"score {entry.name}"])
        now = dict(steps.run.versions(entry))
        if before is None or before["libraries"] == now:
            continue
        measurements[entry.name], _ = score(
            steps, entry, old.predictions, old.keys[GENERATE], rows, at
        )
        steps.note(
            f"{entry.name}: round {at.round} was measured with {_named(before['libraries'])}; "
            f"for comparisons it is measured again with {_named(now)}, as later rounds are"
        )
    return measurements


def _co_rated(
    steps: Shared,
    entry: PluginEntry,
    metric: Metric,
    pairs: Sequence[tuple[Prediction, Example]],
    at: At,
) -> tuple[Measurement, ...]:
    """What those who rated both rounds' answers say of one; never kept, for they go on."""
    with steps.run.guard("score", entry, at, lent=Lent(*zip(*pairs, strict=True))):
        scoring.ready(metric, pairs, silent)
        # In this process: another one would make the metric from its options alone.
        measured = scoring.measure(scoring.MetricEntry(entry.name, metric), pairs, workers=1)
    return tuple(measured)


def same_machine(steps: Shared, old: Evaluation, round_: int) -> None:
    """Refuse to compare answers that other libraries or another machine gave.

    Args:
        old, round_: the answers that the next round's will be compared with.

    Raises:
        EnvironmentFailure: what generates now differs from what generated them.
    """
    before = steps.made_with.get(old.keys[GENERATE])
    now = steps.run.made_with(steps.config.generate)
    if before is None or before == now:
        return
    raise EnvironmentFailure(
        f"round {round_} was answered with {_named(_flat(before))}; here it would be "
        f"{_named(_flat(now))}, and answers that were made differently cannot be compared",
        where=f"{steps.run.name}, round {round_}: generate",
        hint="go on with what it began with, or take one of these ways",
        details=steps.run.ways_out(round_),
    )


def _flat(made_with: Mapping[str, Any]) -> dict[str, str]:
    return {**made_with["environment"], **made_with["libraries"]}


def _named(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "nothing named"
