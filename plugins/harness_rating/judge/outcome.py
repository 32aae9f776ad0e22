"""What a judge prefers of a batch's rounds, in figures and under its label.

It is computed as the outcome of ratings is, and is none of theirs: no label, no bound and
no sentence of a verdict is in it.

This module loads NumPy: import it where it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness_rating.batches.records import Batch, Rating
from harness_rating.judge.judgements import Judged
from harness_rating.outcomes.outcomes import outcomes_of

_WHO = "judge"
_COMPARED = (
    "criterion", "title", "arm", "round", "against", "n", "groups", "wins", "ties", "losses",
    "win_rate", "difference",
)  # fmt: skip


def judge_outcome(batch: Batch, judged: Judged, calibration: Mapping[str, Any]) -> dict[str, Any]:
    """Wins, ties and losses of each two rounds, and each round's scores, by the judge's values.

    An item with a judgement that could not be read is left out, as one is that a person has not
    answered whole. Answers of the panel are no items of the batch, and count in nothing.

    Args:
        calibration: of the same judgements (``harness.calibration/1``).

    Returns:
        ``label`` and ``calibrated``, as the calibration has them, and ``comparisons`` and
        ``scores`` as in ``harness.outcome/1``, without the fields of a verdict.
    """
    said = [
        Rating(_WHO, one.item, one.criterion, one.value, "")
        for one in judged.values()
        if one.item in batch.placings and not one.error
    ]
    found = outcomes_of(batch, said)
    return {
        "label": calibration["label"],
        "calibrated": calibration["calibrated"],
        "comparisons": [{key: one[key] for key in _COMPARED} for one in found["comparisons"]],
        "scores": found["scores"],
    }
