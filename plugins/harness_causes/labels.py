"""The answers of a train that teaches a short list of them: labels, headings, yes and no."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Example
from harness.alike.words import words

LEAST_ROWS = 20
MOST_LABELS = 100
SHARE = 0.2
"""Labels per row, at most."""
MOST_WORDS = 6
"""Words of a label."""


class Labels:
    """The different answers of train, where they are few and short; else none."""

    def __init__(self, train: Sequence[Example]) -> None:
        found = {tuple(words(row.references[0])) for row in train if row.references}
        few = len(found) <= min(MOST_LABELS, SHARE * len(train))
        short = all(0 < len(label) <= MOST_WORDS for label in found)
        self._labels = found if len(train) >= LEAST_ROWS and few and short else set()

    def missing(self, answer: str, references: Sequence[str]) -> int:
        """How many labels there are, if a reference is one of them and the answer, as short, is
        none; else 0."""
        said = tuple(words(answer))
        wanted = any(tuple(words(text)) in self._labels for text in references)
        usable = wanted and 0 < len(said) <= 2 * MOST_WORDS and said not in self._labels
        return len(self._labels) if usable else 0
