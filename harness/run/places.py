"""Where the files of a run lie, and how runs are named: light, for whoever lists runs."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from harness.config.finding import FILE_NAME, shipped
from harness.kit.own import MACHINE_FOLDER as MACHINE_FOLDER

REPORTS_FOLDER = "reports"
LEDGER = "test-openings.jsonl"
CONFIG = "config.yaml"
JOURNAL = "journal.jsonl"
LIVE = "live.json"
LOCK = "lock"
"""In a run's folder, held by whoever carries it out."""

_ATTEMPT = re.compile(r"(?<=-[0-9a-f]{8})-([0-9]+)$")
"""The number behind the hash of what changes results."""


def attempt_of(name: str) -> str | None:
    """The number of a run that its config began anew; None for the first one."""
    attempt = _ATTEMPT.search(name)
    return attempt[1] if attempt else None


def first_name(path: Path | None, key: str) -> str:
    """The name of the first run of a config.

    Args:
        path: the config's file.
        key: digest of what changes results.
    """
    return f"{_stem(path)}-{key[:8]}"


def first_of(name: str) -> str:
    """The first run of the config that began the run of this name."""
    return _ATTEMPT.sub("", name)


def latest_name(runs: Path, first: str, *, anew: bool = False) -> str:
    """The latest run of a config, or the one after it: ``first``, ``first-2``, ``first-3``."""
    attempts = [attempt_of(path.name) for path in runs.glob(f"{glob.escape(first)}-*")]
    numbers = [int(attempt) for attempt in attempts if attempt is not None]
    number = max(max(numbers, default=int((runs / first).is_dir())) + anew, 1)
    return first if number == 1 else f"{first}-{number}"


def _stem(path: Path | None) -> str:
    """The file's name, or its folder's where the file is just called harness.yaml."""
    if path is None or path == shipped(FILE_NAME):
        return "harness"
    if path.name != FILE_NAME:
        return path.stem
    folder = path.resolve().parent
    return "harness" if folder == Path.cwd() or not path.parent.name else folder.name
