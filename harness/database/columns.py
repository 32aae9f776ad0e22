"""What a table of the run's database is made of: kinds of columns, and values made safe."""

from __future__ import annotations

import json
import math
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.kit.text import storable

Row = Mapping[str, Any]
"""Column -> value. What is no column of its table is not stored."""

SEALED = "sealed"
"""A variable of DuckDB: where it is set, views hide the rows of test."""

_DDL = {
    "s": "VARCHAR", "i": "BIGINT", "f": "DOUBLE", "b": "BOOLEAN", "l": "VARCHAR[]",
    "n": "BIGINT[]", "j": "JSON",
}  # fmt: skip


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

    def batch(self, rows: Sequence[Row], shared: Row = types.MappingProxyType({})) -> Any:
        """Rows as an Arrow batch, cleaned of what DuckDB cannot hold.

        Args:
            shared: columns that have one value in all of these rows, whatever the rows say.

        Raises:
            KeyError: a row lacks a column.
            TypeError, ValueError, ArithmeticError: a value is not of its column's kind.
        """
        import pyarrow as pa

        columns = {
            column: pa.repeat(_column([shared[column]], kind)[0], len(rows))
            if column in shared
            else _column([row[column] for row in rows], kind)
            for column, kind in self.columns.items()
        }
        return pa.RecordBatch.from_pydict(columns)


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


def _column(values: list[Any], kind: str) -> Any:
    """An Arrow array; numbers that are not finite are null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind == "f":
        numbers = pa.array(values, pa.float64())
        return pc.if_else(pc.is_finite(numbers), numbers, None)
    if kind in "ibn":
        return pa.array(values, {"i": pa.int64(), "b": pa.bool_(), "n": pa.list_(pa.int64())}[kind])
    if kind == "j":
        values = [_dump(value) for value in values]
    arrow = pa.list_(pa.large_string()) if kind == "l" else pa.large_string()
    try:
        texts = pa.array(values, arrow)
        if not pc.any(pc.match_substring(texts.flatten() if kind == "l" else texts, "\0")).as_py():
            return texts
    except UnicodeEncodeError:  # a lone surrogate
        pass
    # Most columns have nothing to clean, and looking at each text in Python takes ten times as
    # long as the two looks above.
    return pa.array(_clean(values), arrow)


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
