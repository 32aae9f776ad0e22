"""Several weak slices at once, and one that only goes with them: what the finder makes of it.

    python benchmarks/slice_several.py [--sets N] [--seed N]

Rows have one of six kinds, two of them weak; a channel, nearly all mail among the weak kinds and
a third elsewhere; and ten random fields. Scores are passes and fails, or graded by a beta law. The
channel scores lower, too, but beside the two kinds it explains nothing. Counted in the end are sets
with a find that names neither a weak kind nor the channel, alone or in a pair.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from slice_worlds import PAIRS, Draw, Rng
from slices import BAR

from harness_slices.candidates import distinct, pairs, singles
from harness_slices.search import Table, search

KINDS, WEAK, FIELDS = 6, ("kind = k0", "kind = k1"), 10
PROXY = "channel = mail"
WORLDS = ((210, 0.3, True), (210, 0.2, False), (500, 0.2, True), (500, 0.15, False))
"""Rows, gap of each weak kind, whether scores are passes and fails."""


def drawn(n: int, gap: float, passes: bool, rng: Rng) -> Draw:
    """One data set; rows are groups of their own."""
    kinds = rng.integers(KINDS, size=n)
    weak = kinds < len(WEAK)
    mail = rng.random(n) < np.where(weak, 0.9, 1 / 3)
    single = singles("kind", [f"k{kind}" for kind in kinds], True, 3)
    single += singles("channel", np.where(mail, "mail", "chat").tolist(), True, 3)
    for field in range(FIELDS):
        values = rng.integers(0, rng.integers(2, 11), n)
        single += singles(f"f{field}", [f"v{value}" for value in values], True, 3)
    mean = np.where(weak, 0.75 - gap, 0.75)
    scores = (rng.random(n) < mean).astype(float) if passes else rng.beta(3 * mean, 3 - 3 * mean)
    single = distinct(single)
    return Draw(scores, [f"g{row}" for row in range(n)], single, pairs(single, PAIRS))


def line(n: int, gap: float, passes: bool, sets: int, seed: int) -> str:
    rng = np.random.default_rng([seed, n, passes])
    gaps, finds, proxies, others = [], [], 0, 0
    named = {*WEAK, PROXY}
    for number in range(sets):
        draw = drawn(n, gap, passes, rng)
        table = Table.built(draw.scores, draw.groups, True, number)
        found = [r.slice for r in search(table, draw.single, draw.double, BAR).ranked]
        held = [piece for piece in found if piece.holds]
        right = [piece for piece in held if piece.words in WEAK]
        finds.append(len(right))
        gaps += [piece.gap or 0.0 for piece in right]
        proxies += any(piece.words == PROXY for piece in held)
        others += any(not named & set(piece.words.split(" and ")) for piece in held)
    return cells(n, gap, passes, finds, gaps, proxies, others)


def cells(
    n: int, gap: float, passes: bool, finds: Sequence[int], gaps: Sequence[float], proxies: int,
    others: int,
) -> str:  # fmt: skip
    kind, sets = "passes" if passes else "graded", len(finds)
    both, one = (sum(found == number for found in finds) / sets for number in (2, 1))
    mean = f"{np.mean(gaps):.2f}" if gaps else "–"
    return (
        f"| {n}, {kind} | {gap} | {both:.0%} | {one:.0%} | {mean} | {proxies / sets:.1%} | "
        f"{others / sets:.1%} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(
        "| rows, scores | true gap | both found | one found | gap stated | channel | other finds |"
    )
    print("|---|---|---|---|---|---|---|")
    for n, gap, passes in WORLDS:
        print(line(n, gap, passes, given.sets, given.seed), flush=True)


if __name__ == "__main__":
    main()
