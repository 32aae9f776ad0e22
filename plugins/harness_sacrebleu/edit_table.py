"""The edit distance within sacreBLEU's beam, and which words it aligns."""

from __future__ import annotations

import math
from typing import NamedTuple

BEAM = 25
_FAR = 10**16


class Row(NamedTuple):
    """Costs from a beginning of the answer to the reference's first ``start``, … words."""

    start: int
    costs: list[int]

    def cost(self, j: int) -> int:
        place = j - self.start
        return self.costs[place] if 0 <= place < len(self.costs) else _FAR


class Alignment(NamedTuple):
    """The cheapest way from an answer to a reference.

    Attributes:
        places: for each word of the reference, the answer's word that it is aligned with, or
            the last one before it (-1: none).
        next_wrong, next_missed: for each place of the answer and of the reference, the first
            from there on that an edit changes; the length where there is none.
    """

    places: list[int]
    next_wrong: list[int]
    next_missed: list[int]


class EditTable:
    """Edit distances of answers to one reference; a word is a character.

    All answers have the same length, one or more, so that a beginning shared with the one
    before need not be computed again.
    """

    def __init__(self, reference: str) -> None:
        self.reference = reference
        self._answer = ""
        self._rows: list[Row] = []

    def distance(self, answer: str) -> int:
        """Insertions, deletions and replacements within the beam."""
        return self._table(answer)[-1].costs[-1]

    def alignment(self, answer: str) -> Alignment:
        """By the way that prefers, from the end, replacing (or keeping) to deleting a word of
        the answer, and that to inserting one."""
        rows, reference = self._table(answer), self.reference
        i, j = len(answer), len(reference)
        places, wrong, missed = [-1] * j, [False] * i, [False] * j
        while i or j:
            differ = not (i and j) or answer[i - 1] != reference[j - 1]
            cost = rows[i].cost(j)
            if i and j and cost == rows[i - 1].cost(j - 1) + differ:
                i, j = i - 1, j - 1
                places[j], wrong[i], missed[j] = i, differ, differ
            elif i and (not j or cost == rows[i - 1].cost(j) + 1):
                i -= 1
                wrong[i] = True
            else:
                j -= 1
                places[j], missed[j] = i - 1, True
        return Alignment(places, _next(wrong), _next(missed))

    def _table(self, answer: str) -> list[Row]:
        """Row i holds the costs of the answer's first i words."""
        if self._rows and answer == self._answer:
            return self._rows
        end = len(self.reference) + 1
        known = self._shared(answer) if self._rows else 0
        rows = self._rows[: known + 1] or [Row(0, list(range(end)))]
        ratio = len(self.reference) / len(answer)
        # A wide beam where one word of the answer stands for very many of the reference.
        beam = math.ceil(ratio / 2 + BEAM) if ratio / 2 > BEAM else BEAM
        for i in range(known + 1, len(answer) + 1):
            middle = math.floor(i * ratio)
            limit = end if i == len(answer) else min(end, middle + beam)
            rows.append(self._row(rows[-1], answer[i - 1], max(0, middle - beam), limit))
        self._answer, self._rows = answer, rows
        return rows

    def _shared(self, answer: str) -> int:
        pairs = enumerate(zip(answer, self._answer, strict=True))
        return next((place for place, (ours, before) in pairs if ours != before), 0)

    def _row(self, above: Row, word: str, start: int, end: int) -> Row:
        """The row below ``above`` from ``start`` to before ``end``."""
        ups = above.costs[start - above.start : end - above.start]
        ups += [_FAR] * (end - start - len(ups))
        if start:
            costs, cost, corner = [], _FAR, above.cost(start - 1)
            letters = self.reference[start - 1 : end - 1]
        else:
            corner = ups.pop(0)
            cost = corner + 1
            costs, letters = [cost], self.reference[: end - 1]
        for letter, up in zip(letters, ups, strict=True):
            if letter != word:
                corner += 1
            if up < cost:
                cost = up
            cost += 1
            if corner < cost:
                cost = corner
            costs.append(cost)
            corner = up
        return Row(start, costs)


def _next(marks: list[bool]) -> list[int]:
    """For each place, the first marked one from there on."""
    following = len(marks)
    following_mark = [following] * len(marks)
    for place in reversed(range(len(marks))):
        if marks[place]:
            following = place
        following_mark[place] = following
    return following_mark
