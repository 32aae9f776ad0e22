"""What the automatic metrics say of a run's answers, laid beside what people say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.config.plugin_entries import Entry
    from harness.engine.history import History

Answer = tuple[str, int, str]
"""Arm, round, example id."""


@dataclass(frozen=True, slots=True)
class MetricValues:
    """Values of dev's answers.

    Attributes:
        scores: score name -> answer -> value; None = not scored.
        lower_is_better: names of scores of which less is better.
    """

    scores: Mapping[str, Mapping[Answer, float | None]] = field(default_factory=dict)
    lower_is_better: frozenset[str] = frozenset()


def metric_values(entries: Sequence[Entry], history: History) -> MetricValues:
    """Every automatic score of every answer in every round and arm.

    A metric that is made from people's ratings is left out: it would be compared with itself.

    Args:
        entries: the run's metrics.
    """
    automatic = [one.name for one in entries if not one.instance.by_people]
    scores: dict[str, dict[Answer, float | None]] = {}
    lower: set[str] = set()
    for (arm, number), found in history.evaluations.items():
        lower |= {name for name, one in found.scores.items() if not one.higher_is_better}
        for entry in automatic:
            for row in found.measurements.get(entry, ()):
                for name, value in row.values.items():
                    scores.setdefault(name, {})[arm, number, row.example_id] = value
    return MetricValues(scores, frozenset(lower & scores.keys()))
