"""Which positions of a sequence belong to its longest common subsequence with another.

There may be several longest subsequences; ``rouge_score`` reads one of them out of a full table.
Here the table's rows are bit vectors (Hyyrö 2004, "Bit-parallel LCS-length computation
revisited"): 0 at bit j means that the length grows from column j to column j + 1. The read-out
follows the same path through them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def common_positions(line: Sequence[str], others: Iterable[Sequence[str]]) -> set[int]:
    """Positions of ``line`` in the union of its subsequences common with each of ``others``."""
    words = set(line)
    found: set[int] = set()
    for other in others:
        if not words.isdisjoint(other):
            found.update(lcs_positions(line, other))
    return found


def lcs_positions(reference: Sequence[str], candidate: Sequence[str]) -> list[int]:
    """Positions of ``reference`` in one longest common subsequence, last first."""
    rows = _rows(reference, candidate)
    positions = []
    i, j = len(reference), len(candidate)
    while i and j:
        if reference[i - 1] == candidate[j - 1]:
            positions.append(i - 1)
            i, j = i - 1, j - 1
        elif _length(rows[i], j) > _length(rows[i - 1], j):
            # The last reference token has a partner further left (a tie goes up, below).
            j -= 1
        else:
            i -= 1
    return positions


def _rows(reference: Sequence[str], candidate: Sequence[str]) -> list[int]:
    """One bit vector per prefix of the reference, the empty one included."""
    places: dict[str, int] = {}
    for position, token in enumerate(candidate):
        places[token] = places.get(token, 0) | (1 << position)
    every = (1 << len(candidate)) - 1
    row = every
    rows = [row]
    for token in reference:
        hits = row & places.get(token, 0)
        row = ((row + hits) | (row - hits)) & every
        rows.append(row)
    return rows


def _length(row: int, columns: int) -> int:
    """Length of the common subsequence of this prefix and the first ``columns`` tokens."""
    return columns - (row & ((1 << columns) - 1)).bit_count()
