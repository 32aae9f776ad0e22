"""What a run answered, as candidates for rating: stored answers, and scores where needed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.errors import DataError, UsageError, Waiting, near
from harness.rating.sampling import Candidate
from harness.records import Example, Measurement, Prediction

if TYPE_CHECKING:
    from harness.stored import Answered, StoredRun, StoredSteps

_Scores = Mapping[str, Sequence[float | None]]


def candidates(run: StoredRun, rounds: Sequence[int], split: str, strategy: str) -> list[Candidate]:
    """Every example of dev with these rounds' answers (:mod:`harness.rating.reserve`: the pool).

    Args:
        rounds: the one that is rated, perhaps followed by the one that it is compared with.
        strategy: decides which scores are looked up; what is not stored is scored now.

    Raises:
        UsageError: the run has no such round, or the split is not for rating.
        DataError: answers are gone, or were never made.
    """
    from harness.stored import StoredSteps, answered

    _check_split(split)
    found = {one.round: one for one in answered(run)}
    for number in rounds:
        if number not in found:
            known = ", ".join(map(str, found))
            raise UsageError(f"run {run.name} has no round {number}", hint=f"there are: {known}")
    steps = StoredSteps(run)
    rows = steps.data().split(split)
    chosen = [found[number] for number in rounds]
    for one in chosen:
        if [p.example_id for p in one.predictions] != [row.id for row in rows]:
            raise DataError(
                f"the answers of round {one.round} are not those to today's rows of {split}",
                where=run.name,
                hint="the source gives other rows than before; iterate makes a new run of them",
            )
    return _with_scores(steps, rows, chosen, strategy)


def _check_split(split: str) -> None:
    if split == "test":
        raise UsageError("the test set is sealed and cannot be rated", hint="--from dev")
    if split != "dev":
        raise UsageError(f"--from takes dev or pool, not '{split}'{near(split, ['dev', 'pool'])}")


def _with_scores(
    steps: StoredSteps, rows: Sequence[Example], chosen: Sequence[Answered], strategy: str
) -> list[Candidate]:
    scores: _Scores = {}
    right: dict[int, list[bool | None]] = {}
    primary: Sequence[float | None] = [None] * len(rows)
    if strategy in ("worst", "disagreement", "changed"):
        scores = _scores(steps, rows, chosen[0], every=strategy == "disagreement")
        if strategy == "worst":
            primary = scores.get(steps.config.settings.primary, primary)
        elif strategy == "changed":
            right = {one.round: _right(steps, rows, one) for one in chosen}
    return [
        Candidate(
            row, {one.round: text(one.predictions[place]) for one in chosen}, primary[place],
            {name: values[place] for name, values in scores.items()},
            {number: marks[place] for number, marks in right.items()},
        )
        for place, row in enumerate(rows)
    ]  # fmt: skip


def text(prediction: Prediction) -> str:
    """What a rater reads of an answer: its text, and the calls of tools where it makes some."""
    calls = (prediction.message or {}).get("tool_calls")
    if not calls:
        return prediction.text
    return "\n\n".join(filter(None, [prediction.text, json.dumps(calls, indent=1)]))


def _scores(
    steps: StoredSteps, rows: Sequence[Example], one: Answered, *, every: bool
) -> dict[str, list[float | None]]:
    """Score name -> each example's value, turned so that more is better."""
    from harness.engine.steps import At

    found: dict[str, list[float | None]] = {}
    at = At(one.round)
    pinned = steps.pins(at)
    for entry, metric in zip(steps.config.metrics, steps.metric_entries(), strict=True):
        if not every and steps.config.settings.primary not in metric.score_names:
            continue
        try:
            measured, _ = steps.score(
                entry, one.predictions, one.digest, rows, at,
                pinned=pinned.get(f"score {entry.name}"),
            )  # fmt: skip
        except Waiting:
            # Ratings are what this metric waits for.
            continue
        sign = 1.0 if metric.metric.higher_is_better else -1.0
        for name in metric.score_names:
            found[name] = [_turned(m, name, sign) for m in measured]
    return found


def _turned(measurement: Measurement, name: str, sign: float) -> float | None:
    value = measurement.values.get(name)
    return None if value is None or value != value else sign * value


def _right(steps: StoredSteps, rows: Sequence[Example], one: Answered) -> list[bool | None]:
    from harness.scoring import right

    name, metric = steps.config.settings.primary, steps.primary_entry().metric
    sign = 1.0 if metric.higher_is_better else -1.0
    values = _scores(steps, rows, one, every=False).get(name, [None] * len(rows))
    return [right(metric, None if value is None else sign * value) for value in values]
