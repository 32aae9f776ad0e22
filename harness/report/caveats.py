"""What is so by now, for reports: people may have rated, or opened test rows, since a run ended.

What a metric remarks of its scores is stored with them, and a closed round keeps what it was
closed with. Reports tell more: whether a judge is calibrated is a matter of all ratings so far.
Nobody is asked for it, and the summary stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from harness import scoring
from harness.config.plugin_entries import PluginEntry
from harness.kit.text import one_line
from harness.records import BASE_ARM, Score
from harness.records.summary import (
    MainRound,
    ShownBaseline,
    ShownBestPrompt,
    ShownModel,
    ShownRound,
    ShownScore,
    Summary,
)
from harness.report.summary import with_choice
from harness.run.at import At
from harness.scoring import Pair
from harness.stages import Metric
from harness.steps import Steps
from harness.steps.answer import Evaluation
from harness.steps.history import History

Caveats = Mapping[str, str]
"""Score name -> what stands beside it."""

AnyScore = TypeVar("AnyScore", Score, ShownScore)
Scored = TypeVar("Scored", MainRound, ShownRound, ShownBaseline, ShownModel, ShownBestPrompt)


def by_now(summary: Summary, steps: Steps, history: History) -> Summary:
    """The summary, with the caveats of today, the remarks of metrics that people add to, and how
    often the test rows were opened since."""
    caveats = caveats_of(steps)
    renewed = replace(
        summary,
        rounds=_with(summary.rounds, caveats),
        baselines=_with(summary.baselines, caveats),
        models=_with(summary.models, caveats),
        notes=tuple(_notes(summary.notes, steps, history)),
    )
    if test := summary.test:
        now = history.test or test
        renewed = replace(
            renewed,
            test=replace(
                test, counting=now.counting, later=now.later,
                baseline=scores_with(test.baseline, caveats), kept=scores_with(test.kept, caveats),
            ),
        )  # fmt: skip
    if control := summary.control:
        renewed = replace(renewed, control=replace(control, rounds=_with(control.rounds, caveats)))
    if prompt := summary.best_prompt:
        (with_caveats,) = _with((prompt,), caveats)
        renewed = replace(renewed, best_prompt=with_caveats)
    return with_choice(renewed)


def caveats_of(steps: Steps) -> dict[str, str]:
    """Every score of the run with its caveat of today."""
    return {name: entry.caveat() for entry in steps.metric_entries() for name in entry.score_names}


def scores_with(scores: Mapping[str, AnyScore], caveats: Caveats) -> dict[str, AnyScore]:
    """Scores with these caveats; one whose metric is gone keeps its own."""
    return {
        name: replace(score, caveat=caveats.get(name, score.caveat))
        for name, score in scores.items()
    }


def _with(sides: Sequence[Scored], caveats: Caveats) -> tuple[Scored, ...]:
    return tuple(replace(side, scores=scores_with(side.scores, caveats)) for side in sides)


# -- remarks ------------------------------------------------------------------------------------


def _notes(notes: Sequence[str], steps: Steps, history: History) -> list[str]:
    """The notes, with today's remarks in place of those that the same metric made then."""
    renewed = list(notes)
    for entry in steps.config.metrics:
        if _grows(entry.instance):
            for split, arm, number, answers in _evaluations(history):
                at = At(number, arm, split)
                head = f"{at.label(at.on_split('score'))}: {entry.name}: "
                pairs = list(zip(answers.predictions, history.data.split(split), strict=True))
                renewed = _renewed(renewed, one_line(head) + " ", entry, pairs)
    return renewed


def _renewed(notes: list[str], head: str, entry: PluginEntry, pairs: Sequence[Pair]) -> list[str]:
    """The notes, in which those that begin so are made anew: where the first of them stood."""
    remarks = scoring.MetricEntry(entry.name, entry.instance).remarks(pairs)
    first = next((place for place, n in enumerate(notes) if n.startswith(head)), len(notes))
    others = [note for note in notes if not note.startswith(head)]
    return [*others[:first], *(one_line(f"{head}{n}") for n in remarks), *others[first:]]


def _grows(metric: Metric) -> bool:
    """Whether it says which files people add to, be there any by now or not."""
    return type(metric).growing is not Metric.growing


def _evaluations(history: History) -> Iterator[tuple[str, str, int, Evaluation]]:
    for (arm, number), evaluation in history.evaluations.items():
        yield "dev", arm, number, evaluation
    for number, evaluation in history.test_evaluations.items():
        yield "test", BASE_ARM, number, evaluation
