"""What a table of the run's database is made of: kinds of columns, and values made safe."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.kit.text import storable

Batch = Mapping[str, Any]
"""Column -> a list of values, or one value that holds for all rows; at least one is a list."""

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

    def arrow(self) -> Any:
        import pyarrow as pa

        return pa.schema([(column, _arrow(kind)) for column, kind in self.columns.items()])

    def batch(self, rows: Batch) -> Any:
        """An Arrow batch, cleaned of what DuckDB cannot hold."""
        import pyarrow as pa

        length = next(len(values) for values in rows.values() if isinstance(values, list))
        columns = [_column(rows[column], kind, length) for column, kind in self.columns.items()]
        return pa.record_batch(columns, schema=self.arrow())

    def of_rows(self, rows: Sequence[Mapping[str, Any]]) -> Any:
        """The same of rows that name all columns."""
        return self.batch({name: [row[name] for row in rows] for name in self.columns})


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


_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def _dump(value: Any) -> str:
    """JSON text that DuckDB reads: no NaN, no NUL, no lone surrogate."""
    try:
        text = _JSON.encode(value)
        if "\\u0000" not in text and storable(text) == text:
            return text
    except (ValueError, TypeError):
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


def _arrow(kind: str) -> Any:
    import pyarrow as pa

    return {
        "s": pa.large_string(),
        "j": pa.large_string(),
        "i": pa.int64(),
        "f": pa.float64(),
        "b": pa.bool_(),
        "l": pa.list_(pa.large_string()),
        "n": pa.list_(pa.int64()),
    }[kind]


def _column(values: Any, kind: str, length: int) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not isinstance(values, list):
        single = _column([values], kind, 1)
        return pa.repeat(single[0], length)
    if kind == "f":
        numbers = pa.array(values, pa.float64())
        return pc.if_else(pc.is_finite(numbers), numbers, None)
    if kind in "ibn":
        return pa.array(values, _arrow(kind))
    if kind == "j":
        return pa.array([_dump(value) for value in values], pa.large_string())
    if kind == "l":
        return pa.array([[storable(text) for text in texts] for texts in values], _arrow(kind))
    try:
        texts = pa.array(values, pa.large_string())
        if not pc.any(pc.match_substring(texts, "\0")).as_py():
            return texts
    except UnicodeEncodeError:
        pass
    cleaned = [None if text is None else storable(text) for text in values]
    return pa.array(cleaned, pa.large_string())
