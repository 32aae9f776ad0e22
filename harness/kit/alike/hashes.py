"""Hashes of all runs of characters of texts, and a table in which many hashes are found at once.

The hash of the run ``c_0 … c_(w-1)`` is ``sum(c_i * B^(w-1-i))`` modulo 2^64 with ``c_i`` the
character's number, spread over all 64 bits. It depends on nothing else, so equal runs have equal
hashes wherever they stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SHINGLE = 5
"""Characters of a shingle."""
CHUNK = 1 << 16
"""Characters that are hashed at once, the last text whole."""
BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(BASE, -1, 1 << 64)
_PAD = "\0"
MOST_STEPS = 32
"""Hashes with the same leading bits from which a table is searched by halves."""


class Windows:
    """All runs of characters of some texts, one text after the other.

    A text that is too short for a shingle is filled up, so that it has one.

    Attributes:
        lengths: ``(texts,)``: characters of each text.
        left: ``(characters,)``: how many characters of its text begin at each place.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        texts = [text if len(text) >= SHINGLE else text.ljust(SHINGLE, _PAD) for text in texts]
        self.lengths = np.array([len(text) for text in texts], dtype=np.int64)
        ends = np.cumsum(self.lengths)
        self.left = np.repeat(ends, self.lengths) - np.arange(ends[-1])
        self._sums = _running_sums(_characters("".join(texts)))

    def hashes(self, width: int) -> Hashes:
        """``(characters - width + 1,)``: of the run of that width from each place on; that of a run
        which goes beyond its text means nothing."""
        count = max(0, len(self._sums) - width)
        # Differences of running sums, exact modulo 2^64, moved to the run's own beginning.
        powers = _powers(len(self._sums))[1][width - 1 : width - 1 + count]
        return mixed((self._sums[width:] - self._sums[:count]) * powers)

    def whole(self, width: int) -> Flags:
        """Which of these runs belong to one text."""
        whole: Flags = self.left[: max(0, len(self.left) - width + 1)] >= width
        return whole

    def owners(self) -> Hashes:
        """``(characters,)``: the place of the text that each character belongs to."""
        return np.repeat(np.arange(len(self.lengths), dtype=np.uint64), self.lengths)


def chunks(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in lists of about :data:`CHUNK` characters."""
    chunk: list[str] = []
    size = 0
    for text in texts:
        chunk.append(text)
        size += max(SHINGLE, len(text))
        if size >= CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def mixed(hashes: Hashes) -> Hashes:
    """The polynomial alone keeps neighbours close; two rounds of xor and multiply spread them."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)


class Runs:
    """Runs of any numbers, of words for one, hashed as runs of characters are.

    Args:
        numbers: ``(n,)``: all of them, one after the other.
    """

    def __init__(self, numbers: Hashes) -> None:
        self._sums = _running_sums(numbers)

    def hashes(self, begins: Numbers, ends: Numbers) -> Hashes:
        """Of the run from each begin up to its end, which lies behind it."""
        powers = _powers(len(self._sums))[1][ends - 1]
        return mixed((self._sums[ends] - self._sums[begins]) * powers)


def _characters(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _running_sums(numbers: Hashes | npt.NDArray[np.uint32]) -> Hashes:
    """Sums over the numbers before each place, by which runs of any width are hashed."""
    sums = np.zeros(len(numbers) + 1, np.uint64)
    np.cumsum(numbers * _powers(len(numbers))[0][: len(numbers)], out=sums[1:])
    return sums


_POWERS: list[tuple[Hashes, Hashes]] = []


def _powers(count: int) -> tuple[Hashes, Hashes]:
    """Powers of the base's inverse and of the base modulo 2^64, kept for the longest so far."""
    if not _POWERS or len(_POWERS[0][0]) < count:
        size = max(1024, 2 * count)
        pair = []
        for base in (_INVERSE, BASE):
            factors = np.full(size, base, dtype=np.uint64)
            factors[0] = 1
            pair.append(np.cumprod(factors))
        _POWERS[:] = [(pair[0], pair[1])]
    return _POWERS[0]


# -- sets of hashes -----------------------------------------------------------------------------


class Table:
    """The places of hashes in a sorted array, found by their leading bits.

    Hashes are mixed, so with more buckets than hashes nearly all buckets hold none or one: a
    look-up takes a step or two, where a search by halves takes twenty.

    Args:
        hashes: sorted and distinct.
    """

    def __init__(self, hashes: Hashes) -> None:
        bits = len(hashes).bit_length() + 1
        self._shift = np.uint64(64 - bits)
        counts = np.bincount((hashes >> self._shift).view(np.int64), minlength=1 << bits)
        self._longest = int(counts.max())
        self._starts = (np.cumsum(counts) - counts).astype(np.int32)
        # One more entry, so that the place after the last one can be looked at.
        self._hashes = np.append(hashes, np.uint64(2**64 - 1))
        self.size = len(hashes)

    def places(self, wanted: Hashes) -> Numbers:
        """The place of each hash; ``size`` for those that are not in the table."""
        if self._longest > MOST_STEPS:
            places = np.searchsorted(self._hashes[:-1], wanted)
        else:
            places = self._starts[(wanted >> self._shift).view(np.int64)].astype(np.int64)
            while (behind := self._hashes[places] < wanted).any():
                places += behind
        # The entry after the last one is found where that hash is wanted; it is no entry.
        return np.where(self._hashes[places] == wanted, places, self.size)


def counted(hashes: Hashes) -> tuple[Hashes, Numbers]:
    """The distinct hashes, sorted, and how often each occurs."""
    ordered = np.sort(hashes)
    starts = np.flatnonzero(_firsts(ordered))
    return ordered[starts], np.diff(starts, append=len(ordered))


def distinct(hashes: Hashes) -> Hashes:
    """The distinct hashes, sorted."""
    ordered = np.sort(hashes)
    return ordered[_firsts(ordered)]


def joined(arrays: Sequence[Hashes]) -> Hashes:
    """All hashes, one array after the other; there may be none."""
    return np.concatenate([*arrays, np.empty(0, np.uint64)])


def _firsts(ordered: Hashes) -> Flags:
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first
