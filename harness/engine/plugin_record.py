"""Which one-file plugins a run is made with: their digests, noted in its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.kit.files import files_digest, read_json, write_json

FILE = "plugins.json"


def keep(folder: Path, files: Sequence[Path]) -> None:
    """Note them: path -> digest of the file."""
    write_json(folder / FILE, {str(file.resolve()): files_digest([file]) for file in files})


def kept(folder: Path) -> Mapping[str, str]:
    """What was noted there; empty where nothing was."""
    try:
        found = read_json(folder / FILE)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
