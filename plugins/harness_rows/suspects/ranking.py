"""Rows in the order in which their answers are to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

import harness
from harness_rows.suspects.asking import Questions, answer_of
from harness_rows.suspects.confident import confident
from harness_rows.suspects.folds import Losses


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
        return _of_labels(measured, asked.labels, losses)
    return _of_texts(measured, losses)


def _of_labels(
    rows: Sequence[harness.Example], labels: Sequence[str], losses: Mapping[str, Sequence[Losses]]
) -> list[Suspect]:
    """Rows that confidently have another label first, each part by the chance of its own label."""
    places = {label: place for place, label in enumerate(labels)}
    own = np.array([places[answer_of(row)] for row in rows])
    sums = np.array(
        [_in_order(losses[row.id], place) for row, place in zip(rows, own, strict=True)]
    )
    chances = np.exp(sums.min(axis=1, keepdims=True) - sums)
    chances /= chances.sum(axis=1, keepdims=True)
    found = confident(own, chances)
    surely = (found.guess >= 0) & (found.guess != own)
    suspects = []
    doubt = 1.0 - chances[np.arange(len(rows)), own]
    for at in np.lexsort((-doubt, ~surely)):
        likelier, other = labels[found.likelier[at]], found.margin[at] > 0
        theirs, its = chances[at, found.likelier[at]], chances[at, own[at]]
        reason = (
            f"'{likelier}' is likelier: {theirs:.2f}, its own {its:.2f}"
            if other
            else f"its label is likeliest: {its:.2f}"
        )
        suspects.append(Suspect(rows[at], float(doubt[at]), reason, likelier if other else ""))
    return suspects


def _in_order(losses: Sequence[Losses], own: int) -> list[float]:
    """The sums of a row's losses in the order of the labels; those of its own stand first."""
    first, *others = map(sum, losses)
    return [*others[:own], first, *others[own:]]


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
    return sorted(suspects, key=lambda one: -one.score)
