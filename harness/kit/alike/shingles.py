"""Many texts as sets of shingles: runs of five characters, each with its weight.

What many texts share (an instruction, a template) must not make them near. A shingle that lies in
a run of 40 characters that ``d`` distinct texts hold weighs ``min(1, 4 / d)``, in several such runs
that of the most frequent one, in none 1. So an instruction of 350 characters makes no questions of
40 near, and copies are found in families of ten, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.kit.alike.hashes import SHINGLE, Hashes, Numbers, Windows, chunks
from harness.kit.alike.runs import SharedRuns

ShortHashes = npt.NDArray[np.uint32]
Levels = npt.NDArray[np.uint8]

RUN = 40
"""Characters of a run by which text is known that many share."""
OFTEN = 4
"""Texts that may hold a run before what lies in it weighs less."""
FULL = 64
"""Level of a shingle of weight 1: weights are kept as whole numbers."""
MOST_SHINGLES = 200_000_000
"""Characters from which only one shingle in two (three, …), chosen by its hash, is kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Shingles:
    """The distinct shingles of many texts; those of weight 0 are left out.

    Attributes:
        hashes: of all texts, one text after the other, sorted within each.
        levels: the weight of each in its text: 1 to :data:`FULL`.
        starts: ``(texts + 1,)``: where each text's begin; the last is the end of all.
    """

    hashes: ShortHashes
    levels: Levels
    starts: Numbers

    @property
    def counts(self) -> Numbers:
        """``(texts,)``: shingles of each text."""
        return self.starts[1:] - self.starts[:-1]


def shingled(texts: Sequence[str], watch: Callable[[int, int], None]) -> Shingles:
    """The shingles of distinct texts.

    A text of fewer than five characters has one shingle, itself.

    Args:
        watch: is told how much is done, of how much; may raise to stop.
    """
    shared = SharedRuns(texts, RUN, OFTEN + 1, watch=lambda done: watch(done, 2 * len(texts)))
    holders = np.maximum(np.arange(shared.most + 1), OFTEN)
    levels_by_holders = np.round(FULL * OFTEN / holders).astype(np.uint8)
    size = sum(max(SHINGLE, len(text)) for text in texts)
    part = 1 + size // MOST_SHINGLES
    # Room for all; what is never written takes no memory.
    hashes, levels = np.empty(size, np.uint32), np.empty(size, np.uint8)
    starts, done, end = np.zeros(len(texts) + 1, np.int64), 0, 0
    for chunk in chunks(texts):
        windows = Windows(chunk)
        coded = _distinct(windows, levels_by_holders[shared.holders(windows)], part)
        begin, end = end, end + len(coded)
        hashes[begin:end] = (coded >> np.uint64(8)).astype(np.uint32)
        levels[begin:end] = coded.astype(np.uint8)
        owners = (coded >> np.uint64(40)).view(np.int64)
        ends = np.cumsum(np.bincount(owners, minlength=len(chunk)))
        starts[done + 1 : done + 1 + len(chunk)] = begin + ends
        done += len(chunk)
        watch(len(texts) + done, 2 * len(texts))
    return Shingles(hashes[:end], levels[:end], starts)


def _distinct(windows: Windows, levels: Levels, part: int) -> Hashes:
    """Place of the text (24 bits), hash (32) and level (8) of the shingles of each text, sorted;
    of one shingle in ``part``."""
    hashes, owners = windows.hashes(SHINGLE), windows.owners()
    counts = windows.whole(SHINGLE) & (levels > 0)
    if part > 1:
        counts &= hashes < np.uint64(2**64 // part)
    coded = owners[: len(counts)][counts] << np.uint64(32)
    # The hash's middle: by its top, one in ``part`` is chosen.
    coded |= (hashes[counts] << np.uint64(8)) >> np.uint64(32)
    coded <<= np.uint64(8)
    coded |= levels[counts]
    coded.sort()
    # Of a shingle that stands in shared runs and outside of them, the higher level counts.
    shingle = coded >> np.uint64(8)
    last = np.append(shingle[1:] != shingle[:-1], True)[: len(coded)]
    distinct: Hashes = coded[last]
    return distinct
