"""When a run was begun: noted once, in its folder, so that no later start changes it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from harness.kit.files import read_json, write_json

FILE = "begun.json"


def now() -> str:
    """This second in UTC, as ISO 8601 (``2026-11-26T18:30:00Z``)."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def note(folder: Path, journal: Path) -> None:
    """Note the time in a run's folder, where it begins.

    A run that an earlier version began has a journal and no such note; it gets none.
    """
    path = folder / FILE
    if not path.exists() and not journal.exists():
        write_json(path, {"started": now()})


def started(folder: Path) -> str | None:
    """When the run of that folder was begun; None where nobody noted it."""
    try:
        found = read_json(folder / FILE)["started"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None
