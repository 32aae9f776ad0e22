"""The counts that BLEU and chrF are made of, for a block of pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from harness_sacrebleu.ngrams import Ints, Symbols, length, matches


def bleu_counts(
    answers: Sequence[Symbols], references: Sequence[Sequence[Symbols]], orders: int
) -> list[list[int]]:
    """Per pair: matches of each order, n-grams of each order, answer and reference length.

    The reference length is the one closest to the answer's, the shorter of two equally close.
    """
    lengths = list(map(length, answers))
    closest = [
        _closest(answer, list(map(length, texts)))
        for answer, texts in zip(lengths, references, strict=True)
    ]
    counts = [
        matches(answers, references, orders),
        totals(lengths, orders),
        np.array([lengths, closest], dtype=np.int64).T,
    ]
    rows: list[list[int]] = np.concatenate(counts, axis=1).tolist()
    return rows


def totals(lengths: Sequence[int], orders: int) -> Ints:
    """How many n-grams of order 1 to ``orders`` texts of these lengths have: ``(n, orders)``."""
    left: Ints = np.array(lengths, dtype=np.int64)[:, None] - np.arange(orders)
    return left.clip(min=0)


def _closest(answer: int, lengths: Sequence[int]) -> int:
    if len(lengths) == 1:
        return lengths[0]
    return min((abs(length - answer), length) for length in lengths)[1]


def chrf_counts(views: Sequence[tuple[Sequence[Symbols], Sequence[Symbols], int]]) -> Ints:
    """Per pair, order after order: n-grams of the answer, of the reference, matches.

    Args:
        views: answers, their one reference each, and the highest order; one view of the texts
            as characters, one as words.

    Returns:
        ``(n, 3 * orders)``.
    """
    columns = []
    for answers, references, orders in views:
        theirs = totals(list(map(length, references)), orders)
        ours = np.where(theirs > 0, totals(list(map(length, answers)), orders), 0)
        shared = matches(answers, [(text,) for text in references], orders)
        columns.append(np.stack([ours, theirs, shared], axis=-1).reshape(len(answers), -1))
    return np.concatenate(columns, axis=1)


def best(scores: npt.NDArray[np.float64], numbers: Sequence[int]) -> list[int]:
    """The place of the first best score of each pair, whose scores lie side by side.

    Args:
        numbers: how many scores each pair has.
    """
    places, start = [], 0
    for number in numbers:
        places.append(start + int(np.argmax(scores[start : start + number])))
        start += number
    return places
