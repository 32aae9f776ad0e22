"""What a file of predictions or references becomes: rows of texts, whatever its format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        id: None where the file gives no ids. The number 7 and the text "7" are one id.
        texts: for predictions exactly one; for references none or more.
        meta: the row's other fields, as far as they are JSON scalars.
        place: where a person finds it: ``refs.jsonl:12`` is the line, or in Parquet and JSON
            arrays, which have no lines, the row, counted from 1.
    """

    id: str | None
    texts: tuple[str, ...]
    meta: Mapping[str, Any]
    place: str


@dataclass(frozen=True, slots=True)
class Table:
    """All rows of a file, in its order; there is at least one.

    Attributes:
        name: the file as the user gave it (``out.parquet:answer``), or ``standard input``.
    """

    name: str
    rows: tuple[Row, ...]

    @property
    def has_ids(self) -> bool:
        """Whether every row has an id; where this is False, none has."""
        return bool(self.rows) and self.rows[0].id is not None
