"""Rows in the order in which their answers are to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import harness
from harness_rows.suspects import by_words
from harness_rows.suspects.asking import Questions
from harness_rows.suspects.folds import Losses

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row whose answer may be wrong.

    Attributes:
        score: the more, the more it is to be looked at. Of labels 1 less the probability of the
            row's own; of texts a share, as in :func:`_of_texts`.
        reason: why, in words.
        likelier: the label that the model finds likelier; empty where that is the row's own, and
            where answers are no labels.
    """

    row: harness.Example
    score: float
    reason: str
    likelier: str = ""


def ranked(
    rows: Sequence[harness.Example], asked: Questions, losses: Mapping[str, Sequence[Losses]]
) -> list[Suspect]:
    """The rows that could be measured, the most suspicious first.

    Args:
        losses: id of each row -> of each of its variants, by models that have not learned the row.
    """
    measured = [row for row in rows if all(losses[row.id])]
    if not measured:
        return []
    if asked.labels:
        return _of_labels(measured, asked, losses)
    return _of_texts(measured, losses)


def _of_labels(
    rows: Sequence[harness.Example], asked: Questions, losses: Mapping[str, Sequence[Losses]]
) -> list[Suspect]:
    """Rows whose own label is improbable first, as the model and the words of prompts have it."""
    labels = asked.labels
    own = np.array([labels.index(asked.label_of(row)) for row in rows])
    words = by_words.opinions(rows, own, len(labels))
    chances = together(by_model(rows, own, losses), words, own)
    others = chances.copy()
    others[np.arange(len(rows)), own] = -1.0
    suspects = []
    doubt = 1.0 - chances[np.arange(len(rows)), own]
    for at in np.argsort(-doubt, kind="stable"):
        place = others[at].argmax()
        likelier, theirs, its = labels[place], chances[at, place], chances[at, own[at]]
        other = theirs > its
        reason = (
            f"'{likelier}' is likelier: {theirs:.2f}, its own {its:.2f}"
            if other
            else f"its label is likeliest: {its:.2f}"
        )
        suspects.append(Suspect(rows[at], float(doubt[at]), reason, likelier if other else ""))
    return suspects


def by_model(
    rows: Sequence[harness.Example], own: Integers, losses: Mapping[str, Sequence[Losses]]
) -> Floats:
    """What models that have not learned the rows think of the labels.

    Args:
        own: (rows,), the label of each.
        losses: id of a row -> of its own label, then of the others in their order.

    Returns:
        (rows, labels), logarithms of probabilities.
    """
    sums = []
    for row, place in zip(rows, own, strict=True):
        first, *others = map(sum, losses[row.id])
        sums.append([*others[:place], first, *others[place:]])
    logs = -np.array(sums)
    return np.asarray(logs - np.logaddexp.reduce(logs, axis=1, keepdims=True))


def together(model: Floats, words: Floats, own: Integers) -> Floats:
    """The probability of each label of each row, as both opinions have it.

    Stacked generalization (Wolpert, Neural Networks 5, 1992) by a logistic model: it is
    proportional to ``exp(a * model + b * words + c[label])``. What is most probable a posteriori is
    taken for a, b and c, given the labels that rows have, and independent normal priors of variance
    1 around the model alone (a = 1, b = 0, c = 0): few rows change little.

    Args:
        model: (rows, labels), logarithms of probabilities, out of sample.
        words: (rows, labels), out of sample, of standard deviation 1.
        own: (rows,), the label of each.
    """
    from scipy.optimize import minimize

    rows, labels = model.shape
    is_own = np.eye(labels)[own]
    start = np.array([1.0, 0.0, *np.zeros(labels)])

    def chances(weights: Floats) -> Floats:
        logs = weights[0] * model + weights[1] * words + weights[2:]
        likely = np.exp(logs - logs.max(axis=1, keepdims=True))
        return np.asarray(likely / likely.sum(axis=1, keepdims=True))

    def loss(weights: Floats) -> tuple[float, Floats]:
        likely = chances(weights)
        off, moved = likely - is_own, weights - start
        likelihood = np.log(np.maximum(likely[np.arange(rows), own], np.finfo(float).tiny)).sum()
        slope = np.array([(off * model).sum(), (off * words).sum(), *off.sum(axis=0)]) + moved
        return float(moved @ moved / 2 - likelihood), slope

    return chances(minimize(loss, start, jac=True, method="L-BFGS-B").x)


def _of_texts(
    rows: Sequence[harness.Example], losses: Mapping[str, Sequence[Losses]]
) -> list[Suspect]:
    """Rows whose answers their own prompts explain least.

    The score is what an answer loses behind its own prompt as a share of what it loses behind
    others: 1 where the prompt says nothing of the answer. A long or rare answer loses much behind
    every prompt, and is not suspected for that.
    """
    suspects = []
    for row in rows:
        own, *others = map(sum, losses[row.id])
        elsewhere = sum(others) / len(others) if others else own
        # Answers that lose nothing anywhere have nothing to be explained.
        score = own / elsewhere if elsewhere > 0 else 0.0
        tokens = len(losses[row.id][0])
        reason = f"{own / tokens:.2f} nats a token, {elsewhere / tokens:.2f} behind other prompts"
        suspects.append(Suspect(row, score, reason))
    return sorted(suspects, key=lambda suspect: -suspect.score)
