"""Which held-out prompt a row is most like, and whether that is too much.

The floors are the config's; what is usual among the rows of the domain itself
(:class:`Usual`) may raise them, never lower them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.kit.alike.hashes import Numbers
from harness.kit.alike.index import (
    LEAST_CONTAINED,
    LEAST_SHAPE,
    Floats,
    Index,
    Parts,
    parts_of,
    shape_of,
)
from harness.kit.alike.runs import SharedRuns
from harness.kit.alike.texts import RowTexts
from harness.records import Example

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


HELD_OUT_ROWS = "held-out rows"
SOURCE_ROWS = "rows of the source"


@dataclass(frozen=True, slots=True)
class Usual:
    """What likeness is usual in the domain; without any rows, the floors alone decide.

    Attributes:
        words, code: how far above the floors rows are that are no copies of each other (see
            :class:`Strengths`); None where that is under the floors. By these proposals are
            refused.
        held_out_words, held_out_code: the same of held-out rows alone, however few they are: by
            these rows of the source are called near, since copies among them must not set the
            threshold that is to show them.
        rows: comparisons that ``words`` and ``code`` rest on.
        of: :data:`HELD_OUT_ROWS` or :data:`SOURCE_ROWS`: whose they are.
        recognised: share of copies with typing errors that would be refused; None without any.
    """

    words: float | None = None
    code: float | None = None
    held_out_words: float | None = None
    held_out_code: float | None = None
    rows: int = 0
    of: str = HELD_OUT_ROWS
    recognised: float | None = None

    def near(self, floor: float) -> float:
        """The similarity from which a row is refused."""
        return floor if self.words is None else floor + min(1.0, self.words) * (1 - floor)


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
        weighed = source[:: stride(len(source), REFERENCES)]
        texts_of_held_out = [RowTexts(row) for row in held_out]
        # Of rows with the same words, the last one stands for all.
        by_words = {texts.words: texts for texts in texts_of_held_out if texts.words}
        others = {texts.words: texts for texts in map(RowTexts, weighed) if texts.words}
        self.texts = {words: place for place, words in enumerate(by_words)}
        self.rows = [texts.row for texts in by_words.values()]
        compared = [*by_words.values(), *(t for w, t in others.items() if w not in self.texts)]
        words = [texts.words for texts in compared]
        # A new text counts as one of those that share.
        self._runs = SharedRuns(words, self.limits.shared_run, self.limits.shared_by - 1)
        self._index = self._indexed([self._parts(text, new=False) for text in words])
        shapes = [shape_of(texts.row) for texts in compared]
        self._shapes = self._indexed(shapes)
        self._has_shape = any(len(parts.own) for parts in shapes[: len(self.rows)])
        self._long = self._index.sizes >= LEAST_CONTAINED
        self._built = self._shapes.sizes >= LEAST_SHAPE
        self._answers = self._rare_answers(texts_of_held_out, compared)
        # From similarities to what has to be contained, see Index.compare.
        near = min(self.limits.near, self.limits.near_with_answer)
        self._least_words = min(_less(near) ** 2, _less(self.limits.contained))
        self._least_code = _less(self.limits.renamed) ** 2

    def _parts(self, words: str, *, new: bool) -> Parts:
        return parts_of(words, self._runs, self.limits.shared_by - new)

    def _indexed(self, parts: Sequence[Parts]) -> Index:
        return Index(parts[: len(self.rows)], parts[len(self.rows) :])

    def _rare_answers(
        self, held_out: Sequence[RowTexts], compared: Sequence[RowTexts]
    ) -> dict[str, list[int]]:
        """Answer -> places of the held-out prompts with it; labels and the like are left out."""
        counts = Counter(answer for texts in compared for answer in set(texts.answers))
        places: dict[str, set[int]] = {}
        for texts in held_out:
            place = self.texts.get(texts.words, -1)
            for answer in texts.answers:
                if place >= 0 and counts[answer] < self.limits.shared_by:
                    places.setdefault(answer, set()).add(place)
        return {answer: sorted(of_answer) for answer, of_answer in places.items()}

    def nearest(self, texts: RowTexts, usual: Usual, *, new: bool = True) -> Match | None:
        """The held-out row that a row is too much like; None if there is none.

        Args:
            usual: what is more than the floors allow, and usual all the same.
            new: the row is proposed; False: it is one of those that the likeness was made from.
        """
        strengths = self.strengths(texts, new=new)
        words, code = usual.words, usual.code
        if not new:
            words, code = usual.held_out_words, usual.held_out_code
        rules = [(strengths.words, -math.inf if words is None else words)]
        if code is None:  # else unrelated code is alike, whatever its names are: that tells nothing
            rules.append((strengths.code, -math.inf))
        for values, least in rules:
            place = int(values.argmax()) if len(values) else 0
            if len(values) and values[place] >= 0 and values[place] > least:
                return Match(self.rows[place], float(min(1.0, strengths.similarity[place])))
        return None

    def strengths(self, texts: RowTexts, *, new: bool = True) -> Strengths:
        """See :class:`Strengths`.

        Args:
            new: the row is none of those that the weights are made from.
        """
        count = len(self.rows)
        strengths = Strengths(np.full(count, -np.inf), np.full(count, -np.inf), np.zeros(count))
        self._by_words(strengths, texts, new)
        shape = shape_of(texts.row) if self._has_shape else None
        if shape is not None and len(shape.own):
            self._by_shape(strengths, shape, new)
        return strengths

    def _by_words(self, strengths: Strengths, texts: RowTexts, new: bool) -> None:
        limits = self.limits
        parts = self._parts(texts.words, new=new)
        common = self._index.compare(parts, new=new, least=self._least_words)
        places, similar = common.places, common.similar
        if not len(places):
            return
        contained = np.where(self._long[places], common.contained, 0.0)
        strengths.similarity[places] = similar
        strengths.words[places] = np.maximum(
            above(similar, limits.near), above(contained, limits.contained)
        )
        same = sorted({at for answer in texts.answers for at in self._answers.get(answer, ())})
        if same:
            answered = above(strengths.similarity[same], limits.near_with_answer)
            strengths.words[same] = np.maximum(strengths.words[same], answered)
        self._raise(strengths, places, contained, limits.contained)

    def _by_shape(self, strengths: Strengths, shape: Parts, new: bool) -> None:
        common = self._shapes.compare(shape, new=new, least=self._least_code)
        if not len(common.places):
            return
        alike = np.where(self._built[common.places], common.similar, 0.0)
        strengths.code[common.places] = above(alike, self.limits.renamed)
        self._raise(strengths, common.places, alike, self.limits.renamed)

    def _raise(self, strengths: Strengths, places: Numbers, values: Floats, least: float) -> None:
        """Let values from ``least`` on count as similarities, too."""
        values = np.where(values >= least, values, 0.0)
        strengths.similarity[places] = np.maximum(strengths.similarity[places], values)


def stride(rows: int, most: int) -> int:
    """The step by which at most so many of the rows are taken, evenly spaced."""
    return -(-rows // most) or 1


def _less(floor: float) -> float:
    return max(0.0, floor - ROUNDING)


def above(values: Floats, floor: float) -> Floats:
    """0 at the floor, 1 at 1, linear."""
    if floor >= 1:
        return np.where(np.round(values, 6) >= 1, 1.0, -1.0)
    # Sums of weights in another order differ in their last digits.
    return (np.minimum(np.round(values, 6), 1.0) - floor) / (1 - floor)
