"""What metrics say of stored answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.config.plugin_entries import PluginEntry
from harness.engine.at import At
from harness.engine.history import History
from harness.engine.steps.measuring import score
from harness.errors import Waiting
from harness.records import Example, Measurement
from harness.stages import AnswerValues
from harness.stored.replay import Answered, StoredSteps


def answer_values(metrics: Iterable[PluginEntry], history: History) -> AnswerValues:
    """Every automatic score of every answer to dev, in every round and arm.

    A metric that is made from what people say is left out: it would be compared with itself.
    """
    automatic = [entry.name for entry in metrics if not entry.instance.by_people]
    values: dict[str, dict[tuple[str, int, str], float | None]] = {}
    lower: set[str] = set()
    for (arm, number), evaluation in history.evaluations.items():
        lower |= {n for n, score in evaluation.scores.items() if not score.higher_is_better}
        for metric in automatic:
            for row in evaluation.measurements.get(metric, ()):
                for name, value in row.values.items():
                    values.setdefault(name, {})[arm, number, row.example_id] = value
    return AnswerValues(values, frozenset(lower & values.keys()))


def oriented(
    steps: StoredSteps, rows: Sequence[Example], answers: Answered, *, every: bool
) -> dict[str, list[float | None]]:
    """Score name -> each example's value, turned so that more is better; scored now if need be.

    Args:
        every: of all metrics; False: of the one that the primary score is of.

    A metric that waits for people is left out.
    """
    found: dict[str, list[float | None]] = {}
    pinned = steps.pins(At(answers.round))
    for entry, metric in zip(steps.config.metrics, steps.metric_entries(), strict=True):
        if not every and steps.config.settings.primary not in metric.score_names:
            continue
        try:
            measured, _ = score(
                steps, entry, answers.predictions, answers.digest, rows, At(answers.round),
                pinned=pinned.get(f"score {entry.name}"),
            )  # fmt: skip
        except Waiting:
            continue
        sign = 1.0 if metric.metric.higher_is_better else -1.0
        for name in metric.score_names:
            found[name] = [_turned(row, name, sign) for row in measured]
    return found


def _turned(measurement: Measurement, name: str, sign: float) -> float | None:
    value = measurement.values.get(name)
    return None if value is None or value != value else sign * value
