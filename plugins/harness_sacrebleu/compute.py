"""BLEU from counts, for any number of resampled corpora at once.

The formula is ``sacrebleu.BLEU.compute_bleu`` (Papineni et al., 2002; smoothing methods of Chen
and Cherry, 2014), without a loop over draws.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness_sacrebleu.count import ORDER

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_LOG_OF_ZERO = -9999999999.0


def bleu(
    sums: Floats,
    *,
    smooth_method: str = "exp",
    smooth_value: float | None = None,
    effective_order: bool = False,
) -> Floats:
    """Scores from 0 to 100.

    Args:
        sums: ``(..., 10)``: matches and n-grams of order 1 to 4, length of answers, length of
            the closest references; integers or weighted sums.
        effective_order: leave out the orders of which there are no n-grams (sentence scores).

    Returns:
        ``(..., 1)``. One corpus of whole counts goes through sacreBLEU itself, so that its
        score is equal to the last bit; many agree within rounding.
    """
    sums = np.asarray(sums, dtype=np.float64)
    if smooth_value is None:
        smooth_value = {"floor": 0.1, "add-k": 1.0}.get(smooth_method, 0.0)
    if sums.size == sums.shape[-1] and (sums == np.rint(sums)).all():
        score = _one(sums.ravel(), smooth_method, smooth_value, effective_order)
        return np.full((*sums.shape[:-1], 1), score)
    correct, total = sums[..., :ORDER], sums[..., ORDER : 2 * ORDER]
    nothing = ~(correct > 0).any(axis=-1)
    if smooth_method == "add-k":
        added = np.array([0.0, *[smooth_value] * (ORDER - 1)])
        correct, total = correct + added, total + added
    counted = np.logical_and.accumulate(total > 0, axis=-1)
    precisions = _precisions(correct, total, counted, smooth_method, smooth_value)
    logs = np.full(precisions.shape, _LOG_OF_ZERO)
    np.log(precisions, out=logs, where=precisions > 0)
    # Without a single n-gram nothing can be left out.
    used = counted | ~counted[..., :1] if effective_order else np.ones(counted.shape, bool)
    mean = np.where(used, logs, 0.0).sum(axis=-1) / used.sum(axis=-1)
    scores = _brevity(sums[..., 2 * ORDER], sums[..., 2 * ORDER + 1]) * np.exp(mean)
    return np.where(nothing, 0.0, scores)[..., None]


def _one(sums: Floats, smooth_method: str, smooth_value: float, effective_order: bool) -> float:
    from sacrebleu import BLEU

    numbers = [int(number) for number in sums]
    return BLEU.compute_bleu(
        correct=numbers[:ORDER],
        total=numbers[ORDER : 2 * ORDER],
        sys_len=numbers[2 * ORDER],
        ref_len=numbers[2 * ORDER + 1],
        smooth_method=smooth_method,
        smooth_value=smooth_value,
        effective_order=effective_order,
    ).score


def _precisions(
    correct: Floats, total: Floats, counted: Bools, smooth_method: str, smooth_value: float
) -> Floats:
    """Smoothed n-gram precisions in percent; 0 where an order is not counted."""
    missed = counted & (correct == 0)
    matches = correct
    if smooth_method == "exp":
        # The k-th order without a match counts as 1 / 2^k of a match.
        matches = np.where(missed, 0.5 ** np.cumsum(missed, axis=-1), correct)
    elif smooth_method == "floor":
        matches = np.where(missed, smooth_value, correct)
    return np.divide(100.0 * matches, total, out=np.zeros(matches.shape), where=counted)


def _brevity(answers: Floats, references: Floats) -> Floats:
    """Penalty for being shorter than the references, 0 where there is no answer at all."""
    short = (answers < references) & (answers > 0)
    ratio = np.divide(references, answers, out=np.ones(answers.shape), where=short)
    return np.where(answers < references, np.where(short, np.exp(1 - ratio), 0.0), 1.0)
