"""What a table of the run's database is made of: kinds of columns, and values made safe."""

from __future__ import annotations

import json
import math
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from harness.kit.text import storable

if TYPE_CHECKING:
    import numpy as np

Row = Mapping[str, Any]
"""Column -> value. What is no column of its table is not stored."""

SEALED = "sealed"
"""A variable of DuckDB: where it is set, views hide the rows of test."""

_DDL = {
    "s": "VARCHAR", "i": "BIGINT", "f": "DOUBLE", "b": "BOOLEAN", "l": "VARCHAR[]",
    "n": "BIGINT[]", "j": "JSON",
}  # fmt: skip
_TYPES = {"s": str, "i": Integral, "f": Real, "b": bool, "l": str, "n": Integral}
"""Of a value, or of a list's items."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A table: its columns with their kinds, and the order of its rows."""

    columns: Mapping[str, str]
    order: str

    def ddl(self, name: str) -> str:
        columns = ", ".join(f"{column} {_DDL[kind]}" for column, kind in self.columns.items())
        return f"CREATE TABLE raw.{name} ({columns})"

    def view(self, name: str) -> str:
        """Its view; rows of test are not in it for whoever has set :data:`SEALED`."""
        chosen = f"SELECT {', '.join(self.columns)} FROM raw.{name}"
        if "split" in self.columns:
            chosen += f" WHERE split <> 'test' OR getvariable('{SEALED}') IS NULL"
        return f"CREATE VIEW main.{name} AS {chosen}"

    def block(
        self, rows: Sequence[Row], shared: Row = types.MappingProxyType({})
    ) -> dict[str, np.ndarray[Any, Any]]:
        """Rows as columns, each an array of as many values, cleaned of what DuckDB cannot hold.

        Args:
            shared: columns that have one value in all of these rows, whatever the rows say.

        Raises:
            KeyError: a row lacks a column.
            TypeError, ValueError, ArithmeticError: a value is not of its column's kind.
        """
        import numpy as np

        return {
            column: np.repeat(_column([shared[column]], kind), len(rows))
            if column in shared
            else _column([row[column] for row in rows], kind)
            for column, kind in self.columns.items()
        }


_ORDER = re.compile(
    r"[\w.\"]+( (ASC|DESC))?( NULLS (FIRST|LAST))?"
    r"(, *[\w.\"]+( (ASC|DESC))?( NULLS (FIRST|LAST))?)*",
    re.IGNORECASE,
)


def layout(order: str, columns: str) -> Layout:
    """A table from ``name:kind name:kind …``.

    Raises:
        ValueError: a column has no kind that there is, or the order is none of columns.
    """
    if not _ORDER.fullmatch(order):
        raise ValueError(f"the order '{order}' is no list of columns")
    kinds = dict(column.split(":") for column in columns.split())
    if unknown := next((name for name, kind in kinds.items() if kind not in _DDL), None):
        raise ValueError(f"the column '{unknown}' has none of the kinds {', '.join(_DDL)}")
    return Layout(kinds, order)


def _column(values: list[Any], kind: str) -> np.ndarray[Any, Any]:
    """The values as an array; numbers that are not finite are null, as DuckDB takes a NaN."""
    import numpy as np

    items = values
    if kind in "ln":
        _require(values, (list, tuple), kind)
        items = [item for items in values if items for item in items]
    if kind != "j":
        _require(items, _TYPES[kind], kind)
    if kind in "in":
        np.fromiter(filter(None, items), np.int64)  # an OverflowError, where they do not fit
    if kind == "f":
        numbers = np.array(values, float)
        return np.where(np.isfinite(numbers), numbers, np.nan)
    if kind == "j":
        values = [_dump(value) for value in values]
    elif kind in "sl" and not _is_storable("".join(filter(None, items))):
        # Most columns have nothing to clean, and each text by itself takes ten times as long.
        values = _clean(values)
    return np.fromiter(values, object, len(values))


def _require(values: Sequence[Any], fitting: type | tuple[type, ...], kind: str) -> None:
    for given in {*map(type, values)} - {types.NoneType}:
        if not issubclass(given, fitting):
            raise TypeError(f"{given.__module__}.{given.__name__} in a column of {_DDL[kind]}")


def _is_storable(text: str) -> bool:
    """Whether a text has no NUL and no lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def _dump(value: Any) -> str:
    """JSON text that DuckDB reads: no NaN, no NUL, no lone surrogate."""
    try:
        text = _JSON.encode(value)
        text.encode()
        if "\\u0000" not in text:
            return text
    except (ValueError, TypeError):  # a UnicodeEncodeError is a ValueError
        pass
    return _JSON.encode(_clean(value))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float)) else storable(str(value))
