"""Texts as sets of shingles: runs of five characters, each with its weight.

What many texts share (an instruction, a template) must not make them near. A shingle that lies in
a run of 40 characters that ``d`` distinct texts hold weighs ``min(1, 4 / d)``, in several such runs
that of the most frequent one, in none 1. So an instruction of 350 characters makes no questions of
40 near, and copies are found in families of ten, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.kit.folding import loosely
from harness_rows.cleaning.windows import RUN, WIDTH, Windows, chunks, windows

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Hashes = npt.NDArray[np.uint32]
    Levels = npt.NDArray[np.uint8]
    Numbers = npt.NDArray[np.int64]

OFTEN = 4
"""Texts that may hold a run before what lies in it weighs less."""
FULL = 64
"""Level of a shingle of weight 1: weights are kept as whole numbers."""
MOST_RUNS = 1 << 24
"""Runs that are counted at most; of more, one in two (three, …), chosen by its hash."""
MOST_SHINGLES = 200_000_000
"""Characters from which only one shingle in two (three, …), chosen by its hash, is kept."""

_OWNER = 18
"""Bits that tell the texts of a chunk apart; the others of a run's hash are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Shingles:
    """The distinct shingles of many texts; those of weight 0 are left out.

    Attributes:
        hashes: of all texts, one text after the other, sorted within each.
        levels: the weight of each in its text: 1 to :data:`FULL`.
        starts: ``(texts + 1,)``: where each text's begin; the last is the end of all.
    """

    hashes: Hashes
    levels: Levels
    starts: Numbers

    @property
    def counts(self) -> Numbers:
        """``(texts,)``: shingles of each text."""
        return self.starts[1:] - self.starts[:-1]


def comparable(text: str) -> str:
    """The text as it is compared: as exact repeats are, see :func:`harness.kit.folding.loosely`."""
    return loosely(text)


def shingled(texts: Sequence[str], watch: Callable[[int, int], None]) -> Shingles:
    """The shingles of distinct texts that are :func:`comparable` already.

    A text of fewer than five characters has one shingle, itself.

    Args:
        watch: is told how much is done, of how much; may raise to stop.
    """
    import numpy as np

    shared = SharedRuns(texts, lambda done: watch(done, 2 * len(texts)))
    size = sum(max(WIDTH, len(text)) for text in texts)
    part = 1 + size // MOST_SHINGLES
    # Room for all; what is never written takes no memory.
    hashes, levels = np.empty(size, np.uint32), np.empty(size, np.uint8)
    starts, done, end = np.zeros(len(texts) + 1, np.int64), 0, 0
    for chunk in chunks(texts):
        coded = _distinct(windows(chunk), shared, part)
        begin, end = end, end + len(coded)
        hashes[begin:end] = (coded >> np.uint64(8)).astype(np.uint32)
        levels[begin:end] = coded.astype(np.uint8)
        owners = (coded >> np.uint64(40)).view(np.int64)
        ends = np.cumsum(np.bincount(owners, minlength=len(chunk)))
        starts[done + 1 : done + 1 + len(chunk)] = begin + ends
        done += len(chunk)
        watch(len(texts) + done, 2 * len(texts))
    return Shingles(hashes[:end], levels[:end], starts)


def _distinct(found: Windows, shared: SharedRuns, part: int) -> npt.NDArray[np.uint64]:
    """Place of the text (24 bits), hash (32) and level (8) of the shingles of each text, sorted;
    of one shingle in ``part``."""
    import numpy as np

    levels = shared.levels(found)
    kept = found.whole(WIDTH) & (levels > 0)
    if part > 1:
        kept &= found.short < np.uint64(2**64 // part)
    coded = found.owners[kept] << np.uint64(32)
    # The hash's middle: by its top, one in ``part`` is chosen.
    coded |= (found.short[kept] << np.uint64(8)) >> np.uint64(32)
    coded <<= np.uint64(8)
    coded |= levels[kept]
    coded.sort()
    # Of a shingle that stands in shared runs and outside of them, the higher level counts.
    shingle = coded >> np.uint64(8)
    last = np.append(shingle[1:] != shingle[:-1], True)[: len(coded)]
    distinct: npt.NDArray[np.uint64] = coded[last]
    return distinct


class SharedRuns:
    """The runs of 40 characters that more than four texts hold, with the level of each.

    Args:
        texts: distinct.
        watch: is told how many are done; may raise to stop.
    """

    def __init__(self, texts: Sequence[str], watch: Callable[[int], None]) -> None:
        import numpy as np

        self._part = 1 + sum(map(len, texts)) // MOST_RUNS
        hashes: list[npt.NDArray[np.uint64]] = [np.empty(0, np.uint64)]
        done = 0
        for chunk in chunks(texts):
            hashes.append(self._of_texts(windows(chunk)))
            done += len(chunk)
            watch(done)
        ordered = np.sort(np.concatenate(hashes))
        # A run that five texts hold is equal to the fourth one behind it.
        often = ordered[OFTEN:] == ordered[: max(0, len(ordered) - OFTEN)]
        self._runs = np.unique(ordered[OFTEN:][often])
        ends = np.searchsorted(ordered, self._runs, side="right")
        held = ends - np.searchsorted(ordered, self._runs)
        self._levels = np.round(FULL * OFTEN / held).astype(np.uint8)

    def _of_texts(self, found: Windows) -> npt.NDArray[np.uint64]:
        """The sampled runs of each text, each once."""
        import numpy as np

        places = self._sampled(found)
        owners = found.owners[places]
        coded = np.sort(found.long[places] >> np.uint64(_OWNER) << np.uint64(_OWNER) | owners)
        firsts = np.append(True, coded[1:] != coded[:-1])[: len(coded)]
        distinct: npt.NDArray[np.uint64] = coded[firsts] >> np.uint64(_OWNER)
        return distinct

    def _sampled(self, found: Windows) -> Numbers:
        import numpy as np

        whole = found.whole(RUN)
        if self._part > 1:
            whole &= found.long < np.uint64(2**64 // self._part)
        return np.flatnonzero(whole)

    def levels(self, found: Windows) -> Levels:
        """The level of the shingle that begins at each place: the least of the shared runs that
        hold all of it."""
        import numpy as np

        least = np.full(len(found.long), FULL, np.uint8)
        if not len(self._runs):
            return least
        places = self._sampled(found)
        hashes = found.long[places] >> np.uint64(_OWNER)
        at = np.minimum(np.searchsorted(self._runs, hashes), len(self._runs) - 1)
        known = self._runs[at] == hashes
        if not known.any():
            return least
        least[places[known]] = self._levels[at[known]]
        # A run that begins up to 35 places before holds the shingle: the least of 36, by doubling.
        reach, wanted = 1, RUN - WIDTH + 1
        while reach < wanted:
            step = min(reach, wanted - reach)
            np.minimum(least[step:], least[:-step].copy(), out=least[step:])
            reach += step
        return least
