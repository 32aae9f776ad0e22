"""Near repeats between functions: what differs in names alone, or in a few words."""

from __future__ import annotations

import keyword
import re
from collections import Counter, defaultdict
from collections.abc import Iterable

_TOKENS = re.compile(r"\w+|[^\w\s]")
_WIDTH = 4
ALIKE = 0.6
"""Jaccard similarity of token runs from which two codes count as near repeats. The core's
own filters look again at every row that is added later; this is for the first cut."""


def shape(code: str) -> tuple[str, ...]:
    """The code's tokens with names numbered in order of appearance."""
    numbers: dict[str, str] = {}
    return tuple(
        numbers.setdefault(token, f"#{len(numbers)}")
        if token.isidentifier() and not keyword.iskeyword(token)
        else token
        for token in _TOKENS.findall(code)
    )


def runs(code: str) -> frozenset[tuple[str, ...]]:
    """The code's runs of four tokens."""
    tokens = _TOKENS.findall(code)
    return frozenset(
        tuple(tokens[at : at + _WIDTH]) for at in range(max(1, len(tokens) - _WIDTH + 1))
    )


class Repeats:
    """Remembers codes and tells whether another one nearly repeats one of them."""

    def __init__(self, codes: Iterable[str] = ()) -> None:
        self._shapes: set[tuple[str, ...]] = set()
        self._sizes: list[int] = []
        self._where: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for code in codes:
            self.add(code)

    def add(self, code: str) -> None:
        self._shapes.add(shape(code))
        own = runs(code)
        for run in own:
            self._where[run].append(len(self._sizes))
        self._sizes.append(len(own))

    def __contains__(self, code: str) -> bool:
        if shape(code) in self._shapes:
            return True
        own = runs(code)
        shared = Counter(at for run in own for at in self._where.get(run, ()))
        return any(
            count >= ALIKE * (len(own) + self._sizes[at] - count) for at, count in shared.items()
        )
