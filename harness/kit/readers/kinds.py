"""What a file is, by its first bytes and its suffix."""

from __future__ import annotations

from typing import Literal

from harness.kit import strict_json
from harness.kit.readers.base import BOM, File, Reader, Report
from harness.kit.readers.columnar import ARROW_FILE, Arrow, Parquet
from harness.kit.readers.delimited import Delimited
from harness.kit.readers.encodings import wide
from harness.kit.readers.json_list import JsonList
from harness.kit.readers.lines import JsonLines, TextLines

Kind = Literal["lines", "list", "document", "table", "parquet", "arrow"]
"""``lines`` is JSON lines, ``list`` and ``document`` are JSON that is a list or anything else."""

LINES = (".jsonl", ".ndjson", ".jsonlines")
TABLES = (".csv", ".tsv")
PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".feather", ".ipc")
SUFFIXES = (*LINES, ".json", *TABLES, *PARQUET, *ARROW)
HEAD = 4096
"""Bytes that are looked at."""

PARQUET_FILE = b"PAR1"
_ARROW_STREAM = b"\xff\xff\xff\xff"
_NO_TEXTS = (
    (b"\x1f\x8b", "packed (gzip)"), (b"PK\x03\x04", "packed (zip), or of Excel"),
    (b"BZh", "packed (bzip2)"), (b"\xfd7zXZ", "packed (xz)"),
    (b"\x28\xb5\x2f\xfd", "packed (zstd)"), (PARQUET_FILE, "Parquet"),
)  # fmt: skip


def kind_of(file: File, suffix: str) -> Kind | None:
    """The kind of a file; None for texts of which the suffix says nothing.

    Parquet and Arrow are known by their first bytes, whatever the file is called.

    Raises:
        OSError: the file cannot be read.
    """
    with file.open() as stream:
        head = stream.read(HEAD)
    suffix = suffix.lower()
    if head.startswith(PARQUET_FILE) or suffix in PARQUET:
        return "parquet"
    if head.startswith((ARROW_FILE, _ARROW_STREAM)) or suffix in ARROW:
        return "arrow"
    if suffix in TABLES:
        return "table"
    if suffix not in (*LINES, ".json"):
        return None
    if head.removeprefix(BOM).lstrip()[:1] == b"[":
        return "list"
    return "lines" if suffix in LINES or _is_lines(file) else "document"


_READERS: dict[Kind | None, type[Reader]] = {
    "lines": JsonLines, "document": JsonLines, "list": JsonList, "table": Delimited,
    "parquet": Parquet, "arrow": Arrow, None: TextLines,
}  # fmt: skip


def reader_of(file: File, kind: Kind | None, report: Report) -> Reader:
    """The reader of a file; None reads text. A document is read as if it were one line."""
    return _READERS[kind](file, report)


def packed_or_wide(head: bytes) -> str:
    """Why a file that begins so is no text in UTF-8, or empty."""
    if reason := packed(head):
        return reason
    if wide(head):
        return "the file is UTF-16 or UTF-32: save it as UTF-8"
    return ""


def packed(head: bytes) -> str:
    """Why a file that begins so is no text in any encoding, or empty."""
    for magic, name in _NO_TEXTS:
        if head.startswith(magic):
            return f"the file is {name}, and no text: save it as JSON lines or CSV"
    return ""


def _is_lines(file: File) -> bool:
    """Whether the first line is an object by itself, and another one begins behind it."""
    with file.open() as stream:
        first = stream.readline().removeprefix(BOM).strip()
        if first[:1] != b"{" or first == b"{":
            return False
        try:
            strict_json.parse(first)
        except strict_json.Fault:
            return bool(stream.readline().lstrip()[:1] == b"{")
        return any(line.strip() for line in stream)
