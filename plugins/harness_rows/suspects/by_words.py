"""What the words of prompts say of labels: a second opinion beside a model's, and a cheap one.

Complement naive Bayes (Rennie, Shih, Teevan and Karger, "Tackling the Poor Assumptions of Naive
Bayes Text Classifiers", ICML 2003, section 3.1) on words and on parts of words, each of which a
prompt has or has not.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import harness
from harness.alike.words import asked, words

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
PARTS = 10
"""Parts of the rows that are held out in turn."""
SIZES = (3, 4, 5)
"""Characters of the parts of words."""


def opinions(rows: Sequence[harness.Example], own: Integers, labels: int) -> Floats:
    """How well each label goes with the prompt of each row, by the rows of other parts.

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
    together = has.T @ is_own
    scores = np.zeros((len(rows), labels))
    for part in filter(None, parts):
        held_out = np.array([row.id in part for row in rows])
        counts = together - has[held_out].T @ is_own[held_out]
        others = counts.sum(axis=1, keepdims=True) - counts + 1.0
        scores[held_out] = -(has[held_out] @ np.log(others / others.sum(axis=0)))
    scores -= scores.mean(axis=1, keepdims=True)
    spread = scores.std()
    return scores / spread if spread > 0 else scores


def _features(texts: Sequence[str]) -> Any:
    """(texts, features) of zeros and ones: what two texts or more have."""
    from scipy import sparse

    has = [set().union(*map(_parts, words(text))) for text in texts]
    held = Counter(feature for features in has for feature in features)
    columns = {feature: n for n, feature in enumerate(f for f, n in held.items() if n > 1)}
    places = [sorted(columns[f] for f in features if f in columns) for features in has]
    ends = np.cumsum([0, *map(len, places)])
    flat = np.array([place for of_text in places for place in of_text], np.int64)
    shape = (len(texts), len(columns))
    return sparse.csr_matrix((np.ones(len(flat)), flat, ends), shape=shape)


@functools.lru_cache(maxsize=100_000)
def _parts(word: str) -> frozenset[str]:
    """A word, and the parts of it with its ends marked."""
    whole = f"^{word}$"
    parts = (whole[at : at + n] for n in SIZES for at in range(len(whole) - n + 1))
    return frozenset((whole, *parts))
