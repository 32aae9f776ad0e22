"""Rows of train that may be wrong: a file of them, as ``harness data suspects`` writes it.

Each line is an object with ``id`` and ``reason``; what else stands there is not read. The worst
stands first.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.kit.text import one_line
from harness.readers import Record, each_of


def read(path: Path) -> Mapping[str, str]:
    """Id of a row -> why it is suspected, in the order of the file.

    Raises:
        DataError: the file cannot be read, or a line is no suspect.
    """
    reasons: dict[str, str] = {}
    for name, reason in each_of(path, _suspect, "harness data suspects writes such a file"):
        reasons.setdefault(name, one_line(reason, 200))
    return reasons


def _suspect(line: Record) -> tuple[str, str]:
    name, reason = line.get("id"), line.get("reason", "")
    if not isinstance(name, str) or not name or not isinstance(reason, str):
        raise ValueError('a suspect is {"id": "ID of a row", "reason": "…"}, each a text')
    return name, reason
