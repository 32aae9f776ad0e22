"""Rows of a Parquet file; imported only when there is one (pyarrow takes its time)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import parquet

from harness import DataError
from harness_score.readers.problems import listed

_BATCH = 8192


def parquet_rows(
    stream: BinaryIO, file: str, wanted: Callable[[list[str]], set[str]]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows as column -> value, numbered from 1.

    Args:
        wanted: given all names of columns, those that must be read whatever their type. Of the
            others only scalars are read: nested and binary columns cost time and say nothing.

    Raises:
        DataError: damaged, no Parquet, doubled column names, or texts that are no UTF-8.
    """
    number = 0
    try:
        whole = parquet.ParquetFile(stream, page_checksum_verification=True)
        names, needed = _columns(whole.schema_arrow, file, wanted)
        for batch in whole.iter_batches(batch_size=_BATCH, columns=names):
            columns = [_values(batch.column(name), name in needed) for name in names]
            for values in zip(*columns, strict=True):
                number += 1
                yield number, dict(zip(names, values, strict=True))
    except UnicodeDecodeError:
        what = f"a text behind row {number} is not UTF-8"
        raise DataError(what, where=file, hint="write the file again, with UTF-8 texts") from None
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"the Parquet file is damaged or is none: {reason}",
            where=file,
            hint="write it or copy it again",
        ) from None


def _columns(
    schema: pa.Schema, file: str, wanted: Callable[[list[str]], set[str]]
) -> tuple[list[str], set[str]]:
    """The columns to read, and those of them that are wanted by name."""
    doubled = [name for name, count in Counter(schema.names).items() if count > 1]
    if doubled:
        hint = "give each column a name of its own"
        raise DataError(f"columns of one name: {listed(doubled)}", where=file, hint=hint)
    needed = wanted(schema.names)
    read = [field.name for field in schema if field.name in needed or _is_scalar(field.type)]
    return read, needed


def _is_scalar(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (
        pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view,
        pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null,
    )  # fmt: skip
    return any(test(kind) for test in tests)


def _values(column: pa.Array, needed: bool) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if pa.types.is_struct(column.type):
        return [value and {key: _as_json(item) for key, item in value.items()} for value in values]
    if pa.types.is_floating(column.type) and not needed:
        return [_as_json(value) for value in values]
    return values  # where a text is due, NaN must be called by its name


def _as_json(value: Any) -> Any:
    """JSON has no NaN and no infinity: as a fact about a row they are not known."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
