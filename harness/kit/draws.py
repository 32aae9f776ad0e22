"""Draws by hash: they depend on names only, never on the order in which files are found."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def fraction(draw: int, name: str) -> float:
    """A number in (0, 1) that belongs to ``name``; another ``draw`` gives another one."""
    # surrogatepass: a file name or an id may hold what strict UTF-8 cannot write.
    digest = hashlib.sha256(f"{draw}/{name}".encode("utf-8", "surrogatepass")).digest()
    return (int.from_bytes(digest[:7], "big") + 0.5) / 2**56


def weighted(draw: int, name: str, weight: float) -> float:
    """A key by which names are sorted into a random order where a greater weight comes earlier.

    Weighted sampling without replacement after Efraimidis and Spirakis (2006): ascending
    -log(u) / weight.
    """
    return -math.log(fraction(draw, name)) / weight


def drawn(items: Sequence[Item], most: int) -> list[Item]:
    """At most that many, at random and always the same, in their order.

    Where what is looked for may come at regular distances, :func:`spaced` would count it wrongly.
    """
    if len(items) <= most:
        return list(items)
    return [items[place] for place in sorted(random.Random(0).sample(range(len(items)), most))]


def spaced(items: Sequence[Item], most: int) -> list[Item]:
    """At most that many, evenly spaced from the first on."""
    if len(items) <= most:
        return list(items)
    return [items[place * len(items) // most] for place in range(most)]
