"""The gate that every training row passes: where rows are refused, and why.

Rows of the source are the user's own split: they leave only where they repeat a held-out row
(dev, test) exactly. What an augmenter makes or changes is refused by *lineage*, which follows
parents and catches every row that was made from a held-out one, and by *likeness*, which catches
texts that repeat a held-out prompt without saying so; its recall is measured in
``docs/augmentation.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.kit.alike.exact import HeldOutPrompts, LoosePrompts, lesson
from harness.kit.alike.texts import RowTexts, text_of
from harness.records import Example

if TYPE_CHECKING:
    from harness.data.likeness import Likeness, Match, Usual

REVISION = 6
"""Raised whenever the same rows and settings are screened or refused otherwise."""
INVALID = "invalid row"
DESCENDS = "descends from dev or test"
NO_ORIGIN = "no origin"
REPEAT = "repeat of dev or test"
NEAR_REPEAT = "near repeat of dev or test"
REPEATS_TRAIN = "repeats train"
REASONS = (INVALID, DESCENDS, NO_ORIGIN, REPEAT, NEAR_REPEAT, REPEATS_TRAIN)
HELD_OUT = ("dev", "test")
ENDS = ("user", "tool")
"""Roles of a prompt's last turn: a tool's result is answered, too."""


class RowGate:
    """Refuses rows that must not be trained on; remembers the rows that it let in.

    Args:
        held_out: the rows of dev and test.
        train: the rows that are trained on so far; they count as accepted.
        known: further rows that a new one may come from (the pool).
        likeness: of these rows; made from them where it is not given.
        usual: the likeness that is usual among them.
    """

    def __init__(
        self,
        held_out: Iterable[Example],
        train: Iterable[Example] = (),
        known: Iterable[Example] = (),
        *,
        likeness: Likeness | None = None,
        usual: Usual | None = None,
    ) -> None:
        # It loads numpy, and a test of a plugin imports this module by the kit.
        from harness.data.likeness import Likeness, Limits, Usual

        rows, train, known = tuple(held_out), tuple(train), tuple(known)
        source = [row for row in (*train, *known) if row.origin is None]
        # A sibling of a held-out row is as close to it as a child.
        self._held_out = {name for row in rows for name in (row.id, row.parent) if name}
        self._known: dict[str, Example] = {row.id: row for row in (*rows, *known)}
        self._source = {row.id: row for row in source}
        self._train_ids: set[str] = set()
        self._lessons: set[bytes] = set()
        usable = [row for row in rows if _has_turns(row)]
        source = [row for row in source if _has_turns(row)]
        self._likeness = likeness or Likeness(usable, source, Limits())
        self._usual = usual or Usual()
        self._exact = HeldOutPrompts(usable)
        self._compared = (usable, source)
        for row in train:
            self.accept(row)

    @cached_property
    def _loose(self) -> LoosePrompts:
        # Only proposals are looked up in it, and of many rows it is large.
        return LoosePrompts(*self._compared, self._likeness.limits.shared_by)

    def refuse(self, row: Example) -> str | None:
        """Why ``row`` must not be trained on (one of :data:`REASONS`), or None."""
        if not _valid(row):
            return INVALID
        of_source = self._source.get(row.id)
        if of_source is not None and _body(of_source) == _body(row):
            return self.refuse_source(row) or (REPEATS_TRAIN if row.id in self._train_ids else None)
        return (
            self._lineage(row)
            or self._leak(row)
            or (REPEATS_TRAIN if self._in_train(row) else None)
        )

    def refuse_source(self, row: Example) -> str | None:
        """The same for a row as the source gave it, which needs no origin."""
        if not _valid(row):
            return INVALID
        lineage = self._lineage(row)
        if lineage in (DESCENDS, INVALID):
            return lineage
        return REPEAT if self.repeated_by(row) else None

    def repeated_by(self, row: Example) -> Example | None:
        """The held-out row that ``row`` repeats exactly, or None."""
        return self._exact.repeated_by(RowTexts(row))

    def nearest(self, row: Example) -> Match | None:
        """The held-out row that a row of the source is a near repeat of, or None."""
        return self._likeness.nearest(RowTexts(row), self._usual, new=False)

    def accept(self, row: Example) -> None:
        """Count ``row`` as trained on from now on; others may descend from it."""
        self._known.setdefault(row.id, row)
        self._train_ids.add(row.id)
        self._lessons.add(lesson(row))

    def _lineage(self, row: Example) -> str | None:
        """Follow parents up to a row that a source gave."""
        own = self._known.get(row.id)
        if row.id in self._held_out:
            return DESCENDS
        if own is None and row.parent is None:
            return NO_ORIGIN
        seen, name = {row.id}, row.parent
        while name is not None:
            if name in self._held_out:
                return DESCENDS
            ancestor = self._known.get(name)
            if ancestor is None or name in seen:
                return NO_ORIGIN
            seen.add(name)
            name = ancestor.parent
        # An id that belongs to another row would lend it a lineage that it has not.
        return INVALID if own is not None and _body(own) != _body(row) else None

    def _leak(self, row: Example) -> str | None:
        texts = RowTexts(row)
        if self._exact.repeated_by(texts) or self._loose.repeated_by(texts):
            return REPEAT
        return NEAR_REPEAT if self._likeness.nearest(texts, self._usual) else None

    def _in_train(self, row: Example) -> bool:
        return row.id in self._train_ids or lesson(row) in self._lessons


def _has_turns(row: Example) -> bool:
    return bool(row.messages) and all(hasattr(turn, "get") for turn in row.messages)


def _body(row: Example) -> tuple[Any, ...]:
    return tuple(row.messages), tuple(row.references), tuple(row.rejected), row.parent


def _valid(row: Any) -> bool:
    """A user turn with text, at the end or before a tool's result, and answers with text.

    An answer is a reference, or one that is rejected; none is both.
    """
    if not isinstance(row, Example) or not isinstance(row.id, str) or not row.id:
        return False
    turns = row.messages
    if not isinstance(turns, (tuple, list)) or not turns:
        return False
    if not all(hasattr(turn, "get") for turn in turns) or turns[-1].get("role") not in ENDS:
        return False
    references, rejected = row.references, row.rejected
    if not all(isinstance(texts, (tuple, list)) for texts in (references, rejected)):
        return False
    if not (references or rejected) or {*references} & {*rejected}:
        return False
    answers = all(isinstance(text, str) and text.strip() for text in (*references, *rejected))
    asked = [text_of(turn.get("content")) for turn in turns if turn.get("role") == "user"]
    return answers and bool(asked) and bool(asked[-1].strip())
