"""Texts that nearly repeat each other.

Two texts are compared by their runs of five characters. Their similarity is the weighted Jaccard
coefficient: the weight of the shingles in both texts over that of the shingles in either, where
text that many others share weighs little (:mod:`harness.alike.shingles`).

Pairs that may be near come from buckets of equal MinHash bands (:mod:`harness.alike.sketches`), and
each is decided by its true similarity: MinHash can miss a pair, it cannot invent one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.alike.hashes import Numbers
from harness.alike.shingles import Shingles, shingled
from harness.alike.sketches import candidates

Floats = npt.NDArray[np.float64]

_COMPARED = 1 << 22
"""Shingles that are compared at once."""

Watch = Callable[[int, int], None]
"""Is told how much is done, of how much; may raise to stop."""


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Two texts that are equal or near.

    Attributes:
        first, second: their places, the lower one first.
        similarity: 1 for texts that are compared as equal.
    """

    first: int
    second: int
    similarity: float


def pairs(
    texts: Sequence[str], threshold: float = 0.8, watch: Watch = lambda done, total: None
) -> list[Pair]:
    """The pairs of texts that are at least so similar, sorted.

    A text that equals an earlier one is paired with the first such only, and of equal texts the
    first alone is compared with others. Of more than 64 texts that are near each other, not every
    pair is looked at.

    Args:
        texts: compared as they are, so fold them first (:func:`harness.kit.folding.loosely`).
        threshold: over 0, up to 1.

    Raises:
        ValueError: the threshold is out of range.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"the threshold has to be over 0 and up to 1, not {threshold}")
    firsts: dict[str, int] = {}
    near = []
    for place, text in enumerate(texts):
        first = firsts.setdefault(text, place)
        if first != place:
            near.append(Pair(first, place, 1.0))
    places = list(firsts.values())
    for earlier, later, similarity in _near(list(firsts), threshold, watch):
        near.append(Pair(places[earlier], places[later], similarity))
    return sorted(near)


def clusters(
    texts: Sequence[str], threshold: float = 0.8, watch: Watch = lambda done, total: None
) -> list[int]:
    """For each text the place of the first one of its cluster; its own where it stands alone.

    A cluster is what hangs together by :func:`pairs`, so two texts of one cluster may be less
    similar than the threshold.
    """
    return linked(len(texts), pairs(texts, threshold, watch))


def linked(size: int, near: Sequence[Pair]) -> list[int]:
    """For each of ``size`` places the lowest one that it hangs together with."""
    parents = list(range(size))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = place = parents[parents[place]]
        return place

    for pair in near:
        low, high = sorted((root(pair.first), root(pair.second)))
        parents[high] = low
    return [root(place) for place in range(size)]


def _near(texts: Sequence[str], threshold: float, watch: Watch) -> Iterator[tuple[int, int, float]]:
    """Near pairs of distinct texts, in no order."""
    total = 3 * len(texts)
    shingles = shingled(texts, lambda done, _: watch(done, total))
    firsts, seconds = candidates(
        shingles, threshold, lambda done: watch(total - len(texts) + done, total)
    )
    similarities = _similarities(shingles, firsts, seconds)
    near = similarities >= threshold
    yield from zip(
        firsts[near].tolist(), seconds[near].tolist(), similarities[near].tolist(), strict=True
    )


def _similarities(shingles: Shingles, firsts: Numbers, seconds: Numbers) -> Floats:
    """Weighted Jaccard coefficients, by pair."""
    own = _own(shingles)
    similarities = np.zeros(len(firsts))
    sizes = np.cumsum(shingles.counts[firsts] + shingles.counts[seconds])
    begin = 0
    while begin < len(firsts):
        before = sizes[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(sizes, before + _COMPARED)))
        first, second = firsts[begin:end], seconds[begin:end]
        shared = _shared(shingles, first, second)
        similarities[begin:end] = shared / np.maximum(own[first] + own[second] - shared, 1e-9)
        begin = end
    return similarities


def _own(shingles: Shingles) -> Numbers:
    """The weight of all shingles of each text."""
    # A text without shingles has the next one's begin: its sum means nothing.
    levels = np.append(shingles.levels, np.uint8(0))
    sums = np.add.reduceat(levels, shingles.starts[:-1], dtype=np.int64)
    return np.where(shingles.counts > 0, sums, 0)


def _shared(shingles: Shingles, firsts: Numbers, seconds: Numbers) -> Floats:
    """The weight of the shingles that are in both texts of each pair."""
    at = np.concatenate([_members(shingles, firsts), _members(shingles, seconds)])
    owners = np.concatenate(
        [np.repeat(np.arange(len(side)), shingles.counts[side]) for side in (firsts, seconds)]
    )
    coded = owners.astype(np.uint64) << np.uint64(32) | shingles.hashes[at]
    order = np.argsort(coded, kind="stable")
    coded = coded[order]
    twice = np.flatnonzero(coded[1:] == coded[:-1])
    levels = shingles.levels[at[order]]
    least = np.minimum(levels[twice], levels[twice + 1])
    return np.bincount(owners[order[twice]], least, len(firsts)).astype(np.float64)


def _members(shingles: Shingles, texts: Numbers) -> Numbers:
    """The places of all shingles of these texts, one text after the other."""
    counts = shingles.counts[texts]
    ends = counts.cumsum()
    return np.repeat(shingles.starts[texts] - ends + counts, counts) + np.arange(counts.sum())
