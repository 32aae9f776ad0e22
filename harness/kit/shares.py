"""Rows dealt to several that share the work on them."""

from __future__ import annotations

from collections.abc import Sequence


def deal(sizes: Sequence[int], count: int) -> list[list[int]]:
    """The places of rows for each of so many: the longest row goes to who has the least so far."""
    shares: list[list[int]] = [[] for _ in range(count)]
    loads = [0] * count
    for place in sorted(range(len(sizes)), key=lambda place: -sizes[place]):
        least = loads.index(min(loads))
        shares[least].append(place)
        loads[least] += sizes[place]
    return [sorted(share) for share in shares]
