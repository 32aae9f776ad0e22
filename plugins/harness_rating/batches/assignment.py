"""Who rates what, in which order, on which side: all of it follows from one secret.

A *unit* is what one rater gets whole: one item, or the items of both rounds' answers to one
example, so that a rater's severity falls on both alike.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from harness.kit.files import digest
from harness_rating.batches.sampling import shuffled

ID_DIGITS = 12


def opaque_ids(secret: str) -> Iterator[str]:
    """Ids that say nothing to whoever does not know the secret; never one twice."""
    seen: set[str] = set()
    position = 0
    while True:
        identifier = hashlib.sha256(f"{secret}:{position}".encode()).hexdigest()[:ID_DIGITS]
        position += 1
        if identifier not in seen:
            seen.add(identifier)
            yield identifier


def raters_of(
    units: int, raters: Sequence[str], overlap: float, several: int, secret: str
) -> list[tuple[str, ...]]:
    """Who gets each unit: ``several`` raters a share ``overlap`` of them, one the others.

    Everybody gets as many as anybody else, or one more.
    """
    doubled = int(overlap * units + 0.5) if len(raters) > 1 else 0
    load = dict.fromkeys(raters, 0)
    assigned: list[tuple[str, ...]] = [()] * units
    for place, unit in enumerate(shuffled(range(units), [secret, "units"])):
        lots = shuffled(raters, [secret, "lots", unit])
        lots.sort(key=lambda rater: load[rater])  # among equals the lot decides
        chosen = lots[: min(several, len(raters)) if place < doubled else 1]
        for rater in chosen:
            load[rater] += 1
        assigned[unit] = tuple(rater for rater in raters if rater in chosen)
    return assigned


_ALL = ""
"""All raters together: no rater's name."""


def sides(assigned: Sequence[tuple[str, ...]], secret: str) -> list[bool]:
    """For each unit whether the pair is swapped: half of all, and half of what each rater gets,
    or nearly.

    A pair goes to the side that its raters, together, have had less often. What several raters
    get comes first, as it binds several; a rater's own pairs then make up for what is left.
    """
    bound = [(*raters, _ALL) for raters in assigned]
    mixed = shuffled(range(len(bound)), [secret, "sides"])
    mixed.sort(key=lambda unit: -len(bound[unit]))
    lead: Counter[str] = Counter()  # by how many pairs more are swapped than not
    swapped = [False] * len(bound)
    for unit in mixed:
        ahead = sum(lead[rater] for rater in assigned[unit]) or lead[_ALL]
        lot = int(digest([secret, "side", unit])[0], 16) % 2 == 1
        swapped[unit] = ahead < 0 if ahead else lot
        lead.update(dict.fromkeys(bound[unit], 1 if swapped[unit] else -1))
    # The sum of the squares of `lead` falls with every turn, so this comes to an end.
    while turn := _better(bound, swapped, mixed, lead):
        lead.update(_change(bound, swapped, turn))
        for unit in turn:
            swapped[unit] = not swapped[unit]
    return swapped


def _better(
    bound: Sequence[tuple[str, ...]], swapped: Sequence[bool], mixed: Sequence[int],
    lead: Mapping[str, int],
) -> set[int]:  # fmt: skip
    """One pair or two that had better be turned over, or none."""
    worst = {rater for rater, ahead in lead.items() if abs(ahead) > 1 and rater != _ALL}
    uneven = [unit for unit in mixed if not worst.isdisjoint(bound[unit])]
    single_turns = ({unit} for unit in uneven)
    double_turns = ({unit, other} for unit in uneven for other in mixed)
    for turn in itertools.chain(single_turns, double_turns):
        change = _change(bound, swapped, turn)
        if sum((lead[rater] + by) ** 2 - lead[rater] ** 2 for rater, by in change.items()) < 0:
            return turn
    return set()


def _change(
    bound: Sequence[tuple[str, ...]], swapped: Sequence[bool], turn: Iterable[int]
) -> Counter[str]:
    """What turning these pairs over adds to ``lead``."""
    change: Counter[str] = Counter()
    for unit in turn:
        change.update(dict.fromkeys(bound[unit], -2 if swapped[unit] else 2))
    return change


def order(rater: str, own: Sequence[str], secret: str) -> list[str]:
    """The order in which a rater sees the items."""
    return shuffled(own, [secret, "order", rater])


def repeated(rater: str, own: Sequence[str], repeats: float, secret: str) -> list[str]:
    """Which of a rater's items come a second time: from the first half of the order.

    Args:
        own: in the order of showing.
        repeats: share of them.
    """
    count = min(int(repeats * len(own) + 0.5), len(own) // 2)
    half = own[: len(own) // 2]
    return shuffled(half, [secret, "repeats", rater])[:count]


def with_repeats(rater: str, own: Sequence[str], copies: Sequence[str], secret: str) -> list[str]:
    """The order with the repeats mixed into its last quarter, far from what they repeat."""
    if not copies:
        return list(own)
    begin = max(len(own) // 2, len(own) - len(own) // 4)
    last = shuffled([*own[begin:], *copies], [secret, "last", rater])
    return [*own[:begin], *last]
