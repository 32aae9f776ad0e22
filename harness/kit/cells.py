"""Values of a query's answer on their way out: as JSON, as a cell of a sheet, as a word."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from harness.kit.text import one_line, plain

# What a spreadsheet takes for the start of a formula, with the wide forms that some accept.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def as_json(value: Any) -> Any:
    """A value of DuckDB as plain JSON: no NaN, no infinity, times and the like as text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (float, Decimal)):
        number = float(value)
        return number if math.isfinite(number) else None
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    return value.hex() if isinstance(value, bytes) else str(value)


def objects(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Each row as an object; a name that several columns bear gets a number behind it."""
    names = distinct(columns)
    for row in rows:
        yield dict(zip(names, map(as_json, row), strict=True))


def distinct(columns: Sequence[str]) -> list[str]:
    """The names of the columns, made different where they are not."""
    names: list[str] = []
    for name in columns:
        number, free = 1, name
        while free in names:
            number += 1
            free = f"{name}_{number}"
        names.append(free)
    return names


def as_cell(value: Any) -> str | int | float:
    """A value for a CSV file: numbers as they are, text that no sheet takes for a formula."""
    plain = as_json(value)
    if plain is None:
        return ""
    if isinstance(plain, bool):
        return str(plain).lower()
    if isinstance(plain, (int, float)):
        return plain
    return guarded(plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False))


def guarded(text: str) -> str:
    """Text without control characters, an apostrophe before what would be a formula."""
    clean = plain(text)
    # Programs that read a sheet may trim its cells.
    forms = (text, clean, clean.lstrip())
    return f"'{clean}" if any(form.startswith(_FORMULA) for form in forms) else clean


def as_word(value: Any, limit: int) -> str:
    """A value in one line for a person; empty where there is none."""
    plain = as_json(value)
    if plain is None:
        return ""
    if isinstance(plain, bool):
        return str(plain).lower()
    if isinstance(plain, float):
        return f"{plain:.6g}"
    return one_line(plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False),
                    limit)  # fmt: skip
