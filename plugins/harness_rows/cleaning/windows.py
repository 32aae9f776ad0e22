"""Hashes of all runs of characters of many texts at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Sums = npt.NDArray[np.uint64]
    Numbers = npt.NDArray[np.int64]

WIDTH = 5
"""Characters of a shingle."""
CHUNK = 1 << 20
"""Characters that are hashed at once, the last text whole."""
_DOUBLED = 3
RUN = WIDTH << _DOUBLED
"""Characters of a run by which boilerplate is known: 40."""
_BASE = 0x9E3779B97F4A7C15
_PAD = "\0"


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """The characters of some texts, one text after the other.

    Attributes:
        short: a hash of the :data:`WIDTH` characters from each place on.
        long: a hash of the :data:`RUN` characters from each place on.
        owners: the place of the text that each character belongs to.
        left: the characters of that text from each place on.
    """

    short: Sums
    long: Sums
    owners: Numbers
    left: Numbers


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

    encoded = "".join(chunk).encode("utf-32-le", "surrogatepass")
    points = np.frombuffer(encoded, dtype=np.uint32).astype(np.uint64)
    lengths = np.array([len(text) for text in chunk])
    owners = np.repeat(np.arange(len(chunk)), lengths)
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(points))
    short = np.zeros(len(points), np.uint64)
    for place in range(WIDTH):
        short = short * np.uint64(_BASE) + _later(points, place)
    long, width = short, WIDTH
    for _ in range(_DOUBLED):
        factor = np.uint64(pow(_BASE, width, 1 << 64))
        long, width = long * factor + _later(long, width), 2 * width
    return Windows(_mixed(short), _mixed(long), owners, left)


def _later(values: Sums, places: int) -> Sums:
    """The value that stands so many places after each; 0 behind the end."""
    import numpy as np

    moved = np.zeros_like(values)
    moved[: max(0, len(values) - places)] = values[places:]
    return moved


def _mixed(sums: Sums) -> Sums:
    """Neighbouring sums spread over all numbers of 64 bits: multiply and xor, twice."""
    import numpy as np

    sums = (sums ^ (sums >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    sums = (sums ^ (sums >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return sums ^ (sums >> np.uint64(31))
