"""What is wrong with rows: one line for each kind, with a count and the first places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness import DataError

PLACES = 4
"""Further places that are named for each kind."""
SHOWN = 20
"""Kinds that are shown."""


@dataclass(slots=True)
class _Kind:
    file: str
    first: str
    count: int = 0
    places: list[str] = field(default_factory=list)


class Problems:
    """Collects problems by kind; places are ``file:row:column``."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], _Kind] = {}
        self.count = 0

    def add(self, reason: str, file: str, row: int = 0, column: str | int = "") -> None:
        """Note a problem.

        Args:
            reason: what is wrong, the same words for all rows of a kind.
            row: line, or number of the row; 0 is the whole file.
            column: name of the column, or the character of a line; empty is the whole row.
        """
        self.count += 1
        place = f"{file}:{row}" if row else file
        key = (reason, column if isinstance(column, str) else "")
        kind = self._kinds.get(key)
        if kind is None:
            first = f"{place}:{column}" if column else place
            kind = self._kinds[key] = _Kind(file, first)
        elif len(kind.places) < PLACES:
            kind.places.append(str(row) if row and file == kind.file else place)
        kind.count += 1

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each kind."""
        return tuple(_line(kind, reason) for (reason, _), kind in self._kinds.items())


def _line(kind: _Kind, reason: str) -> str:
    if kind.count == 1:
        return f"{kind.first}: {reason}"
    more = ", …" if kind.count > len(kind.places) + 1 else ""
    return f"{kind.first}: {reason} ({kind.count} times; also {', '.join(kind.places)}{more})"


def refuse(lines: Sequence[str], count: int, where: str, hint: str) -> None:
    """Raise if there are problems.

    Raises:
        DataError: with a line for each kind, the first twenty.
    """
    if not lines:
        return
    number = "1 problem" if count == 1 else f"{count} problems"
    of = f" of {len(lines)} kinds" if 1 < len(lines) < count else ""
    first = f"; the first {SHOWN}:" if len(lines) > SHOWN else ""
    raise DataError(
        f"the data cannot be used: {number}{of}{first}",
        where=where,
        details=list(lines[:SHOWN]),
        hint=hint,
    )
