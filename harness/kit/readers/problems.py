"""What is wrong with rows: one line for each kind, with a count and the first places."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.errors import DataError
from harness.kit.readers.base import Fault

PLACES = 4
"""Further places that are named for each kind."""
SHOWN = 20
"""Kinds that are shown."""


@dataclass(slots=True)
class _Kind:
    first: Fault
    count: int = 0
    places: list[str] = field(default_factory=list)


class Problems:
    """Collects faults by kind: the same reason (and column by name) is one kind."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], _Kind] = {}
        self.count = 0
        self._hint = ""

    def add(self, fault: Fault) -> None:
        """Note a fault; of the hints the first one is shown."""
        self.count += 1
        self._hint = self._hint or fault.hint
        key = (fault.reason, fault.column if isinstance(fault.column, str) else "")
        kind = self._kinds.setdefault(key, _Kind(fault))
        if kind.count and len(kind.places) < PLACES:
            place = f"{fault.file}:{fault.row}" if fault.row else fault.file
            same_file = bool(fault.row) and fault.file == kind.first.file
            kind.places.append(str(fault.row) if same_file else place)
        kind.count += 1

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each kind."""
        return tuple(map(_line, self._kinds.values()))

    def refuse(self, where: str, hint: str = "") -> None:
        """Raise if there are problems.

        Args:
            where: what was read, as people call it.
            hint: what to do where no fault says it.

        Raises:
            DataError: the one problem at its place, or a line for each kind, the first twenty.
        """
        if not self.count:
            return
        hint = self._hint or hint
        kinds = list(self._kinds.values())
        if self.count == 1:
            fault = kinds[0].first
            raise DataError(f"{fault.reason}{fault.about}", where=fault.place, hint=hint)
        of = f" of {len(kinds)} kinds" if 1 < len(kinds) < self.count else ""
        first = f"; the first {SHOWN}:" if len(kinds) > SHOWN else ""
        raise DataError(
            f"the data cannot be used: {self.count} problems{of}{first}",
            where=where,
            details=[_line(kind) for kind in kinds[:SHOWN]],
            hint=hint,
        )


def _line(kind: _Kind) -> str:
    line = f"{kind.first.place}: {kind.first.reason}{kind.first.about}"
    if kind.count == 1:
        return line
    more = ", …" if kind.count > len(kind.places) + 1 else ""
    return f"{line} ({kind.count} times; also {', '.join(kind.places)}{more})"
