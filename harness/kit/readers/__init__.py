"""People's files: CSV, JSON, JSON lines, Parquet, Arrow and plain text, as records with places.

A reader goes through one file once, and gives each record that can be used with its line, or with
its number where rows have no lines. Everything else it reports as a :class:`Fault` with the place,
and goes on where that is possible: so all that is wrong with a file is said at once.
"""

from __future__ import annotations

from harness.kit.readers import encodings, json_text
from harness.kit.readers.base import (
    BOM,
    LONGEST,
    Fault,
    File,
    Reader,
    Record,
    Records,
    Report,
    Stretches,
)
from harness.kit.readers.columnar import ALWAYS, UNPACKED, Arrow, Columnar, InMemory, Parquet
from harness.kit.readers.delimited import Delimited
from harness.kit.readers.json_list import JsonList, JsonObjects
from harness.kit.readers.kinds import SUFFIXES, Kind, kind_of, packed, packed_or_wide, reader_of
from harness.kit.readers.lines import JsonLines, TextLines, each_of
from harness.kit.readers.problems import Problems

__all__ = [
    "ALWAYS",
    "BOM",
    "LONGEST",
    "SUFFIXES",
    "UNPACKED",
    "Arrow",
    "Columnar",
    "Delimited",
    "Fault",
    "File",
    "InMemory",
    "JsonLines",
    "JsonList",
    "JsonObjects",
    "Kind",
    "Parquet",
    "Problems",
    "Reader",
    "Record",
    "Records",
    "Report",
    "Stretches",
    "TextLines",
    "each_of",
    "encodings",
    "json_text",
    "kind_of",
    "packed",
    "packed_or_wide",
    "reader_of",
]
