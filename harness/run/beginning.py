"""What is noted of a run's beginning in its folder: when, by which command, and by whom."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from harness.config.loading import Config
from harness.kit import own
from harness.kit.files import read_json, write_json
from harness.run import resume_command
from harness.run.places import CONFIG

FILE = "begun.json"


def now() -> str:
    """This second in UTC, as ISO 8601 (``2026-11-26T18:30:00Z``)."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def note(folder: Path, config: Config) -> None:
    """Note it in a run's folder, at each start; the time at the first one alone."""
    resume_command.write(folder, config)
    own.note_run(folder, folder / CONFIG)
    own.adopt(config.path)
    path = folder / FILE
    if not path.exists():
        write_json(path, {"started": now()})


def started(folder: Path) -> str | None:
    """When the run of that folder was begun; None where nobody noted it."""
    try:
        moment = read_json(folder / FILE)["started"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return moment if isinstance(moment, str) else None
