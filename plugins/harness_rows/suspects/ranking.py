"""Rows in the order in which their answers are to be looked at."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import harness
from harness.kit.alike.words import asked, words
from harness_rows.suspects.asking import Questions
from harness_rows.suspects.folds import Losses

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
PARTS = 10
"""Parts of the rows that are held out in turn."""
SIZES = (3, 4, 5)
"""Characters of the parts of words."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row whose answer may be wrong.

    Attributes:
        score: the more, the more it is to be looked at. Of labels 1 less the probability of the
            row's own; of texts a share, as in :func:`_of_texts`. None where it was not measured.
        reason: all that speaks against it, in words.
        likelier: the label that the model finds likelier; empty where that is the row's own, and
            where answers are no labels.
        conflicts: ids of rows with its prompt and another answer.
    """

    row: harness.Example
    score: float | None = None
    reason: str = ""
    likelier: str = ""
    conflicts: tuple[str, ...] = ()


def ranked(
    rows: Sequence[harness.Example], questions: Questions, losses: Mapping[str, Sequence[Losses]]
) -> list[Suspect]:
    """The rows that could be measured, the most suspicious first.

    Args:
        losses: id of each row -> of each of its variants, by models that have not learned the row.
    """
    measured = [row for row in rows if all(losses[row.id])]
    if not measured:
        return []
    if questions.labels:
        return _of_labels(measured, questions, losses)
    return _of_texts(measured, losses)


def _of_labels(
    rows: Sequence[harness.Example], questions: Questions, losses: Mapping[str, Sequence[Losses]]
) -> list[Suspect]:
    """Rows whose own label is improbable first, as the model and the words of prompts have it."""
    labels = questions.labels
    own = np.array([labels.index(questions.label_of(row)) for row in rows])
    chances = together(by_model(rows, own, losses), by_words(rows, own, len(labels)), own)
    of_others = chances.copy()
    of_others[np.arange(len(rows)), own] = -1.0  # so that argmax never takes the row's own
    suspects = []
    doubt = 1.0 - chances[np.arange(len(rows)), own]
    for at in np.argsort(-doubt, kind="stable"):
        rival = of_others[at].argmax()
        chance, chance_of_rival = chances[at, own[at]], chances[at, rival]
        if chance_of_rival > chance:
            likelier = labels[rival]
            reason = f"'{likelier}' is likelier: {chance_of_rival:.2f}, its own {chance:.2f}"
        else:
            likelier, reason = "", f"its label is likeliest: {chance:.2f}"
        suspects.append(Suspect(rows[at], float(doubt[at]), reason, likelier))
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
    logs = -np.array(sums)  # a label's loss in nats is the logarithm of its improbability
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
        """Minus the logarithm of the posterior, and its gradient."""
        likely = chances(weights)
        error, moved = likely - is_own, weights - start
        likelihood = np.log(np.maximum(likely[np.arange(rows), own], np.finfo(float).tiny)).sum()
        slope = np.array([(error * model).sum(), (error * words).sum(), *error.sum(axis=0)])
        return float(moved @ moved / 2 - likelihood), slope + moved

    return chances(minimize(loss, start, jac=True, method="L-BFGS-B").x)


def _of_texts(
    rows: Sequence[harness.Example], losses: Mapping[str, Sequence[Losses]]
) -> list[Suspect]:
    """Rows whose answers their own prompts explain least.

    The score is what an answer loses behind its own prompt as a share of what it loses behind
    others: 1 where the prompt says nothing of the answer. A long or rare answer loses much behind
    every prompt, and is not suspected for that.
    """
    scored = []
    for row in rows:
        own, *others = map(sum, losses[row.id])
        elsewhere = sum(others) / len(others) if others else own
        # Answers that lose nothing anywhere have nothing to be explained.
        score = own / elsewhere if elsewhere > 0 else 0.0
        tokens = len(losses[row.id][0])
        reason = f"{own / tokens:.2f} nats a token, {elsewhere / tokens:.2f} behind other prompts"
        scored.append((score, Suspect(row, score, reason)))
    return [suspect for _, suspect in sorted(scored, key=lambda pair: -pair[0])]


def by_words(rows: Sequence[harness.Example], own: Integers, labels: int) -> Floats:
    """How well each label goes with the prompt of each row, by the rows of other parts: a second
    opinion beside a model's, and a cheap one.

    Complement naive Bayes (Rennie, Shih, Teevan and Karger, "Tackling the Poor Assumptions of Naive
    Bayes Text Classifiers", ICML 2003, section 3.1) on words and on parts of words, each of which a
    prompt has or has not.

    Args:
        own: (rows,), the label of each.
        labels: how many there are.

    Returns:
        (rows, labels), of mean 0 in each row and of standard deviation 1 in all; zeros where no
        two prompts have a word in common.
    """
    # What belongs together is held out together.
    parts = harness.in_parts(rows, PARTS, 0)
    has = _features([asked(row) for row in rows])
    is_own = np.eye(labels)[own]
    counts_of_all = has.T @ is_own  # (features, labels)
    scores = np.zeros((len(rows), labels))
    for part in filter(None, parts):
        held_out = np.array([row.id in part for row in rows])
        counts = counts_of_all - has[held_out].T @ is_own[held_out]
        # The complement of a label: what is in rows of all others, plus 1 for smoothing.
        complement = counts.sum(axis=1, keepdims=True) - counts + 1.0
        scores[held_out] = -(has[held_out] @ np.log(complement / complement.sum(axis=0)))
    scores -= scores.mean(axis=1, keepdims=True)
    spread = scores.std()
    return scores / spread if spread > 0 else scores


def _features(texts: Sequence[str]) -> Any:
    """(texts, features) of zeros and ones: what two texts or more have."""
    from scipy import sparse

    features_of = [set().union(*map(_parts, words(text))) for text in texts]
    counts = Counter(feature for features in features_of for feature in features)
    shared = (feature for feature, count in counts.items() if count > 1)
    column_of = {feature: column for column, feature in enumerate(shared)}
    columns = [
        sorted(column_of[feature] for feature in features if feature in column_of)
        for features in features_of
    ]
    ends = np.cumsum([0, *map(len, columns)])
    flat = np.array([column for of_text in columns for column in of_text], np.int64)
    shape = (len(texts), len(column_of))
    return sparse.csr_matrix((np.ones(len(flat)), flat, ends), shape=shape)


@functools.lru_cache(maxsize=100_000)
def _parts(word: str) -> frozenset[str]:
    """A word, and the parts of it with its ends marked."""
    whole = f"^{word}$"
    parts = (whole[at : at + n] for n in SIZES for at in range(len(whole) - n + 1))
    return frozenset((whole, *parts))
