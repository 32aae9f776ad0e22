"""What is noted of a run's beginning in its folder: when, by which command and plugin files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness.config.loading import Config
from harness.engine import resume_command
from harness.kit.files import files_digest, read_json, write_json

FILE = "begun.json"
PLUGINS = "plugins.json"


def now() -> str:
    """This second in UTC, as ISO 8601 (``2026-11-26T18:30:00Z``)."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def note(folder: Path, config: Config, plugins: Sequence[str]) -> None:
    """Note it in a run's folder, at each start; the time at the first one alone.

    Args:
        plugins: its one-file plugins.
    """
    resume_command.write(folder, config)
    digests = {str(file.resolve()): files_digest([file]) for file in map(Path, plugins)}
    write_json(folder / PLUGINS, digests)
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


def plugin_digests(folder: Path) -> Mapping[str, str]:
    """Path of each one-file plugin -> digest of the file that the run of that folder was made with.

    Nothing where it is not known.
    """
    try:
        digests = read_json(folder / PLUGINS)
    except (OSError, ValueError):
        return {}
    return digests if isinstance(digests, dict) else {}
