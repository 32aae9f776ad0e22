"""What is so by now, for reports: people may have rated, or opened test rows, since a run ended.

What a metric remarks of its scores is stored with them, and a closed round keeps what it was
closed with. Reports tell more: whether a judge is calibrated is a matter of all ratings so far.
Nobody is asked for it, and the summary stays as it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from harness import scoring
from harness.config.plugin_entries import PluginEntry
from harness.kit.text import one_line
from harness.records import BASE_ARM, RoundResult, Score
from harness.report.reading import Document
from harness.run.at import At
from harness.scoring import Pair
from harness.stages import Metric
from harness.steps import Steps
from harness.steps.answer import Evaluation
from harness.steps.history import History
from harness.verdicts.selection import chosen

Caveats = Mapping[str, str]
"""Score name -> what stands beside it."""


def by_now(document: Document, steps: Steps, history: History) -> Document:
    """The summary, with the caveats of today, the remarks of metrics that people add to, and how
    often the test rows were opened since."""
    caveats = caveats_of(steps)
    changed = {
        "rounds": [_round(round_, caveats) for round_ in document["rounds"]],
        "notes": _notes(document["notes"], steps, history),
    }
    if document.get("test"):
        sides = {side: _scores(document["test"][side], caveats) for side in ("baseline", "kept")}
        now = history.test
        looks = {"counting": now.counting, "later": now.later} if now else {}
        changed["test"] = {**document["test"], **sides, **looks}
    if document.get("control"):
        rounds = [_round(round_, caveats) for round_ in document["control"]["rounds"]]
        changed["control"] = {**document["control"], "rounds": rounds}
    if document.get("baselines"):
        changed["baselines"] = [_round(round_, caveats) for round_ in document["baselines"]]
    if document.get("models"):
        changed["models"] = [_round(each, caveats) for each in document["models"]]
    if document.get("best_prompt"):
        changed["best_prompt"] = _round(document["best_prompt"], caveats)
    renewed = {**document, **changed}
    return {**renewed, "chosen": chosen(renewed)}


def caveats_of(steps: Steps) -> dict[str, str]:
    """Every score of the run with its caveat of today."""
    return {name: entry.caveat() for entry in steps.metric_entries() for name in entry.score_names}


def with_caveats(result: RoundResult, caveats: Caveats) -> RoundResult:
    """A closed round, with the caveats of today."""
    return dataclasses.replace(result, scores=scores_with(result.scores, caveats))


def scores_with(scores: Mapping[str, Score], caveats: Caveats) -> dict[str, Score]:
    """Scores with these caveats; one whose metric is gone keeps its own."""
    return {
        name: dataclasses.replace(score, caveat=caveats.get(name, score.caveat))
        for name, score in scores.items()
    }


def _round(entry: Document, caveats: Caveats) -> Document:
    return {**entry, "scores": _scores(entry["scores"], caveats)}


def _scores(scores: Mapping[str, Document], caveats: Caveats) -> Document:
    return {
        name: {**score, "caveat": caveats.get(name, score.get("caveat", ""))}
        for name, score in scores.items()
    }


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
