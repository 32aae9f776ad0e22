"""Which runs of characters many texts share: an instruction, a template, a passage."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from harness.kit.alike.hashes import (
    SHINGLE,
    Hashes,
    Numbers,
    Table,
    Windows,
    chunks,
    distinct,
    joined,
)

MOST_RUNS = 1 << 24
"""Runs that are counted at most; of more, one in two (three, …), chosen by its hash."""
_OWNER = 18
"""Bits that tell the texts of a chunk apart; the others of a run's hash are kept."""


class SharedRuns:
    """The runs of characters that many texts hold, and how many hold each.

    Args:
        texts: distinct.
        width: characters of a run.
        least: texts from which a run counts, at least 1.
        watch: is told how many texts are done; may raise to stop.
    """

    def __init__(
        self,
        texts: Sequence[str],
        width: int,
        least: int,
        watch: Callable[[int], None] = lambda done: None,
    ) -> None:
        self.width = width
        self._part = 1 + sum(map(len, texts)) // MOST_RUNS
        held, done = [], 0
        for chunk in chunks(texts):
            held.append(self._held_by(Windows(chunk)))
            done += len(chunk)
            watch(done)
        ordered = np.sort(joined(held))
        # A run that five texts hold is equal to the fourth one behind it.
        ahead = ordered[least - 1 :]
        runs = distinct(ahead[ahead == ordered[: len(ahead)]])
        ends = np.searchsorted(ordered, runs, side="right")
        self._table = Table(runs)
        self._holders = ends - np.searchsorted(ordered, runs)
        self.most = int(self._holders.max(initial=0))
        """Texts that hold the run which most of them hold; 0 where none is shared."""

    def _held_by(self, windows: Windows) -> Hashes:
        """The runs of each text, each once."""
        places, runs = self._counted(windows)
        owners = windows.owners()[places]
        return distinct(runs | owners) >> np.uint64(_OWNER) << np.uint64(_OWNER)

    def _counted(self, windows: Windows) -> tuple[Numbers, Hashes]:
        """Where the runs begin that are counted, and their hashes without the bits for owners."""
        runs, whole = windows.hashes(self.width), windows.whole(self.width)
        if self._part > 1:
            whole &= runs < np.uint64(2**64 // self._part)
        places = np.flatnonzero(whole)
        return places, runs[places] >> np.uint64(_OWNER) << np.uint64(_OWNER)

    def holders(self, windows: Windows) -> Numbers:
        """``(shingles,)``: for the shingle that begins at each place, the texts that hold one run
        around it: the most frequent one; 0 where none of them is shared."""
        held = np.zeros(len(windows.left) - SHINGLE + 1, np.int64)
        if not self._table.size:
            return held
        places, runs = self._counted(windows)
        at = self._table.places(runs)
        shared = at < self._table.size
        if not shared.any():
            return held
        held[places[shared]] = self._holders[at[shared]]
        # Runs that begin up to 35 places before hold the shingle: the most of 36, by doubling.
        reach, wanted = 1, self.width - SHINGLE + 1
        while reach < wanted:
            step = min(reach, wanted - reach)
            np.maximum(held[step:], held[:-step].copy(), out=held[step:])
            reach += step
        return held
