"""What is wrong with the rows of one file, told in one message."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness import DataError
from harness.kit.text import one_line

SHOWN = 10
_NAMES = 20


class Problems:
    """Collects what is wrong: the first ten are kept, all are counted."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.count = 0
        self._first: list[tuple[str, str]] = []
        self._hint = ""

    def add(self, place: str, reason: str, hint: str = "") -> None:
        """One more problem; of the hints, the first that is not empty will be shown."""
        self.count += 1
        self._hint = self._hint or hint
        if len(self._first) < SHOWN:
            self._first.append((place, reason))

    def refuse(self) -> None:
        """Do nothing if all is well.

        Raises:
            DataError: there was a problem.
        """
        if not self.count:
            return
        if self.count == 1:
            place, reason = self._first[0]
            raise DataError(reason, where=place, hint=self._hint)
        lines = [f"{place}: {reason}" for place, reason in self._first]
        if self.count > SHOWN:
            lines.append(f"and {self.count - SHOWN} more")
        what = f"{self.count} rows cannot be used"
        raise DataError(what, where=self.file, hint=self._hint, details=lines)


def kind_of(value: object) -> str:
    """What a value is, in the words of somebody who looks at the file."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, (int, float)):
        return f"the number {one_line(str(value), 30)}"
    name = type(value).__name__
    return {"str": "a text", "list": "a list", "dict": "an object"}.get(name, f"of type {name}")


def quoted(name: str) -> str:
    """A name from the data, short and in backquotes."""
    return f"`{one_line(name, 60)}`"


def listed(names: Sequence[str]) -> str:
    """Names of fields or columns, as a list in a sentence."""
    if not names:
        return "none"
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(quoted(name) for name in names[:_NAMES]) + more
