"""Reading ``analysis.json``: light, so that a finished run can be shown at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.errors import DataError, UsageError
from harness.kit.files import read_json
from harness.verdicts.selection import chosen

FILE_NAME = "analysis.json"
SCHEMA = "harness.analysis/1"

Document = dict[str, Any]


def read(path: Path) -> Document:
    """The document in an ``analysis.json``.

    Raises:
        UsageError: there is none.
        DataError: it is damaged, or of a newer harness.
    """
    try:
        document = read_json(path)
    except FileNotFoundError:
        raise UsageError(
            "there is no analysis here yet", where=str(path), hint="harness rebuild RUN makes it"
        ) from None
    except ValueError as problem:
        raise DataError(f"this is not JSON: {problem}", where=str(path)) from None
    found = document.get("schema") if isinstance(document, dict) else None
    if found != SCHEMA:
        raise DataError(
            f"schema {found!r} is not known to this version, which reads {SCHEMA!r}",
            where=str(path),
            hint="run the same `harness iterate` again, or install a newer harness",
        )
    return {**document, "chosen": document.get("chosen", chosen(document))}
