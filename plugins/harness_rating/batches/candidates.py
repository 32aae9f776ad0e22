"""What a run answered, as candidates for rating: stored answers, and scores where needed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness import Prediction, UsageError, near
from harness_rating.batches.sampling import Candidate

if TYPE_CHECKING:
    from harness import RunView


def candidates(run: RunView, rounds: Sequence[int], split: str, strategy: str) -> list[Candidate]:
    """Every example of dev with these rounds' answers (:mod:`harness_rating.batches.pool`: the
    pool).

    Args:
        rounds: the one that is rated, perhaps followed by the one that it is compared with.
        strategy: decides which scores are looked up; what is not stored is scored now.

    Raises:
        UsageError: the run has no such round, or the split is not for rating.
        DataError: answers are gone, or were never made.
    """
    _check_split(split)
    answers = {number: run.answers(number) for number in rounds}
    rows = run.rows(split)
    values: Mapping[str, Sequence[float | None]] = {}
    if strategy == "disagreement":
        values = run.values(rounds[0])
    primary = run.primary_values(rounds[0]) if strategy == "worst" else [None] * len(rows)
    right = {number: run.right(number) for number in rounds} if strategy == "changed" else {}
    return [
        Candidate(
            row, {number: text(predictions[place]) for number, predictions in answers.items()}, primary[place],
            {name: of_score[place] for name, of_score in values.items()},
            {number: marks[place] for number, marks in right.items()},
        )
        for place, row in enumerate(rows)
    ]  # fmt: skip


def _check_split(split: str) -> None:
    if split == "test":
        raise UsageError("the test set is sealed and cannot be rated", hint="--from dev")
    if split != "dev":
        raise UsageError(f"--from takes dev or pool, not '{split}'{near(split, ['dev', 'pool'])}")


def text(prediction: Prediction) -> str:
    """What a rater reads of an answer: its text, and the calls of tools where it makes some."""
    calls = (prediction.message or {}).get("tool_calls")
    if not calls:
        return prediction.text
    return "\n\n".join(filter(None, [prediction.text, json.dumps(calls, indent=1)]))
