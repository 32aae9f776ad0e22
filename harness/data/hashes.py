"""Hashes of all windows of a text, and a table in which many hashes are found at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Hashes = npt.NDArray[np.uint64]
    Numbers = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

BASE = 0x100000001B3
_INVERSE = pow(BASE, -1, 1 << 64)
MOST_STEPS = 32
"""Hashes with the same leading bits from which a table is searched by halves."""


class Table:
    """The places of hashes in a sorted array, found by their leading bits.

    Hashes are mixed, so with more buckets than hashes nearly all buckets hold none or one: a
    look-up takes a step or two, where a search by halves takes twenty.

    Args:
        hashes: sorted and distinct.
    """

    def __init__(self, hashes: Hashes) -> None:
        import numpy as np

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
        import numpy as np

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
    import numpy as np

    ordered = np.sort(hashes)
    starts = np.flatnonzero(_firsts(ordered))
    return ordered[starts], np.diff(starts, append=len(ordered))


def distinct(hashes: Hashes) -> Hashes:
    """The distinct hashes, sorted."""
    import numpy as np

    ordered = np.sort(hashes)
    return ordered[_firsts(ordered)]


def _firsts(ordered: Hashes) -> Flags:
    import numpy as np

    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first


def running_sums(text: str) -> Hashes:
    """Sums over the characters before each place, by which windows of any width are hashed."""
    import numpy as np

    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    sums = np.zeros(len(points) + 1, np.uint64)
    np.cumsum(points * _powers(len(points))[0][: len(points)], out=sums[1:])
    return sums


def windows(sums: Hashes, width: int) -> Hashes:
    """Hashes of all windows: differences of :func:`running_sums`, exact modulo 2^64."""
    count = max(0, len(sums) - width)
    return mixed((sums[width:] - sums[:count]) * _powers(count)[1][:count])


def mixed(hashes: Hashes) -> Hashes:
    """The polynomial alone keeps neighbours close; two multiply-xor rounds spread them."""
    import numpy as np

    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


_POWERS: list[tuple[Hashes, Hashes]] = []


def _powers(count: int) -> tuple[Hashes, Hashes]:
    """Powers of the base's inverse and of the base modulo 2^64, kept for the longest so far."""
    import numpy as np

    if not _POWERS or len(_POWERS[0][0]) < count:
        size = max(1024, 2 * count)
        pair = []
        for base in (_INVERSE, BASE):
            factors = np.full(size, base, dtype=np.uint64)
            factors[0] = 1
            pair.append(np.cumprod(factors))
        _POWERS[:] = [(pair[0], pair[1])]
    return _POWERS[0]
