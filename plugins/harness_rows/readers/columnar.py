"""Parquet and Arrow: tables with types, read in batches."""

from __future__ import annotations

import datetime
import decimal
import json
import math
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness_rows.problems import Problems
from harness_rows.readers.base import File, Reader
from harness_rows.records import Record, Records

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 1_000
"""Rows that are turned into objects at a time."""
ARROW_FILE = b"ARROW1"


class Columnar(Reader):
    """A table of a file; rows are numbered from 1.

    Attributes:
        labels: column -> names of its numbers, where the file has them.
    """

    def __init__(self, file: File, problems: Problems) -> None:
        super().__init__(file, problems)
        self.labels: dict[str, tuple[str, ...]] = {}

    @cached_property
    def records(self) -> Records:
        """The records, read anew."""
        return _TableRecords(self)

    def rows(self) -> Iterator[tuple[int, Record]]:
        """See :meth:`Reader.rows`."""
        import pyarrow as pa

        try:
            if self._header(self._schema()):
                yield from enumerate(self.objects(), start=1)
        except (pa.ArrowException, OSError) as error:
            self.wrong(f"cannot be read as {self.kind}: {' '.join(str(error).split())[:200]}")

    def objects(self) -> Iterator[Record]:
        """The rows as objects."""
        for batch in self._batches():
            yield from map(self.plainly, batch.to_pylist())

    def plainly(self, record: Record) -> Record:
        """A row's values as JSON has them, and numbers that stand for names as these names."""
        made = {name: plain(value) for name, value in record.items()}
        for name, names in self.labels.items():
            value = made.get(name)
            if isinstance(value, int) and 0 <= value < len(names):
                made[name] = names[value]
        return made

    @abstractmethod
    def table(self) -> pa.Table:
        """All rows."""

    @abstractmethod
    def _schema(self) -> pa.Schema: ...

    @abstractmethod
    def _batches(self) -> Iterator[pa.RecordBatch]: ...

    def _header(self, schema: pa.Schema) -> bool:
        twice = [name for name, count in Counter(schema.names).items() if count > 1]
        for name in twice:
            self.wrong("two columns have this name", 1, name)
        self.columns.update(dict.fromkeys(schema.names))
        self.labels.update(_labels(schema))
        return not twice


class Parquet(Columnar):
    """A Parquet file."""

    kind = "Parquet"

    def table(self) -> pa.Table:
        """All rows."""
        import pyarrow.parquet as pq

        return pq.read_table(self.file.path, memory_map=True, partitioning=None)

    def _schema(self) -> pa.Schema:
        import pyarrow.parquet as pq

        return pq.read_schema(self.file.path)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.file.path) as file:
            yield from file.iter_batches(batch_size=BATCH)


class Arrow(Columnar):
    """Arrow's file or stream format, as `datasets` and Feather write it."""

    kind = "Arrow"

    def table(self) -> pa.Table:
        """All rows, of which the file on disk is the memory."""
        import pyarrow as pa

        source = pa.memory_map(str(self.file.path))
        is_file = source.read(len(ARROW_FILE)) == ARROW_FILE
        source.seek(0)
        return (pa.ipc.open_file if is_file else pa.ipc.open_stream)(source).read_all()

    def _schema(self) -> pa.Schema:
        return self.table().schema

    def _batches(self) -> Iterator[pa.RecordBatch]:
        yield from self.table().to_batches(max_chunksize=BATCH)


class InMemory(Columnar):
    """A table that somebody else has opened."""

    def __init__(self, file: File, problems: Problems, table: pa.Table, kind: str) -> None:
        super().__init__(file, problems)
        self._table, self.kind = table, kind

    def table(self) -> pa.Table:
        """All rows."""
        return self._table

    def _schema(self) -> pa.Schema:
        return self._table.schema

    def _batches(self) -> Iterator[pa.RecordBatch]:
        yield from self._table.to_batches(max_chunksize=BATCH)


class _TableRecords:
    """Records of a table: read in batches from its front to its end, or one by one."""

    def __init__(self, reader: Columnar) -> None:
        self._reader = reader

    @cached_property
    def _table(self) -> pa.Table:
        return self._reader.table()

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __getitem__(self, at: int, /) -> Record:
        (record,) = self._table.slice(at, 1).to_pylist()
        return self._reader.plainly(record)

    def __iter__(self) -> Iterator[Record]:
        return self._reader.objects()


def plain(value: Any) -> Any:
    """A value as JSON has it; NaN, which tables have for what is missing, becomes None.

    Bytes become the text that they are in UTF-8; others stay, so that nothing of them is lost. With
    a NUL they are no text, but UTF-16, say.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        try:
            return value if 0 in value else value.decode("utf-8")
        except UnicodeDecodeError:
            return value
    if isinstance(value, (decimal.Decimal, datetime.timedelta)):
        return str(value)
    return str(value)


def _labels(schema: pa.Schema) -> dict[str, tuple[str, ...]]:
    """Column -> names of its numbers (``ClassLabel``), which `datasets` keeps beside the schema."""
    try:
        kept = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = kept["info"]["features"].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {
        name: tuple(map(str, feature["names"]))
        for name, feature in features
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature["names"]
    }
