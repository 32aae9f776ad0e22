"""Reading ``summary.json`` and ``analysis.json``: light, so that a finished run is shown soon."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import DataError, UsageError
from harness.kit.files import read_json

FILE_NAME = "analysis.json"
SCHEMA = "harness.analysis/4"

Document = dict[str, Any]


def read(path: Path) -> Document:
    """The document in an ``analysis.json``.

    Raises:
        UsageError: there is none.
        DataError: it is damaged, or of a newer harness.
    """
    return read_document(path, SCHEMA, "analysis", "harness rebuild RUN makes it")


def read_analysis(folder: Path) -> Document:
    """The same of a folder of reports.

    Raises:
        UsageError: there is none.
        DataError: it is damaged, or of a newer harness.
    """
    return read(folder / FILE_NAME)


def read_document(path: Path, schema: str, name: str, hint: str = "") -> Document:
    """A document of one of the schemas.

    Args:
        name: what messages call it.
        hint: how it is made where there is none.

    Raises:
        UsageError: there is none.
        DataError: it is damaged, or of a newer harness.
    """
    try:
        document = read_json(path)
    except FileNotFoundError:
        raise UsageError(f"there is no {name} here yet", where=str(path), hint=hint) from None
    except ValueError as problem:
        raise DataError(f"this is not JSON: {problem}", where=str(path)) from None
    except RecursionError:
        raise DataError("its values lie too deep in each other", where=str(path)) from None
    given = document.get("schema") if isinstance(document, dict) else None
    if given != schema:
        raise DataError(
            f"schema {given!r} is not known to this version, which reads {schema!r}",
            where=str(path),
            hint="run the same `harness iterate` again, or install a newer harness",
        )
    return dict(document)


def rounds_closed(document: Mapping[str, Any]) -> int:
    """How many closed rounds of all arms the document tells of."""
    control = document.get("control") or {"rounds": ()}
    return len(document["rounds"]) + len(control["rounds"])
