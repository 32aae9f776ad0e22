"""Which examples are shown before a prompt: the nearest by text, of each pool in turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import harness
from harness.alike.words import Rows, asked


class Nearest:
    """Examples in pools, in which those nearest to a prompt are looked up.

    Args:
        pools: one, or one for each value that is balanced.
    """

    def __init__(self, pools: Sequence[Sequence[harness.Example]]) -> None:
        self._pools = [list(pool) for pool in pools if pool]
        self._texts = [Rows([asked(row) for row in pool]) for pool in self._pools]
        self._sizes = Counter(row.group for pool in self._pools for row in pool)

    def to(self, rows: Sequence[harness.Example], k: int) -> Iterator[list[harness.Example]]:
        """For each row ``k`` examples of other groups, the nearest last; fewer where they run out.

        The pools take turns, the one with the nearest example first.
        """
        texts = [asked(row) for row in rows]
        relatives = max((self._sizes[row.group] for row in rows), default=0)
        ranked = [texts_.nearest(texts, k + relatives) for texts_ in self._texts]
        for place, row in enumerate(rows):
            yield self._chosen(row, [texts_[place] for texts_ in ranked], k)

    def _chosen(
        self, row: harness.Example, ranks: Sequence[Sequence[tuple[int, float]]], k: int
    ) -> list[harness.Example]:
        queued = [
            (turn, -likeness, number, at)
            for number, rank in enumerate(ranks)
            for turn, (at, likeness) in enumerate(self._others(row, number, rank, k))
        ]
        first = sorted(queued)[:k]
        nearest_last = sorted(
            first, key=lambda candidate: (-candidate[1], candidate[2], candidate[3])
        )
        return [self._pools[number][at] for _, _, number, at in nearest_last]

    def _others(
        self, row: harness.Example, number: int, rank: Sequence[tuple[int, float]], k: int
    ) -> list[tuple[int, float]]:
        """Up to ``k`` of a pool, of other groups than the row's; those unlike it come last."""
        pool = self._pools[number]
        others = [(at, likeness) for at, likeness in rank if pool[at].group != row.group][:k]
        known = {at for at, _ in rank}
        for at, example in enumerate(pool):
            if len(others) >= k:
                break
            if at not in known and example.group != row.group:
                others.append((at, 0.0))
        return others
