"""The lines of a ledger, each believed or named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import DataError
from harness.kit.files import read_lines


@dataclass(frozen=True, slots=True)
class Kind:
    """What a ledger counts, and what it means that a line of it cannot be read.

    Attributes:
        counts: what its lines are (``openings of test sets``).
        schema: of the lines that this version writes and reads.
        cost: what a damaged line means for the reader, as the end of a sentence.
        hint: what to do about it.
    """

    counts: str
    schema: int
    cost: str
    hint: str


def take_lines(path: Path, kind: Kind, take: Callable[[dict[str, Any]], object]) -> None:
    """Give each line of a ledger to ``take``, which raises what a line that says nothing leads to.

    Raises:
        DataError: a line is damaged, is none of this ledger, or was written by another version,
            which knew rows otherwise.
    """
    for number, line in enumerate(read_lines(path, cost=kind.cost, hint=kind.hint), start=1):
        schema, where = line.get("schema"), f"{path}:{number}"
        if type(schema) is int and schema != kind.schema:
            raise DataError(
                f"this ledger of {kind.counts} was written by another version (schema {schema}; "
                f"this one reads {kind.schema}), which knew rows otherwise, and {kind.cost}",
                where=where,
                hint="move the file away to begin a new one; what it counted counts no more then",
            )
        try:
            if schema != kind.schema:
                raise ValueError(schema)
            take(line)
        except (KeyError, TypeError, ValueError):
            what = f"this line is none of the {kind.counts}, and {kind.cost}"
            raise DataError(what, where=where, hint=kind.hint) from None
