"""How far the primary score can be expected to go: what a reference gets against the others.

Two people who both answer well do not get the best possible score for each other's answers. Of dev
rows with several references each one in turn is taken for the answer and scored against the others
of its row; the row counts once, with the mean. The kept round's answer is scored against the same
others, so that neither side has a reference more, and the two are compared in pairs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from harness import scoring
from harness.errors import HarnessError
from harness.kit.documents import as_document
from harness.kit.draws import fraction
from harness.loop import deciding_score
from harness.records import BASE_ARM, Example, Measurement, Prediction
from harness.records.analysis import BetweenReferences, Estimate
from harness.run.at import At
from harness.scoring import MetricEntry, Pair, overrides
from harness.steps import Steps
from harness.steps.history import History
from harness.verdicts.pairs import complete_pairs
from harness.verdicts.rule import DecidingScore

MOST_ROWS = 500
"""Rows that are drawn where more have several references: reports are made again and again."""
MOST_REFERENCES = 5
"""References of a row that are taken for the answer, the first ones; all are scored against."""
LEVEL = 0.95


def between_references(steps: Steps, history: History) -> BetweenReferences | None:
    """The primary score of references and of the kept round, both against the other references.

    None where that says nothing: no rows with several references, or too few groups of them; a
    metric without sufficient statistics, one that asks people or a service, or one that fails.
    """
    rows = _drawn(history.data.split("dev"))
    entry = steps.primary_entry()
    if not rows or not _scores_alone(entry):
        return None
    best = history.evaluations[BASE_ARM, history.kept]
    pairs = list(_pairs(rows, {p.example_id: p for p in best.predictions}))
    of_config = next(metric for metric in steps.config.metrics if metric.name == entry.name)
    try:
        with steps.run.guard("score", of_config, At(history.kept)):
            return _compared(deciding_score(steps, rows), pairs, history.kept)
    except HarnessError as error:
        steps.run.log.error("references were not scored against each other", exc_info=error)
        return None


def _drawn(rows: Sequence[Example]) -> list[Example]:
    """Rows with several references, in their order; a draw of them where they are many."""
    several = [row for row in rows if len(row.references) > 1]
    if len(several) <= MOST_ROWS:
        return several
    chosen = {row.id for row in sorted(several, key=lambda row: fraction(0, row.id))[:MOST_ROWS]}
    return [row for row in several if row.id in chosen]


def _scores_alone(entry: MetricEntry) -> bool:
    """Whether the metric scores any text at once, in statistics that add up.

    People and services are not asked about references.
    """
    metric = entry.metric
    asks = metric.by_people or overrides(metric, "ready", "growing", "beside")
    return metric.additive and not asks


def _pairs(
    rows: Sequence[Example], answers: Mapping[str, Prediction]
) -> Iterator[tuple[Pair, Pair]]:
    """For each reference that is taken out: it, and the model's answer, with the others."""
    for row in rows:
        for place, text in enumerate(row.references[:MOST_REFERENCES]):
            others = row.references[:place] + row.references[place + 1 :]
            reduced = dataclasses.replace(row, references=others)
            yield (Prediction(row.id, text), reduced), (answers[row.id], reduced)


def _compared(
    score: DecidingScore, pairs: Sequence[tuple[Pair, Pair]], best: int
) -> BetweenReferences | None:
    # In one call, so that both sides have the same number of statistics.
    measured = scoring.measure(score.entry, [side for pair in pairs for side in pair])
    references, model = (_by_row(measured[first::2]) for first in (0, 1))
    paired = complete_pairs(score.entry, model, references, score.groups, fill=False)
    if paired.doubt:
        return None
    gap = score.difference(paired, (1 - LEVEL) / 2)
    totals = [
        scoring.scores(score.entry, side, score.groups, score.seed)[score.name]
        for side in (references, model)
    ]
    estimates = (as_document(Estimate, side) for side in (*totals, gap))
    return BetweenReferences(best, gap.n, gap.groups, *estimates)


def _by_row(measured: Sequence[Measurement]) -> list[Measurement]:
    """Each row's mean statistics; None where any of them is missing."""
    by_row: dict[str, list[Measurement]] = {}
    for measurement in measured:
        by_row.setdefault(measurement.example_id, []).append(measurement)
    return [
        Measurement(name, of_row[0].entry, _mean([m.statistics for m in of_row]))
        for name, of_row in by_row.items()
    ]


def _mean(statistics: Sequence[Sequence[float] | None]) -> tuple[float, ...] | None:
    known = [row for row in statistics if row is not None]
    if len(known) < len(statistics):
        return None
    return tuple(sum(column) / len(known) for column in zip(*known, strict=True))
