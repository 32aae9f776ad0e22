"""What an interrupted stage has left for its next attempt.

Each stage works in ``.harness/work/RUN/STAGE-KEY/``. All of that folder is thrown away when the
run starts again, but for ``scratch/`` in it, which is the plugin's own (``context.scratch``). It
goes with the folder once the stage is published. What it holds may be cut anywhere: whoever reads
it checks it. How long earlier attempts took to make it is kept beside it.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from harness.kit.files import remove, write_bytes
from harness.stages.runner import SUBMITTED

SCRATCH = "scratch"
SECONDS = "seconds"
"""Of the attempts before the last one; written when the last one began."""


def of(folder: Path) -> Path:
    """The scratch of a stage that works in ``folder``; there from now on."""
    path = folder / SCRATCH
    path.mkdir(parents=True, exist_ok=True)
    return path


def keep_alone(folder: Path) -> None:
    """Remove what an attempt left in ``folder`` but its scratch; where that is empty, all of it.

    A job that was submitted from it may still be at work there.
    """
    if folder.is_symlink():
        remove(folder)
        return
    if (folder / SUBMITTED).is_file():
        return
    scratch = folder / SCRATCH
    if not scratch.is_dir() or scratch.is_symlink() or not any(scratch.iterdir()):
        remove(folder)
        return
    for path in folder.iterdir():
        if path not in (scratch, folder / SECONDS):
            remove(path)
    for path in scratch.rglob("*"):
        if path.is_symlink():  # no attempt makes one, and the next one would write through it
            remove(path)


def begun(folder: Path) -> float:
    """An attempt begins: seconds of earlier ones that what is kept in the scratch took.

    Each counts from its beginning to the last change of a file in the scratch; what it did later is
    lost, and done again. Both are times of files, so that a folder that was copied, or a clock that
    was set, does not add the time between.
    """
    note, seconds = folder / SECONDS, 0.0
    try:
        seconds, began = float(note.read_bytes()), note.stat().st_mtime
        files = (path for path in (folder / SCRATCH).rglob("*") if path.is_file())
        seconds += max(0.0, max((path.stat().st_mtime for path in files), default=began) - began)
    except (OSError, ValueError):
        seconds = 0.0
    write_bytes(note, str(round(seconds, 3)).encode())
    return seconds


def others(folder: Path, stage: str, at_work: Container[str] = ()) -> list[Path]:
    """Folders of attempts at the same stage under other keys, to which nobody may come back.

    Args:
        at_work: names of folders in which it is made now.
    """
    return [
        other
        for other in folder.parent.iterdir()
        if other.name.startswith(f"{stage}-") and len(other.name) == len(folder.name)
        and other != folder and other.name not in at_work
        and not (other / SUBMITTED).is_file()  # it may be at work; harness jobs shows it
    ]  # fmt: skip


def saved(folder: Path) -> bool:
    """Whether an attempt in ``folder`` has saved something."""
    return any((folder / SCRATCH).glob("*"))
