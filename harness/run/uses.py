"""Which artifacts a run has used. What no run's file names may be removed from the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.kit.files import append_line, scan_lines
from harness.kit.inside import is_name
from harness.records import to_json
from harness.run.pins import TRAIN, steps_of

FILE = "uses.jsonl"


@dataclass(frozen=True, slots=True)
class Use:
    """An artifact that a run has used or was about to make.

    Attributes:
        stage, folder: where it lies in the store: two single names.
        arm, round: by which it was used first.
        trained: whether a trainer has made it.
    """

    stage: str
    folder: str
    arm: str
    round: int

    @property
    def trained(self) -> bool:
        return self.stage == TRAIN or self.stage.startswith(f"{TRAIN} ")

    @property
    def to_choose_from(self) -> bool:
        """Whether it has the checkpoints of a training; the chosen one lies elsewhere, too."""
        return self.trained and self.stage.endswith(steps_of(""))


def note(folder: Path, use: Use) -> None:
    """Write it down in a run's folder.

    Raises:
        StorageError: the disk does not take it.
    """
    append_line(folder / FILE, to_json(use))


def uses_of(folder: Path) -> Sequence[Use] | None:
    """All that the run of that folder has noted; None where that cannot be known."""
    path = folder / FILE
    if not path.is_file():
        return None
    uses = []
    for line in scan_lines(path):
        try:
            use = Use(**(line.value or {}))
        except TypeError:  # damaged, or none of ours
            return None
        if not (is_name(use.stage) and is_name(use.folder)):
            return None
        uses.append(use)
    return uses
