"""How many arms were compared on a dev set, across all runs of a folder.

Rows of dev are no secret, but each arm that is compared on them is one more chance of a false
*improved*. Arms are counted before they are judged. As for test, rows count one by one: a few rows
more or less make no new dev set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.engine.ledger import overlap, row_key
from harness.errors import DataError
from harness.kit.files import append_line, digest, read_lines
from harness.kit.lock import turn
from harness.records import Example

FILE = "dev-arms.jsonl"
SCHEMA = 3
_COST = "how many arms were compared on dev cannot be known"
_HINT = "take the file from a backup; if the line is taken out, its arms count no more"


@dataclass(frozen=True, slots=True)
class _Counted:
    """Arms that were judged together, and the rows that they were judged on."""

    who: str
    arms: tuple[str, ...]
    rows: frozenset[str]


def count(machine: Path, rows: Sequence[Example], who: str, arms: Sequence[str]) -> int:
    """Count arms that are about to be judged together.

    The same ones by the same ``who`` count once.

    Args:
        machine: the folder of all runs.
        rows: of dev.
        who: the run, and the reference that the arms are compared with.
        arms: what tells each of them from another one, whatever it is called.

    Returns:
        how many others were counted on these rows before them.

    Raises:
        DataError: a line of the ledger is damaged.
    """
    path = machine / FILE
    new = _Counted(who, tuple(arms), frozenset(map(row_key, rows)))
    with turn(path.with_suffix(".lock")):
        earlier, known = 0, False
        for line in _lines(path):
            if line == new:
                return earlier
            known = known or line.rows == new.rows
            earlier += len(line.arms) if overlap(line.rows, new.rows) else 0
        listed = sorted(new.rows)
        said = {"schema": SCHEMA, "dev": digest(listed), "who": who, "arms": list(arms)}
        append_line(path, said if known else {**said, "rows": listed})
        return earlier


def check(machine: Path) -> None:
    """Read the ledger, before anything is trained that could not be counted.

    Raises:
        DataError: a line of it is damaged.
    """
    for _ in _lines(machine / FILE):
        pass


def _lines(path: Path) -> Iterator[_Counted]:
    sets: dict[str, frozenset[str]] = {}
    for number, line in enumerate(read_lines(path, cost=_COST, hint=_HINT), start=1):
        try:
            if line["schema"] != SCHEMA:
                raise ValueError(line["schema"])
            if "rows" in line:
                sets[line["dev"]] = frozenset(line["rows"])
            yield _Counted(str(line["who"]), tuple(line["arms"]), sets[line["dev"]])
        except (KeyError, TypeError, ValueError):
            what = f"this line counts no arms, and {_COST}"
            raise DataError(what, where=f"{path}:{number}", hint=_HINT) from None
