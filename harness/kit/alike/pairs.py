"""Texts that nearly repeat each other.

Two texts are compared by their runs of five characters. Their similarity is the weighted Jaccard
coefficient: the weight of the shingles in both texts over that of the shingles in either, where
text that many others share weighs little (:mod:`harness.kit.alike.shingles`).

Pairs that may be near come from buckets of equal MinHash bands
(:mod:`harness.kit.alike.sketches`), and each is decided by its true similarity: MinHash can miss a
pair, it cannot invent one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.kit.alike.hashes import Numbers
from harness.kit.alike.shingles import Shingles, shingled
from harness.kit.alike.sketches import candidates

Floats = npt.NDArray[np.float64]

_COMPARED = 1 << 20
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
    texts: Iterable[str], threshold: float = 0.8, watch: Watch = lambda done, total: None
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
    places = np.fromiter(firsts.values(), np.int64)
    total = 3 * len(places)
    shingles = shingled(list(firsts), lambda done, _: watch(done, total))
    # The texts go before their sketches come: together they need the most memory.
    del texts, firsts
    earlier, later = candidates(
        shingles, threshold, lambda done: watch(total - len(places) + done, total)
    )
    similarities = _similarities(shingles, earlier, later)
    for at in np.flatnonzero(similarities >= threshold).tolist():
        first, second = int(places[earlier[at]]), int(places[later[at]])
        near.append(Pair(first, second, float(similarities[at])))
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


def _similarities(shingles: Shingles, firsts: Numbers, seconds: Numbers) -> Floats:
    """Weighted Jaccard coefficients, by pair."""
    similarities = np.zeros(len(firsts))
    sizes = np.cumsum(shingles.counts[firsts] + shingles.counts[seconds])
    begin = 0
    while begin < len(firsts):
        before = sizes[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(sizes, before + _COMPARED)))
        first, second = firsts[begin:end], seconds[begin:end]
        similarities[begin:end] = _compared(shingles, first, second)
        begin = end
    return similarities


def _compared(shingles: Shingles, firsts: Numbers, seconds: Numbers) -> Floats:
    """The weight of what both texts of each pair hold, over that of what either holds."""
    at = np.concatenate([_members(shingles, firsts), _members(shingles, seconds)])
    owners = np.concatenate(
        [np.repeat(np.arange(len(side)), shingles.counts[side]) for side in (firsts, seconds)]
    )
    weights = shingles.levels[at]
    sums = np.bincount(owners, weights, len(firsts))
    coded = owners.astype(np.uint64) << np.uint64(32) | shingles.hashes[at]
    order = np.argsort(coded, kind="stable")
    coded = coded[order]
    twice = np.flatnonzero(coded[1:] == coded[:-1])
    least = np.minimum(weights[order[twice]], weights[order[twice + 1]])
    shared = np.bincount(owners[order[twice]], least, len(firsts))
    alike: Floats = shared / np.maximum(sums - shared, 1e-9)
    return alike


def _members(shingles: Shingles, texts: Numbers) -> Numbers:
    """The places of all shingles of these texts, one text after the other."""
    counts = shingles.counts[texts]
    ends = counts.cumsum()
    return np.repeat(shingles.starts[texts] - ends + counts, counts) + np.arange(counts.sum())
