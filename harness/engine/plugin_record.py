"""Which one-file plugins a run is made with: their digests, noted in its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.kit.files import files_digest, read_json, write_json

FILE = "plugins.json"


def keep(folder: Path, files: Sequence[Path]) -> None:
    """Note them: path -> digest of the file."""
    write_json(folder / FILE, {str(file.resolve()): files_digest([file]) for file in files})


def kept(folder: Path) -> Mapping[str, str] | None:
    """What was noted there; None where an earlier version began the run, which noted nothing."""
    try:
        found = read_json(folder / FILE)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
