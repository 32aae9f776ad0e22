"""Parquet and Arrow: tables with types, read in batches."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import struct
import sys
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.kit.readers.base import File, Reader, Record, Records, Report

if TYPE_CHECKING:
    import pyarrow as pa

ARROW_FILE = b"ARROW1"
BATCH = 250
"""Rows that are turned into objects at a time."""
UNPACKED = 100
"""How many times its own size a file may have when it is unpacked."""
ALWAYS = 256 * 2**20
"""Bytes that any file may have when it is unpacked."""
TOO_LARGE = f"it unpacks to more than {{}} MiB, {UNPACKED} times its size"


class Columnar(Reader):
    """A table of a file; rows are numbered from 1.

    Attributes:
        labels: column -> names of its numbers, where the file has them.
    """

    def __init__(self, file: File, report: Report) -> None:
        super().__init__(file, report)
        self.labels: dict[str, tuple[str, ...]] = {}
        self._wanted: Callable[[Sequence[str]], Set[str]] = set

    @cached_property
    def records(self) -> Records:
        """The records, read anew."""
        return _TableRecords(self)

    def skim(self, wanted: Callable[[Sequence[str]], Set[str]]) -> None:
        """Read only some of the columns: of nested ones and of bytes, which cost time, those named.

        Args:
            wanted: given the names of all columns, those that are read whatever they hold.
        """
        self._wanted = wanted

    def rows(self) -> Iterator[tuple[int, Record]]:
        """See :meth:`Reader.rows`."""
        import pyarrow as pa

        number = 0
        try:
            if self._header(self._schema()):
                for record in self.objects():
                    number += 1
                    yield number, record
        except UnicodeDecodeError:
            self.wrong(f"a text behind row {number} is not UTF-8", hint="write the file again")
        except (pa.ArrowException, OSError) as error:
            said = " ".join(str(error).split())[:200] or type(error).__name__
            hint = "it may be damaged: write it or copy it again"
            self.wrong(f"cannot be read as {self.kind}: {said}", hint=hint)

    def objects(self) -> Iterator[Record]:
        """The rows as objects."""
        import pyarrow as pa

        names = list(self.columns)
        size, most = 0, self._most()
        if self._largest() > most:
            raise pa.ArrowInvalid(TOO_LARGE.format(most >> 20))
        for batch in self._batches(names):
            # A value that a dictionary holds once may stand in each of millions of rows.
            size += sum(_unpacked(column) for column in batch.columns)
            if size > most:
                raise pa.ArrowInvalid(TOO_LARGE.format(most >> 20))
            columns = [self._values(batch.column(name), name) for name in names]
            for values in zip(*columns, strict=True):
                yield dict(zip(names, values, strict=True))

    def plainly(self, record: Record) -> Record:
        """A row's values as JSON has them, and numbers that stand for names as these names."""
        return {
            name: self._labelled(plain(record[name]), self.labels.get(name, ()))
            for name in self.columns
        }

    def _values(self, column: pa.Array, name: str) -> list[Any]:
        import pyarrow as pa

        values: list[Any]
        if isinstance(column, pa.DictionaryArray):
            known = column.dictionary.to_pylist()
            values = [None if at is None else known[at] for at in column.indices.to_pylist()]
        else:
            values = column.to_pylist()
        if not _is_plain(column.type):
            values = [plain(value) for value in values]
        labels = self.labels.get(name)
        return [self._labelled(value, labels) for value in values] if labels else values

    @staticmethod
    def _labelled(value: Any, labels: tuple[str, ...]) -> Any:
        return labels[value] if isinstance(value, int) and 0 <= value < len(labels) else value

    @abstractmethod
    def table(self) -> pa.Table:
        """All rows."""

    def _most(self) -> int:
        """Bytes that the file may have when it is unpacked."""
        return max(ALWAYS, UNPACKED * self.file.size)

    def _largest(self) -> int:
        """Bytes of the largest piece that is unpacked at once, as the file says itself."""
        return 0

    @abstractmethod
    def _schema(self) -> pa.Schema: ...

    @abstractmethod
    def _batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]: ...

    def _header(self, schema: pa.Schema) -> bool:
        twice = [name for name, count in Counter(schema.names).items() if count > 1]
        for name in twice:
            hint = "give each column a name of its own"
            self.wrong("two columns have this name", 1, name, hint)
        wanted = self._wanted(schema.names)
        self.columns.update(
            (field.name, None) for field in schema if field.name in wanted or _is_scalar(field.type)
        )
        self.labels.update(_labels(schema))
        return not twice


class Parquet(Columnar):
    """A Parquet file."""

    kind = "Parquet"

    def table(self) -> pa.Table:
        """All rows."""
        import pyarrow.parquet as pq

        source = self.file.path or self.file.open()
        return pq.read_table(source, memory_map=self.file.path is not None, partitioning=None)

    def _schema(self) -> pa.Schema:
        import pyarrow.parquet as pq

        return pq.read_schema(self.file.path or self.file.open())

    def _largest(self) -> int:
        import pyarrow.parquet as pq

        metadata = pq.read_metadata(self.file.path or self.file.open())
        groups = (metadata.row_group(at) for at in range(metadata.num_row_groups))
        return max((int(group.total_byte_size) for group in groups), default=0)

    def _batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        import pyarrow.parquet as pq

        source = self.file.path or self.file.open()
        with pq.ParquetFile(source, page_checksum_verification=True) as file:
            yield from file.iter_batches(batch_size=BATCH, columns=names)


class Arrow(Columnar):
    """Arrow's file or stream format, as `datasets` and Feather write it."""

    kind = "Arrow"

    def table(self) -> pa.Table:
        """All rows, of which the file on disk is the memory."""
        import pyarrow as pa

        return pa.ipc.open_stream(self._stream()).read_all()

    def _stream(self) -> Any:
        """The messages. In a file format they stand behind its mark; its footer, which could point
        to others, is not read."""
        import pyarrow as pa

        path, data = self.file.path, self.file.data
        source = pa.memory_map(str(path)) if path else pa.BufferReader(data)
        is_file = source.read(len(ARROW_FILE)) == ARROW_FILE
        source.seek(8 if is_file else 0)
        return source

    def _schema(self) -> pa.Schema:
        import pyarrow as pa

        return pa.ipc.open_stream(self._stream()).schema

    def _largest(self) -> int:
        import pyarrow as pa

        sizes = map(_unpacked_message, pa.ipc.MessageReader.open_stream(self._stream()))
        try:
            return max(sizes, default=0)
        except struct.error:
            raise pa.ArrowInvalid("a message leads beyond its own end") from None

    def _batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        # One by one: what is packed takes memory only for as long as it is read.
        for batch in pa.ipc.open_stream(self._stream()):
            batch.validate(full=True)  # an offset beyond the texts would end this process
            for start in range(0, batch.num_rows, BATCH):
                yield batch.slice(start, BATCH)


class InMemory(Columnar):
    """A table that somebody else has opened."""

    def __init__(self, file: File, report: Report, table: pa.Table, kind: str) -> None:
        super().__init__(file, report)
        self._table, self.kind = table, kind

    def table(self) -> pa.Table:
        """All rows."""
        return self._table

    def _most(self) -> int:
        return sys.maxsize  # it is in memory already

    def _schema(self) -> pa.Schema:
        return self._table.schema

    def _batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
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


def _unpacked(column: pa.Array) -> int:
    """Bytes of the values, each counted as often as it stands there."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not isinstance(column, pa.DictionaryArray):
        return int(column.nbytes)
    words, own = column.dictionary, int(column.indices.nbytes)
    try:
        lengths = pc.take(pc.binary_length(words), column.indices)
    except pa.ArrowNotImplementedError:
        return own  # no texts
    return own + int(pc.sum(lengths).as_py() or 0)


def _unpacked_message(message: pa.Message) -> int:
    """Bytes of a message's buffers when they are unpacked: each packed one begins with its size
    (Arrow's format of messages, ``Message.fbs``; pyarrow has verified the offsets in it)."""
    meta, body = memoryview(message.metadata), memoryview(message.body or b"")

    def number(form: str, at: int) -> int:
        return int(struct.unpack_from(form, meta, at)[0])

    def member(table: int, slot: int) -> int:
        """The place of a table's member; 0 where it is not there."""
        sizes = table - number("<i", table)
        inside = 4 + 2 * slot < number("<H", sizes)
        offset = number("<H", sizes + 4 + 2 * slot) if inside else 0
        return table + offset if offset else 0

    def follow(at: int) -> int:
        return at + number("<I", at)

    table = follow(member(follow(0), 2))  # Message.header
    if message.type == "dictionary":
        table = follow(member(table, 1))  # DictionaryBatch.data
    elif message.type != "record batch":
        return 0
    buffers = member(table, 2)  # RecordBatch.buffers
    if not member(table, 3) or not buffers:  # RecordBatch.compression
        return len(body)
    total, vector = 0, follow(buffers)
    for entry in range(vector + 4, vector + 4 + 16 * number("<I", vector), 16):
        start, length = struct.unpack_from("<qq", meta, entry)
        if length >= 8:
            (size,) = struct.unpack_from("<q", body, start)
            total += length if size < 0 else size
    return total


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


def _is_plain(kind: pa.DataType) -> bool:
    """Whether values of a type are as JSON has them."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (
        pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view,
        pa.types.is_integer, pa.types.is_boolean, pa.types.is_null,
    )  # fmt: skip
    return any(test(kind) for test in tests)


def _is_scalar(kind: pa.DataType) -> bool:
    """Whether a column costs little to read."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return _is_plain(kind) or pa.types.is_floating(kind)


def _labels(schema: pa.Schema) -> dict[str, tuple[str, ...]]:
    """Column -> names of its numbers (``ClassLabel``), which `datasets` keeps beside the schema."""
    try:
        stored = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = stored["info"]["features"].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {
        name: tuple(map(str, feature["names"]))
        for name, feature in features
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature["names"]
    }
