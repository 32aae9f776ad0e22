"""chrF from counts, for any number of corpora at once, to the last bit as sacreBLEU computes it.

The formula is ``sacrebleu.CHRF`` (Popović, 2015 and 2017). It only adds, multiplies and divides,
which NumPy rounds as Python does; so the order of the operations here is sacreBLEU's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_EPSILON = 1e-16


def chrf(sums: Floats, *, beta: int, eps_smoothing: bool) -> Floats:
    """Scores ``(..., 1)`` from 0 to 100.

    Args:
        sums: ``(..., 3 * orders)``: for each order the n-grams of the answers, of the
            references, and the matches; integers or weighted sums.
    """
    sums = np.asarray(sums, dtype=np.float64)
    answers, references, matched = (np.moveaxis(sums[..., i::3], -1, 0) for i in range(3))
    scores = (_smoothed if eps_smoothing else _effective)(answers, references, matched, beta**2)
    return np.asarray(scores)[..., None]


def _smoothed(answers: Floats, references: Floats, matched: Floats, factor: int) -> Floats:
    """The mean of the orders' own F-scores; what has no n-gram counts as almost 0."""
    precisions = _ratios(matched, answers, _EPSILON)
    recalls = _ratios(matched, references, _EPSILON)
    total = np.zeros(answers.shape[1:])
    for precision, recall in zip(precisions, recalls, strict=True):
        weight = factor * precision + recall
        total = total + _ratios((1 + factor) * precision * recall, weight, _EPSILON)
    return 100 * total / len(answers)


def _effective(answers: Floats, references: Floats, matched: Floats, factor: int) -> Floats:
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
