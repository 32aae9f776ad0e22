"""Hashes of all runs of characters of many texts at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]
    Sums = npt.NDArray[np.uint64]
    Numbers = npt.NDArray[np.int64]

WIDTH = 5
"""Characters of a shingle."""
CHUNK = 1 << 16
"""Characters that are hashed at once, the last text whole."""
_DOUBLED = 3
RUN = WIDTH << _DOUBLED
"""Characters of a run by which boilerplate is known: 40."""
_BASE = 0x9E3779B97F4A7C15
_PAD = "\0"


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """The runs of characters of some texts, one text after the other.

    Attributes:
        short: a hash of the :data:`WIDTH` characters from each place on.
        long: a hash of the :data:`RUN` characters from each place on.
        owners: the place of the text that each character belongs to.
        lengths: characters of each text.
    """

    short: Sums
    long: Sums
    owners: Sums
    lengths: Numbers

    def whole(self, width: int) -> Flags:
        """Whether so many characters from each place on belong to one text."""
        import numpy as np

        found = np.ones(len(self.short), np.bool_)
        ends = np.cumsum(self.lengths)
        for back in range(1, width):
            found[(ends - back)[self.lengths >= back]] = False
        return found


def chunks(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in lists of about :data:`CHUNK` characters, those that are too short for a shingle
    filled up."""
    chunk: list[str] = []
    size = 0
    for text in texts:
        chunk.append(text if len(text) >= WIDTH else text.ljust(WIDTH, _PAD))
        size += len(chunk[-1])
        if size >= CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def windows(chunk: Sequence[str]) -> Windows:
    """All runs of these texts; the hash of a run that goes beyond its text means nothing."""
    import numpy as np

    encoded = ("".join(chunk) + _PAD * RUN).encode("utf-32-le", "surrogatepass")
    points = np.frombuffer(encoded, dtype=np.uint32).astype(np.uint64)
    lengths = np.array([len(text) for text in chunk])
    count = len(points) - RUN
    sums = points[: count + RUN - WIDTH]
    for place in range(1, WIDTH):
        sums = sums * np.uint64(_BASE)
        sums += points[place : place + len(sums)]
    short, width = sums[:count], WIDTH
    for _ in range(_DOUBLED):
        later = sums[width:]
        sums = sums[: len(later)] * np.uint64(pow(_BASE, width, 1 << 64))
        sums += later
        width *= 2
    owners = np.repeat(np.arange(len(chunk), dtype=np.uint64), lengths)
    return Windows(_mixed(short), _mixed(sums[:count]), owners, lengths)


def _mixed(sums: Sums) -> Sums:
    """Neighbouring sums spread over all numbers of 64 bits: multiply and xor, twice."""
    import numpy as np

    mixed = sums ^ (sums >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    return mixed
