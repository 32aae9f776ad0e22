"""Which held-out prompt a row is most like, and whether that is too much.

The floors are the config's; what is usual among the rows of the domain itself
(:mod:`harness.data.threshold`) may raise them, never lower them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.data.repeats import folded
from harness.data.shingles import (
    LEAST_CONTAINED,
    LEAST_SHAPE,
    Index,
    Parts,
    Words,
    shape_of,
    words_of,
)
from harness.records import Example

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

REFERENCES = 20_000
"""Rows of the source at most by which shingles are weighed, evenly spaced."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a prompt counts as a near repeat; all of them are shares, 0 to 1.

    Attributes:
        near: similarity of the prompts.
        near_with_answer: the same where a reference, too, is one of the held-out row's.
        contained: share of the held-out prompt's own part that stands in the other.
        renamed: similarity of code whatever the names in it.
        shared_by: rows from which a run of text, a turn or an answer counts as shared.
        shared_run: characters of such a run.
    """

    near: float = 0.6
    near_with_answer: float = 0.4
    contained: float = 0.9
    renamed: float = 0.9
    shared_by: int = 3
    shared_run: int = 40


@dataclass(frozen=True, slots=True)
class Strengths:
    """How far a row is above the floors, for each held-out prompt: 0 at a floor, 1 for a copy,
    below 0 under it. ``words`` is the most of the three rules about words."""

    words: Floats
    code: Floats
    similarity: Floats


@dataclass(frozen=True, slots=True)
class Match:
    """The held-out row that a row is too much like.

    Attributes:
        similarity: 0 to 1, by the rule that is fulfilled by most.
    """

    held_out: Example
    similarity: float


class Likeness:
    """Compares rows with the held-out ones.

    Args:
        held_out: rows of dev and test; equal prompts count once.
        source: the other rows of the source, by which shared text is known as such.
    """

    def __init__(
        self, held_out: Sequence[Example], source: Sequence[Example], limits: Limits | None = None
    ) -> None:
        self.limits = limits or Limits()
        stride = -(-len(source) // REFERENCES) or 1
        by_text = {text: row for row in held_out if (text := words_of(row))}
        others = {text: row for row in source[::stride] if (text := words_of(row))}
        self.texts = {text: place for place, text in enumerate(by_text)}
        self.rows = list(by_text.values())
        rows = [*self.rows, *(row for text, row in others.items() if text not in self.texts)]
        self._words = Words(rows, self.limits.shared_run, self.limits.shared_by)
        self._index = Index(*self._split([self._words.parts(words_of(r), new=False) for r in rows]))
        shapes = [shape_of(row) for row in rows]
        self._shapes = Index(*self._split(shapes))
        self._has_shape = any(len(parts.every) for parts in shapes[: len(self.rows)])
        self._long = self._index.sizes >= LEAST_CONTAINED
        self._built = self._shapes.sizes >= LEAST_SHAPE
        self._answers = self._rare_answers(held_out, rows)
        # Until the domain has been asked, the floors are the thresholds.
        self.usual = self.usual_of_source = (-math.inf, -math.inf)

    def _split(self, parts: Sequence[Parts]) -> tuple[Sequence[Parts], Sequence[Parts]]:
        return parts[: len(self.rows)], parts[len(self.rows) :]

    def _rare_answers(
        self, held_out: Sequence[Example], rows: Sequence[Example]
    ) -> dict[str, list[int]]:
        """Answer -> places of the held-out prompts with it; labels and the like are left out."""
        counts = Counter(answer for row in rows for answer in _answers(row))
        found: dict[str, set[int]] = {}
        for row in held_out:
            place = self.texts.get(words_of(row), -1)
            for answer in _answers(row):
                if place >= 0 and counts[answer] < self.limits.shared_by:
                    found.setdefault(answer, set()).add(place)
        return {answer: sorted(places) for answer, places in found.items()}

    def nearest(self, row: Example, *, new: bool = True) -> Match | None:
        """The held-out row that a row is too much like; None if there is none.

        Args:
            new: the row is proposed; False: it is one of those that the likeness was made from.
        """
        found = self.strengths(row, new=new)
        usual_words, usual_code = self.usual if new else self.usual_of_source
        for values, usual in ((found.words, usual_words), (found.code, usual_code)):
            place = int(values.argmax()) if len(values) else 0
            if len(values) and values[place] >= 0 and values[place] > usual:
                return Match(self.rows[place], float(min(1.0, found.similarity[place])))
        return None

    def strengths(self, row: Example, *, new: bool = True) -> Strengths:
        """See :class:`Strengths`.

        Args:
            new: the row is none of those that the weights are made from.
        """
        import numpy as np

        limits = self.limits
        parts = self._words.parts(words_of(row), new=new)
        similar, contained = self._index.compare(parts, new=new)
        contained = np.where(self._long, contained, 0.0)
        words = np.maximum(above(similar, limits.near), above(contained, limits.contained))
        same = sorted({at for answer in _answers(row) for at in self._answers.get(answer, ())})
        words[same] = np.maximum(words[same], above(similar[same], limits.near_with_answer))
        similarity = np.maximum(similar, np.where(contained >= limits.contained, contained, 0.0))
        shape = shape_of(row) if self._has_shape else None
        if shape is None or not len(shape.every):
            return Strengths(words, np.full(len(words), -np.inf), similarity)
        alike, _ = self._shapes.compare(shape, new=new)
        alike = np.where(self._built, alike, 0.0)
        similarity = np.maximum(similarity, np.where(alike >= limits.renamed, alike, 0.0))
        return Strengths(words, above(alike, limits.renamed), similarity)


def above(values: Floats, floor: float) -> Floats:
    """0 at the floor, 1 at 1, linear."""
    import numpy as np

    if floor >= 1:
        return np.where(np.round(values, 6) >= 1, 1.0, -1.0)
    # Sums of weights in another order differ in their last digits.
    return (np.minimum(np.round(values, 6), 1.0) - floor) / (1 - floor)


def _answers(row: Example) -> Collection[str]:
    return {folded(answer) for answer in row.references if isinstance(answer, str)}
