"""BLEU and chrF from counts, to the last bit as sacreBLEU computes them.

BLEU is ``sacrebleu.BLEU.compute_bleu`` (Papineni et al., 2002; smoothing methods of Chen and
Cherry, 2014): bit for bit for single corpora, without a loop for many resampled ones.

chrF is ``sacrebleu.CHRF`` (Popović, 2015 and 2017). It only adds, multiplies and divides, which
NumPy rounds as Python does; so the order of the operations here is sacreBLEU's.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# sacreBLEU's logarithm of 0: an int, which matters to the rounding of sum() in some Pythons.
_LOG_OF_ZERO = -9999999999
_SMOOTH_VALUES = {"floor": 0.1, "add-k": 1.0}
# chrF++.py's, by which orders without a match are smoothed.
_EPSILON = 1e-16


class _Parts(NamedTuple):
    """What a score is made of.

    Attributes:
        precisions: ``(..., orders)`` in percent, smoothed; 0 where an order is not counted.
        used: the orders whose mean is taken.
        nothing: ``(...)``: not one match, so that the score is 0 whatever the smoothing.
        answers, references: ``(...)``: lengths.
    """

    precisions: Floats
    used: Bools
    nothing: Bools
    answers: Floats
    references: Floats


def bleu(
    sums: Floats,
    *,
    smooth_method: str = "exp",
    smooth_value: float | None = None,
    effective_order: bool = False,
) -> Floats:
    """Scores from 0 to 100.

    Args:
        sums: ``(..., 2 * orders + 2)``: matches of each order, n-grams of each order, length of
            the answers, length of the closest references; integers or weighted sums.
        effective_order: leave out the orders of which there are no n-grams.

    Returns:
        ``(..., 1)``. A single corpus has sacreBLEU's score to the last bit; many agree within
        rounding.
    """
    sums = np.asarray(sums, dtype=np.float64)
    if sums.size == sums.shape[-1]:
        score = each(
            sums.reshape(1, -1),
            smooth_method=smooth_method,
            smooth_value=smooth_value,
            effective_order=effective_order,
        )
        return score.reshape(*sums.shape[:-1], 1)
    parts = _parts(sums, smooth_method, smooth_value, effective_order)
    logs = np.full(parts.precisions.shape, float(_LOG_OF_ZERO))
    np.log(parts.precisions, out=logs, where=parts.precisions > 0)
    mean = np.where(parts.used, logs, 0.0).sum(axis=-1) / parts.used.sum(axis=-1)
    scores = _penalties(parts.answers, parts.references) * np.exp(mean)
    return np.where(parts.nothing, 0.0, scores)[..., None]


def each(
    sums: Floats,
    *,
    smooth_method: str = "exp",
    smooth_value: float | None = None,
    effective_order: bool = False,
) -> Floats:
    """The same for each of ``(n, 2 * orders + 2)``, all equal to sacreBLEU to the last bit.

    Divisions round alike everywhere, NumPy's logarithm and exponential do not: these come from
    ``math``, as sacreBLEU's do, and the sum is Python's.
    """
    parts = _parts(np.asarray(sums, np.float64), smooth_method, smooth_value, effective_order)
    scores = np.zeros((len(sums), 1))
    places = np.flatnonzero(~parts.nothing)
    logs = _Logs()
    rows = zip(
        parts.precisions[places].tolist(),
        parts.used[places].sum(axis=-1).tolist(),
        parts.answers[places].tolist(),
        parts.references[places].tolist(),
        strict=True,
    )
    scores[places, 0] = [
        _penalty(answers, references)
        * math.exp(sum(map(logs.__getitem__, precisions[:used])) / used)
        for precisions, used, answers, references in rows
    ]
    return scores


class _Logs(dict[float, float]):
    """Precision -> its logarithm; short texts share most of their precisions."""

    def __missing__(self, precision: float) -> float:
        log = self[precision] = math.log(precision) if precision else _LOG_OF_ZERO
        return log


def _penalty(answers: float, references: float) -> float:
    """BLEU's for being shorter than the references, 0 where there is no answer at all."""
    if answers >= references:
        return 1.0
    return math.exp(1 - references / answers) if answers > 0 else 0.0


def _parts(
    sums: Floats, smooth_method: str, smooth_value: float | None, effective_order: bool
) -> _Parts:
    if smooth_value is None:
        smooth_value = _SMOOTH_VALUES.get(smooth_method, 0.0)
    orders = sums.shape[-1] // 2 - 1
    correct, total = sums[..., :orders], sums[..., orders : 2 * orders]
    nothing: Bools = np.logical_not((correct > 0).any(axis=-1))
    if smooth_method == "add-k":
        added = np.array([0.0, *[smooth_value] * (orders - 1)])
        correct, total = correct + added, total + added
    counted = np.logical_and.accumulate(total > 0, axis=-1)
    # Without a single n-gram nothing can be left out.
    used = counted | ~counted[..., :1] if effective_order else np.ones_like(counted)
    return _Parts(
        _precisions(correct, total, counted, smooth_method, smooth_value),
        used,
        nothing,
        sums[..., 2 * orders],
        sums[..., 2 * orders + 1],
    )


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


def _penalties(answers: Floats, references: Floats) -> Floats:
    """:func:`_penalty` of many corpora."""
    short = (answers < references) & (answers > 0)
    ratio = np.divide(references, answers, out=np.ones(answers.shape), where=short)
    return np.where(answers < references, np.where(short, np.exp(1 - ratio), 0.0), 1.0)


def chrf(sums: Floats, *, beta: int, eps_smoothing: bool) -> Floats:
    """Scores ``(..., 1)`` from 0 to 100.

    Args:
        sums: ``(..., 3 * orders)``: for each order the n-grams of the answers, of the
            references, and the matches; integers or weighted sums.
    """
    sums = np.asarray(sums, dtype=np.float64)
    # Each (orders, ...), as the orders are added one after the other.
    answers, references, matched = (np.moveaxis(sums[..., i::3], -1, 0) for i in range(3))
    score = _mean_of_f_scores if eps_smoothing else _f_score_of_means
    return np.asarray(score(answers, references, matched, beta**2))[..., None]


def _mean_of_f_scores(answers: Floats, references: Floats, matched: Floats, factor: int) -> Floats:
    """The mean of the orders' own F-scores; what has no n-gram counts as almost 0."""
    precisions = _ratios(matched, answers, _EPSILON)
    recalls = _ratios(matched, references, _EPSILON)
    total = np.zeros(answers.shape[1:])
    for precision, recall in zip(precisions, recalls, strict=True):
        weight = factor * precision + recall
        total = total + _ratios((1 + factor) * precision * recall, weight, _EPSILON)
    return 100 * total / len(answers)


def _f_score_of_means(answers: Floats, references: Floats, matched: Floats, factor: int) -> Floats:
    """The F-score of mean precision and recall over the orders that both sides have."""
    counted = (answers > 0) & (references > 0)
    precision, recall = np.zeros(answers.shape[1:]), np.zeros(answers.shape[1:])
    for order, both in enumerate(counted):
        precision = precision + np.where(both, _ratios(matched[order], answers[order], 0.0), 0.0)
        recall = recall + np.where(both, _ratios(matched[order], references[order], 0.0), 0.0)
    orders = counted.sum(axis=0)
    precision, recall = _ratios(precision, orders, 0.0), _ratios(recall, orders, 0.0)
    score = _ratios((1 + factor) * precision * recall, factor * precision + recall, 0.0)
    return 100 * score


def _ratios(above: Floats, below: Floats | npt.NDArray[np.int64], otherwise: float) -> Floats:
    """``above / below``, and ``otherwise`` where ``below`` is 0."""
    result: Floats = np.full(np.shape(above), otherwise)
    np.divide(above, below, out=result, where=below > 0)
    return result
