"""The gate that every training row passes: where rows are refused, and why.

Two walls stand between the held-out rows (dev, test) and training. *Lineage* follows parents
and catches every row that was made from a held-out one. *Similarity* catches texts that repeat
a held-out prompt without saying so; its recall is measured in ``docs/augmentation.md``.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from harness.records import Example, Message

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Hashes = npt.NDArray[np.uint64]
    Counts = npt.NDArray[np.int64]

INVALID = "invalid row"
DESCENDS = "descends from dev or test"
NO_ORIGIN = "no origin"
REPEAT = "repeat of dev or test"
NEAR_REPEAT = "near repeat of dev or test"
REPEATS_TRAIN = "repeats train"
REASONS = (INVALID, DESCENDS, NO_ORIGIN, REPEAT, NEAR_REPEAT, REPEATS_TRAIN)

NEAR = 0.6
NEAR_WITH_ANSWER = 0.4
CONTAINED = 0.9
SHINGLE = 5
TELLING = 20
"""Characters from which a turn means something outside of its conversation."""
CODE_MARKS = 8
"""Brackets, operators and the like in a text long enough to be known by its shape."""
HELD_OUT = ("dev", "test")


class Gate:
    """Refuses rows that must not be trained on; remembers the rows that it let in.

    Args:
        held_out: the rows of dev and test.
        train: the rows that are trained on so far; they count as accepted.
        known: further rows that a new one may come from (the pool).
        near: a prompt is a near repeat from this share of common character 5-grams
            (Jaccard, 0 to 1) on.
        near_with_answer: the same where the answer equals one of the held-out row's.
        contained: a prompt also is a near repeat if it holds this share of a held-out
            prompt's 5-grams, however much else it says.
    """

    def __init__(
        self,
        held_out: Iterable[Example],
        train: Iterable[Example] = (),
        known: Iterable[Example] = (),
        *,
        near: float = NEAR,
        near_with_answer: float = NEAR_WITH_ANSWER,
        contained: float = CONTAINED,
    ) -> None:
        rows = tuple(held_out)
        self.limits = (near, near_with_answer, contained)
        # A sibling of a held-out row is as close to it as a child.
        self._held_out = {name for row in rows for name in (row.id, row.parent) if name}
        self._known: dict[str, Example] = {row.id: row for row in (*rows, *known)}
        self._train_ids: set[str] = set()
        self._train_texts: set[tuple[str, ...]] = set()
        self._texts = _HeldOutTexts(rows)
        for row in train:
            self.accept(row)

    def refuse(self, row: Example) -> str | None:
        """Why ``row`` must not be trained on (one of :data:`REASONS`), or None."""
        if not _valid(row):
            return INVALID
        return (
            self._lineage(row)
            or self._texts.repeats(row, *self.limits)
            or (REPEATS_TRAIN if self._in_train(row) else None)
        )

    def accept(self, row: Example) -> None:
        """Count ``row`` as trained on from now on; others may descend from it."""
        self._known.setdefault(row.id, row)
        self._train_ids.add(row.id)
        self._train_texts.add(_conversation(row))

    def screen(self, rows: Iterable[Example]) -> tuple[tuple[Example, ...], Counter[str]]:
        """The rows of a source that may stay, and reason -> number of the others.

        Held-out rows are passed over. The rest count as known; those of train come first,
        so that a pool row that repeats train is refused, not the other way round.
        """
        given = [row for row in rows if row.split not in HELD_OUT]
        for row in given:
            self._known.setdefault(row.id, row)
        refused: Counter[str] = Counter()
        kept: set[int] = set()
        for place in sorted(range(len(given)), key=lambda i: given[i].split != "train"):
            row = given[place]
            reason = self.refuse(row)
            if reason:
                refused[reason] += 1
                continue
            kept.add(place)
            if row.split == "train":
                self.accept(row)
        return tuple(row for place, row in enumerate(given) if place in kept), refused

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

    def _in_train(self, row: Example) -> bool:
        return row.id in self._train_ids or _conversation(row) in self._train_texts


class _HeldOutTexts:
    """Finds held-out prompts that a row repeats, through an inverted index on shingles."""

    def __init__(self, rows: Sequence[Example]) -> None:
        import numpy as np

        texts = [(normal, row) for row in rows for normal in _tellings(row, last_only=True)]
        self.exact = {normal for normal, _ in texts}
        self.shapes = {shape for row in rows for shape in _shapes(row.messages[-1:])}
        self.answers: dict[str, list[int]] = {}
        for place, (_, row) in enumerate(texts):
            for answer in {normalise(reference) for reference in row.references}:
                self.answers.setdefault(answer, []).append(place)
        prints = [_shingles(normal) for normal, _ in texts]
        self.sizes = np.array([len(found) for found in prints], dtype=np.int64)
        places = np.repeat(np.arange(len(prints)), self.sizes)
        hashes = np.concatenate([*prints, np.empty(0, np.uint64)])
        order = np.argsort(hashes, kind="stable")
        self.postings = places[order]
        self.hashes, self.starts = np.unique(hashes[order], return_index=True)
        self.ends = np.append(self.starts[1:], len(hashes)).astype(np.int64)

    def repeats(
        self, row: Example, near: float, near_with_answer: float, contained: float
    ) -> str | None:
        """``REPEAT``, ``NEAR_REPEAT`` or None."""
        texts = list(_tellings(row, last_only=False))
        if any(text in self.exact for text in texts):
            return REPEAT
        if not self.shapes.isdisjoint(_shapes(row.messages)):
            return NEAR_REPEAT
        answers = {normalise(reference) for reference in row.references}
        same_answer = sorted({i for a in answers for i in self.answers.get(a, ())})
        for text in texts:
            mine = _shingles(text)
            common = self._common(mine)
            jaccard = common / (self.sizes + len(mine) - common)
            # Short texts are contained in many others by chance.
            inside = (common >= contained * self.sizes) & (self.sizes >= 2 * TELLING)
            if (jaccard >= near).any() or inside.any():
                return NEAR_REPEAT
            if (jaccard[same_answer] >= near_with_answer).any():
                return NEAR_REPEAT
        return None

    def _common(self, mine: Hashes) -> Counts:
        """Number of shingles that ``mine`` shares with each held-out text."""
        import numpy as np

        if not len(self.hashes):
            return np.zeros(len(self.sizes), dtype=np.int64)
        at = np.minimum(np.searchsorted(self.hashes, mine), len(self.hashes) - 1)
        at = at[self.hashes[at] == mine]
        starts, lengths = self.starts[at], self.ends[at] - self.starts[at]
        # All postings of the found hashes, as one flat index: start + 0, 1, … per hash.
        offsets = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        hits = self.postings[np.repeat(starts, lengths) + offsets]
        return np.bincount(hits, minlength=len(self.sizes))


def normalise(text: str) -> str:
    """Case, punctuation, width and white space taken away: what a repeat has in common.

    A text without any letter or digit keeps its characters.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_SEPARATORS.sub(" ", folded).split()) or " ".join(folded.split())


_TOKEN = re.compile(r"\w+|[^\w\s]")
_CODE_MARKS = frozenset("()[]{}=:;<>+*/%&|.,")
_SEPARATORS = re.compile(r"[\W_]+")
_PRIME = 0x100000001B3


def _shingles(text: str) -> Hashes:
    """Distinct hashes of the text's character 5-grams (of the whole text if it is shorter)."""
    import numpy as np

    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    points = points.astype(np.uint64)
    width = min(SHINGLE, len(points))
    count = len(points) - width + 1
    hashes = np.zeros(count if width else 0, dtype=np.uint64)
    for offset in range(width):
        hashes = hashes * np.uint64(_PRIME) + points[offset : offset + count]
    # The polynomial alone keeps neighbours close; one multiply-xor round spreads them.
    hashes ^= hashes >> np.uint64(29)
    return np.unique(hashes * np.uint64(0xBF58476D1CE4E5B9))


def _tellings(row: Example, *, last_only: bool) -> Iterator[str]:
    """The normalised texts by which a row is recognised.

    The last user turn (all of them with ``last_only`` false: a held-out prompt may hide in
    an earlier turn), and in conversations all user turns together, because a last turn like
    "yes, please" says nothing by itself.
    """
    turns = [_text(m.get("content")) for m in row.messages if m.get("role") == "user"]
    normals = [normalise(turn) for turn in turns]
    if len(normals) > 1:
        yield " ".join(normals)
        normals = [n for n in (normals[-1:] if last_only else normals) if len(n) >= TELLING]
    yield from (normal for normal in normals if normal)


def _shapes(messages: Sequence[Message]) -> Iterator[str]:
    """What a program keeps when its names are changed: one shape per user turn with code.

    Each name becomes the number of its first appearance; all else stays.
    """
    for message in messages:
        if message.get("role") != "user":
            continue
        tokens = _TOKEN.findall(_text(message.get("content")))
        if sum(token in _CODE_MARKS for token in tokens) < CODE_MARKS:
            continue
        numbers: dict[str, str] = {}
        yield " ".join(
            numbers.setdefault(token, f"#{len(numbers)}") if token.isidentifier() else token
            for token in tokens
        )


def _conversation(row: Example) -> tuple[str, ...]:
    """All turns but for their white space: the same key, the same training prompt."""
    return tuple(
        f"{message.get('role')}: {' '.join(_text(message.get('content')).split())}"
        for message in row.messages
    )


def _body(row: Example) -> tuple[Any, ...]:
    return tuple(row.messages), tuple(row.references), row.parent


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "" if content is None else str(content)


def _valid(row: Any) -> bool:
    """A user turn with text at the end, and a first reference with text."""
    if not isinstance(row, Example) or not isinstance(row.id, str) or not row.id:
        return False
    turns = row.messages
    if not isinstance(turns, (tuple, list)) or not turns:
        return False
    if not all(hasattr(turn, "get") for turn in turns) or turns[-1].get("role") != "user":
        return False
    references = row.references
    if not isinstance(references, (tuple, list)) or not references:
        return False
    answers = all(isinstance(answer, str) and answer.strip() for answer in references)
    return answers and bool(_text(turns[-1].get("content")).strip())
