"""What an interrupted stage has left for its next attempt.

Each stage works in ``.harness/work/RUN/STAGE-KEY/``. All of that folder is thrown away when the
run starts again, but for ``scratch/`` in it, which is the plugin's own (``context.scratch``). It
goes with the folder once the stage is published. What it holds may be cut anywhere: whoever reads
it checks it.
"""

from __future__ import annotations

from pathlib import Path

from harness.kit.files import remove

SCRATCH = "scratch"


def of(folder: Path) -> Path:
    """The scratch of a stage that works in ``folder``; there from now on."""
    path = folder / SCRATCH
    path.mkdir(parents=True, exist_ok=True)
    return path


def keep_alone(folder: Path) -> None:
    """Remove what an attempt left in ``folder`` but its scratch; where that is empty, all of it."""
    kept = folder / SCRATCH
    if not kept.is_dir() or kept.is_symlink() or not any(kept.iterdir()):
        remove(folder)
        return
    for path in folder.iterdir():
        if path != kept:
            remove(path)


def remove_others(folder: Path, stage: str) -> None:
    """Remove what is left of attempts at the same stage under other keys: a run makes one at a
    time, so nobody comes back to them."""
    for other in folder.parent.iterdir():
        same = other.name.startswith(f"{stage}-") and len(other.name) == len(folder.name)
        if same and other != folder:
            remove(other)
