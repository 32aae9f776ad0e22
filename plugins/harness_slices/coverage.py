"""How well the training rows cover a prompt: the nearest of them, and words they hardly know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import nan

from harness import Example
from harness.alike.words import Rows, asked, words

COVERAGE = ("rare_words", "train_distance")
RARE = 2
"""A word is rare if fewer training rows have it."""
DIGITS = 2
"""Decimals: they are cut at values that people read."""
MOST_PRODUCTS = 500_000_000
"""Prompts times training rows; more would take minutes."""


def coverage(examples: Sequence[Example], train: Sequence[Example]) -> dict[str, list[float]]:
    """``train_distance`` and ``rare_words`` of each example, from 0 (well covered) to 1.

    The distance is 1 minus the similarity of the nearest training row
    (:class:`harness.alike.words.Rows`); ``rare_words`` is the share of the different words that
    fewer than ``RARE`` training rows have. A text without words has neither (NaN). Empty where
    there would be more than ``MOST_PRODUCTS`` comparisons.
    """
    if not train or len(examples) * len(train) > MOST_PRODUCTS:
        return {}
    texts = [asked(example) for example in examples]
    known = [asked(row) for row in train]
    rows_with = Counter(word for text in known for word in set(words(text)))
    rare, distance = [], []
    for text, nearest in zip(texts, Rows(known).nearest(texts, 1), strict=True):
        different = set(words(text))
        missing = sum(rows_with[word] < RARE for word in different)
        rare.append(round(missing / len(different), DIGITS) if different else nan)
        alike = nearest[0][1] if nearest else 0.0
        distance.append(round(1 - alike, DIGITS) if different else nan)
    return {"rare_words": rare, "train_distance": distance}
