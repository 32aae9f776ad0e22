"""Which held-out prompt a row is most like, and whether that is too much.

The floors are the config's; what is usual among the rows of the domain itself
(:mod:`harness.data.threshold`) may raise them, never lower them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.data.rowtexts import RowTexts
from harness.data.shingles import LEAST_CONTAINED, LEAST_SHAPE, Index, Parts, Words, shape_of
from harness.records import Example

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from harness.data.hashes import Numbers

    Floats = npt.NDArray[np.float64]

REFERENCES = 20_000
"""Rows of the source at most by which shingles are weighed, evenly spaced."""
ROUNDING = 1e-6
"""Differences of similarities up to which they count as equal."""


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
    below 0 under it, and minus infinity far under it. ``words`` is the most of the three rules
    about words."""

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
        given = [RowTexts(row) for row in held_out]
        # Of rows with the same words, the last one stands for all.
        by_words = {texts.words: texts for texts in given if texts.words}
        others = {texts.words: texts for texts in map(RowTexts, source[::stride]) if texts.words}
        self.texts = {words: place for place, words in enumerate(by_words)}
        self.rows = [texts.row for texts in by_words.values()]
        compared = [*by_words.values(), *(t for w, t in others.items() if w not in self.texts)]
        words = [texts.words for texts in compared]
        self._words = Words(words, self.limits.shared_run, self.limits.shared_by)
        self._index = self._indexed([self._words.parts(text, new=False) for text in words])
        shapes = [shape_of(texts.row) for texts in compared]
        self._shapes = self._indexed(shapes)
        self._has_shape = any(len(parts.own) for parts in shapes[: len(self.rows)])
        self._long = self._index.sizes >= LEAST_CONTAINED
        self._built = self._shapes.sizes >= LEAST_SHAPE
        self._answers = self._rare_answers(given, compared)
        # From similarities to what has to be contained, see Index.compare.
        near = min(self.limits.near, self.limits.near_with_answer)
        self._least_words = min(_less(near) ** 2, _less(self.limits.contained))
        self._least_code = _less(self.limits.renamed) ** 2
        # Until the domain has been asked, the floors are the thresholds.
        self.usual = self.usual_of_source = (-math.inf, -math.inf)

    def _indexed(self, parts: Sequence[Parts]) -> Index:
        return Index(parts[: len(self.rows)], parts[len(self.rows) :])

    def _rare_answers(
        self, held_out: Sequence[RowTexts], compared: Sequence[RowTexts]
    ) -> dict[str, list[int]]:
        """Answer -> places of the held-out prompts with it; labels and the like are left out."""
        counts = Counter(answer for texts in compared for answer in set(texts.answers))
        found: dict[str, set[int]] = {}
        for texts in held_out:
            place = self.texts.get(texts.words, -1)
            for answer in texts.answers:
                if place >= 0 and counts[answer] < self.limits.shared_by:
                    found.setdefault(answer, set()).add(place)
        return {answer: sorted(places) for answer, places in found.items()}

    def nearest(self, texts: RowTexts, *, new: bool = True) -> Match | None:
        """The held-out row that a row is too much like; None if there is none.

        Args:
            new: the row is proposed; False: it is one of those that the likeness was made from.
        """
        found = self.strengths(texts, new=new)
        usual_words, usual_code = self.usual if new else self.usual_of_source
        for values, usual in ((found.words, usual_words), (found.code, usual_code)):
            place = int(values.argmax()) if len(values) else 0
            if len(values) and values[place] >= 0 and values[place] > usual:
                return Match(self.rows[place], float(min(1.0, found.similarity[place])))
        return None

    def strengths(self, texts: RowTexts, *, new: bool = True) -> Strengths:
        """See :class:`Strengths`.

        Args:
            new: the row is none of those that the weights are made from.
        """
        import numpy as np

        count = len(self.rows)
        found = Strengths(np.full(count, -np.inf), np.full(count, -np.inf), np.zeros(count))
        self._by_words(found, texts, new)
        shape = shape_of(texts.row) if self._has_shape else None
        if shape is not None and len(shape.own):
            self._by_shape(found, shape, new)
        return found

    def _by_words(self, found: Strengths, texts: RowTexts, new: bool) -> None:
        import numpy as np

        limits = self.limits
        parts = self._words.parts(texts.words, new=new)
        common = self._index.compare(parts, new=new, least=self._least_words)
        places, similar = common.places, common.similar
        if not len(places):
            return
        contained = np.where(self._long[places], common.contained, 0.0)
        found.similarity[places] = similar
        found.words[places] = np.maximum(
            above(similar, limits.near), above(contained, limits.contained)
        )
        same = sorted({at for answer in texts.answers for at in self._answers.get(answer, ())})
        if same:
            answered = above(found.similarity[same], limits.near_with_answer)
            found.words[same] = np.maximum(found.words[same], answered)
        self._raise(found, places, contained, limits.contained)

    def _by_shape(self, found: Strengths, shape: Parts, new: bool) -> None:
        import numpy as np

        common = self._shapes.compare(shape, new=new, least=self._least_code)
        if not len(common.places):
            return
        alike = np.where(self._built[common.places], common.similar, 0.0)
        found.code[common.places] = above(alike, self.limits.renamed)
        self._raise(found, common.places, alike, self.limits.renamed)

    def _raise(self, found: Strengths, places: Numbers, values: Floats, least: float) -> None:
        """Let values from ``least`` on count as similarities, too."""
        import numpy as np

        values = np.where(values >= least, values, 0.0)
        found.similarity[places] = np.maximum(found.similarity[places], values)


def _less(floor: float) -> float:
    return max(0.0, floor - ROUNDING)


def above(values: Floats, floor: float) -> Floats:
    """0 at the floor, 1 at 1, linear."""
    import numpy as np

    if floor >= 1:
        return np.where(np.round(values, 6) >= 1, 1.0, -1.0)
    # Sums of weights in another order differ in their last digits.
    return (np.minimum(np.round(values, 6), 1.0) - floor) / (1 - floor)
