"""How often live rows were compared with one reference: a series of looks shares one chance of .05.

A look is counted before anything is compared. The same rows against the same reference are one
look, however often they are asked about. When all looks of a series are taken, the next one begins
another series, with another .05.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness import UsageError
from harness.kit.lock import turn
from harness.kit.log import Log

FILE = "drift-looks.jsonl"
SCHEMA = 1
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Look:
    """A line of the ledger, and which look it is.

    Attributes:
        reference: digest of the rows that are compared with.
        live: digest of the live rows.
        series: which series of this reference, from 1.
        number: which look of the series, from 1.
        of: looks of the series.
    """

    reference: str
    live: str
    series: int
    number: int
    of: int

    @property
    def alpha(self) -> float:
        """Chance of a false alarm that this look is given."""
        return ALPHA / self.of


def count(machine: Path, reference: str, live: str, looks: int) -> Look:
    """Count a look that is about to be taken.

    Args:
        machine: the folder of all runs.

    Raises:
        DataError: a line of the ledger is damaged, or of another version.
        UsageError: a series was begun with another number of looks, and has some left.
    """
    log: Log[Look] = Log(
        machine / FILE, Look, schema=SCHEMA,
        cost="how often live rows were looked at cannot be known",
        hint="take the file from a backup; looks that are taken out of it count no more",
    )  # fmt: skip
    with turn((machine / FILE).with_suffix(".lock")):
        lines: list[Look] = []
        log.read(lines.append)
        of_reference = [line for line in lines if line.reference == reference]
        # The same rows beside the same reference are one look, however often they are asked about.
        same = [line for line in of_reference if line.live == live]
        if same:
            return same[-1]
        last = of_reference[-1] if of_reference else None
        if last is None or last.number >= last.of:
            new = Look(reference, live, 1 if last is None else last.series + 1, 1, looks)
        elif last.of != looks:
            raise UsageError(
                f"--looks {looks}: the series of looks at this reference was begun with {last.of}, "
                f"of which {last.number} are taken",
                hint=f"--looks {last.of}; another number is for the next series",
            )
        else:
            new = Look(reference, live, last.series, last.number + 1, looks)
        log.append(new)
        return new
