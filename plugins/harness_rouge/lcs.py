"""Which positions of a line belong to its longest common subsequences with other lines.

There may be several longest subsequences; ``rouge_score`` reads one of them out of a full table
t, where t[i][j] is the length for the first i tokens of the reference and the first j of the
answer. From the last cell it takes the pair where both tokens are equal; otherwise it goes left
(j - 1) if t[i][j - 1] > t[i - 1][j], and up (i - 1) if not.

Here a row of the table is a bit vector (Hyyrö 2004, "Bit-parallel LCS-length computation
revisited"): 0 at bit j means t[i][j + 1] > t[i][j]. If t[i][j] > t[i - 1][j], the path goes left
until it meets a partner of token i; if not, it takes an equal pair or goes up. So one bit per
cell tells where the path takes a pair, and one step per row follows it. All lines of the answer
stand side by side in one vector, separated by guard bits that stop carries and end paths.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

_MOST_BITS = 1 << 28  # cells of a table held at once: 32 MiB


@dataclass(frozen=True, slots=True)
class Columns:
    """The lines of an answer as bits, each line above a guard bit.

    Attributes:
        places: token -> the bits where it stands.
        every: all bits that stand for a token.
        last: the last bit of each line.
    """

    places: Mapping[int, int]
    every: int
    last: int


def columns(lines: Sequence[Sequence[int]]) -> Columns:
    """Bits for the tokens of some lines, in order."""
    places: dict[int, int] = {}
    every = last = 0
    bit = 1
    for line in lines:
        first = bit << 1
        for token in line:
            bit <<= 1
            places[token] = places.get(token, 0) | bit
        if line:
            last |= bit
            every |= (bit << 1) - first
            bit <<= 1
    return Columns(places, every, last)


def summary_hits(answer: Sequence[Sequence[int]], reference: Sequence[Sequence[int]]) -> int:
    """Hits of summary-level ROUGE-L with ROUGE 1.5.5's clipping, as ``rouge_score`` counts them.

    Each line of the reference is matched with every line of the answer; a token counts at most
    as often as it occurs in the answer (Lin 2004, section 3.2).
    """
    across = columns(answer)
    hits = Counter(line[i] for line in reference for i in lcs_positions(line, across))
    available = map(int.bit_count, map(across.places.__getitem__, hits))
    return sum(map(min, hits.values(), available))


def lcs_positions(line: Sequence[int], across: Columns) -> list[int]:
    """Positions in the union of the subsequences common with each line, last first."""
    partners = list(map(across.places.get, line, repeat(0)))
    positions = []
    paths = across.last  # one bit per line: where its path stands
    for start, part, takes in _upwards(partners, across.every):
        for position in range(len(part) - 1, -1, -1):
            taking = takes[position] & paths
            if taking:
                positions.append(start + position)
                paths = _taken(paths, taking, part[position])
    return positions


def _taken(paths: int, taking: int, partners: int) -> int:
    """The paths after those of ``taking`` took their nearest partners and went left of them."""
    equal = taking & partners
    paths ^= equal | (equal >> 1)
    rest = taking ^ equal
    while rest:
        bit = rest & -rest
        rest ^= bit
        nearest = (partners & (bit - 1)).bit_length() - 1  # in the same line
        paths ^= bit | (1 << (nearest - 1))
    return paths


def _upwards(partners: list[int], every: int) -> Iterator[tuple[int, list[int], list[int]]]:
    """Parts of the rows, the last part first: its start, its partners, and its takes.

    Args:
        partners: for each token of the reference the bits where it stands in the answer.

    A take is the bits from which a path takes a pair. Rows are computed downwards, so those of
    a large table are computed twice.
    """
    row = every
    step = max(_MOST_BITS // (every.bit_length() + 1), 1)
    parts = [(start, partners[start : start + step]) for start in range(0, len(partners), step)]
    first = []
    for _, part in parts[:-1]:
        first.append(row)
        row, _ = _down(row, part, every)
    first.append(row)
    for (start, part), row in zip(reversed(parts), reversed(first), strict=False):
        yield start, part, _down(row, part, every)[1]


def _down(row: int, part: list[int], every: int) -> tuple[int, list[int]]:
    """The row after the part, and the takes of each of its rows."""
    takes = []
    for partners in part:
        hits = row & partners
        if hits:
            total = row + hits
            row ^= hits
            # The carries run where this row of the table exceeds the one above.
            takes.append(partners | ((row ^ total) >> 1))
            row = (row | total) & every
        else:
            takes.append(partners)
    return row, takes
