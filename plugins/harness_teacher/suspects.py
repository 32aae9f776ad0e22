"""Rows of train that may be wrong: a file of them, as ``harness data suspects`` writes it.

Each line is an object with ``id`` and ``reason``; what else stands there is not read. The worst
stands first.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import harness
from harness.kit.strict_json import Fault, parse
from harness.kit.text import one_line


def read(path: Path) -> Mapping[str, str]:
    """Id of a row -> why it is suspected, in the order of the file.

    Raises:
        DataError: the file cannot be read, or a line is no suspect.
    """
    found: dict[str, str] = {}
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise harness.DataError(
            f"the suspects cannot be read: {error.strerror or error}", where=str(path),
            hint="harness data suspects writes such a file",
        ) from None  # fmt: skip
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = parse(line)
        except Fault as fault:
            raise _no_suspect(path, number, str(fault)) from None
        if not isinstance(row, dict) or not isinstance(row.get("id"), str) or not row["id"]:
            raise _no_suspect(path, number, "it has no id, a text")
        reason = row.get("reason", "")
        if not isinstance(reason, str):
            raise _no_suspect(path, number, "its reason is no text")
        found.setdefault(row["id"], one_line(reason, 200))
    return found


def _no_suspect(path: Path, number: int, why: str) -> harness.DataError:
    return harness.DataError(
        f"this line is no suspect: {why}", where=f"{path}:{number}",
        hint='a line is {"id": "row-7", "reason": "…"}; harness data suspects writes such a file',
    )  # fmt: skip
