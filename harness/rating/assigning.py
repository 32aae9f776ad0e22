"""Who rates what, in which order, on which side: all of it follows from one secret.

A *unit* is what one rater gets whole: one item, or the items of both rounds' answers to one
example, so that a rater's severity falls on both alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from harness.rating.sampling import shuffled

ID_DIGITS = 12


def opaque_ids(secret: str) -> Iterator[str]:
    """Ids that say nothing to whoever does not know the secret; never one twice."""
    seen: set[str] = set()
    position = 0
    while True:
        made = hashlib.sha256(f"{secret}:{position}".encode()).hexdigest()[:ID_DIGITS]
        position += 1
        if made not in seen:
            seen.add(made)
            yield made


def raters_of(
    units: int, raters: Sequence[str], overlap: float, several: int, secret: str
) -> list[tuple[str, ...]]:
    """Who gets each unit: ``several`` raters a share ``overlap`` of them, one the others.

    Everybody gets as many as anybody else, or one more.
    """
    doubled = int(overlap * units + 0.5) if len(raters) > 1 else 0
    load = dict.fromkeys(raters, 0)
    found: list[tuple[str, ...]] = [()] * units
    for place, unit in enumerate(shuffled(range(units), lambda one: one, [secret, "units"])):
        lots = shuffled(raters, lambda rater: rater, [secret, "lots", unit])
        lots.sort(key=lambda rater: load[rater])
        chosen = lots[: min(several, len(raters)) if place < doubled else 1]
        for rater in chosen:
            load[rater] += 1
        found[unit] = tuple(rater for rater in raters if rater in chosen)
    return found


def sides(assigned: Sequence[tuple[str, ...]], secret: str) -> list[bool]:
    """For each unit whether the pair is swapped: half of all, and half of what each set of
    raters gets, or one more or less.
    """
    mixed = shuffled(range(len(assigned)), lambda one: one, [secret, "sides"])
    mixed.sort(key=lambda unit: assigned[unit])
    swapped = [False] * len(assigned)
    for turn, unit in enumerate(mixed, start=int(secret[-1], 16) % 2):
        swapped[unit] = bool(turn % 2)
    return swapped


def order(rater: str, own: Sequence[str], secret: str) -> list[str]:
    """The order in which a rater sees the items."""
    return shuffled(own, lambda item: item, [secret, "order", rater])


def repeated(rater: str, own: Sequence[str], repeats: float, secret: str) -> list[str]:
    """Which of a rater's items come a second time: from the first half of the order.

    Args:
        own: in the order of showing.
        repeats: share of them.
    """
    count = min(int(repeats * len(own) + 0.5), len(own) // 2)
    half = own[: len(own) // 2]
    return shuffled(half, lambda item: item, [secret, "repeats", rater])[:count]


def with_repeats(rater: str, own: Sequence[str], copies: Sequence[str], secret: str) -> list[str]:
    """The order with the repeats mixed into its last quarter, far from what they repeat."""
    if not copies:
        return list(own)
    begin = max(len(own) // 2, len(own) - len(own) // 4)
    last = shuffled([*own[begin:], *copies], lambda item: item, [secret, "last", rater])
    return [*own[:begin], *last]
