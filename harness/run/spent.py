"""Where the requests of a run are counted: in its own folder, so that it takes them along.

Each working folder writes a file of its own there. Two that go on with one run, one after the
other, never have two versions of one file.
"""

from __future__ import annotations

import re
import uuid
from pathlib import Path

from harness.kit.files import canonical, made_once
from harness.kit.inside import inside
from harness.kit.remote.spending import Spending

FOLDER = "spent"
"""In a run's folder."""
NAME = "folder-id"
"""In ``.harness``: what tells this working folder from others."""
OF_ALL_RUNS = "spent.jsonl"
"""In ``.harness``: where earlier versions counted."""


def spending_of(machine: Path, run: str, most: float | None) -> Spending:
    """What a run has spent, on all machines, and may spend.

    Args:
        machine: the folder of all runs.
        most: the money that it may cost; None: as much as it takes.

    Raises:
        Outside: a link lies in the place of the run's folder.
    """
    folder = inside(machine, "runs", run, FOLDER)
    own = inside(folder, f"{_folder_id(machine)}.jsonl")
    others = [path for path in sorted(folder.glob("*.jsonl")) if path != own]
    return Spending(own, run, most, [*others, *_earlier(machine, run)])


def _folder_id(machine: Path) -> str:
    def made() -> bytes:
        return f"{uuid.uuid4().hex}\n".encode()

    path = inside(machine, NAME)
    return made_once(path, re.compile(rb"[0-9a-f]{32}\n").fullmatch, made).decode("ascii").strip()


def _earlier(machine: Path, run: str) -> list[Path]:
    """The file of all runs, if this one is in it: to read it takes seconds."""
    path = machine / OF_ALL_RUNS
    try:
        there = b'"run":' + canonical(run) in path.read_bytes()
    except OSError:
        return []
    return [path] if there else []
