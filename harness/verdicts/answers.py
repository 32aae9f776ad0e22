"""Two systems' answers compared in one call, for a test of one's own code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from harness.boundary import results
from harness.config.making import make_metrics
from harness.errors import UsageError, near
from harness.records import Example, Prediction
from harness.registry import Registry
from harness.scoring import SEED, MetricEntry, evaluate
from harness.verdicts.comparison import Comparison, compare_systems

Texts: TypeAlias = str | Path | Sequence[str] | Mapping[str, str]
"""Answers: a file as ``harness score`` reads it, a list, or texts by id."""
References: TypeAlias = (
    str | Path | Sequence[str | Sequence[str]] | Mapping[str, str | Sequence[str]]
)
"""The same, where a row may have several texts."""


def compare(
    new: Texts,
    old: Texts,
    references: References,
    *,
    metric: str | MetricEntry,
    score: str = "",
    seed: int = SEED,
) -> Comparison:
    """Is ``new`` better than ``old``? ``assert harness.compare(...).improved`` tells why not.

    Args:
        new, old, references: the path of a file (``answers.csv:reply`` names a column), a list of
            texts, or texts by id; all with ids or none.
        metric: its name, or an entry of :func:`harness.make_metrics`, which may have options.
        score: which of the metric's scores decides, by default its first.

    Raises:
        UsageError: the metric has no such score.
        ConfigError: there is no such metric.
        DataError: the rows do not belong together; all that does not fit is named.
    """
    entry = metric if isinstance(metric, MetricEntry) else make_metrics({metric: {}})[0]
    names = entry.score_names
    if score and score not in names:
        what = f"the metric '{entry.name}' has no score '{score}'{near(score, list(names))}"
        raise UsageError(what, hint=f"it has: {', '.join(names)}")
    given = Registry.build().only(
        "joined_answers", systems=(new, old), references=references, fields=entry.fields()
    )
    kind = tuple[Sequence[Example], Sequence[Sequence[Prediction]]]
    examples, (of_new, of_old) = results.checked(kind, given, "joined_answers()")
    cards = [evaluate(examples, answers, [entry], seed=seed) for answers in (of_new, of_old)]
    return compare_systems({"new": cards[0]}, cards[1], seed=seed)["new"][score or names[0]]
