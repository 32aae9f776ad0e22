"""Who chose by which rows of dev, across all runs of a folder: runs, and arms within them.

Rows of dev are no secret, but each arm that is compared on them is one more chance of a false
*improved*, and a run that chose among its rounds by them has looked at them. Both are counted
before anything is judged. As for test, rows count one by one: a few rows more or less make no new
dev set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.engine.ledger_lines import Kind, take_lines
from harness.engine.row_keys import overlap
from harness.kit.files import append_line, digest
from harness.kit.lock import turn

FILE = "dev-arms.jsonl"
_KIND = Kind(
    "arms and runs judged on dev",
    schema=5,
    cost="what was chosen by which rows of dev cannot be known",
    hint="take the file from a backup; if the line is taken out, what it counted counts no more",
)


@dataclass(frozen=True, slots=True)
class _Counted:
    """What was judged together, and the rows that it was judged on.

    Attributes:
        arms: None of a run that judged its rounds on them.
    """

    who: str
    arms: tuple[str, ...] | None
    rows: frozenset[str]


def count(machine: Path, rows: frozenset[str], who: str, arms: Sequence[str] | None = None) -> int:
    """Count arms that are about to be judged together, or a run that is about to judge a round.

    The same ones by the same ``who`` count once.

    Args:
        machine: the folder of all runs.
        rows: keys of those of dev.
        who: the run, and the reference that the arms are compared with.
        arms: what tells each of them from another one, whatever it is called; None where the
            rounds of the run are judged.

    Returns:
        how many other arms were counted on these rows before them.

    Raises:
        DataError: a line of the ledger is damaged, or of another version.
    """
    path = machine / FILE
    new = _Counted(who, None if arms is None else tuple(arms), rows)
    with turn(path.with_suffix(".lock")):
        earlier, known = 0, False
        for line in _lines(path):
            if line == new:
                return earlier
            known = known or line.rows == new.rows
            earlier += len(line.arms) if line.arms and overlap(line.rows, new.rows) else 0
        listed = sorted(new.rows)
        said = {"schema": _KIND.schema, "dev": digest(listed), "who": who}
        said |= {"judged": "rounds"} if arms is None else {"judged": "arms", "arms": list(arms)}
        append_line(path, said if known else {**said, "rows": listed})
        return earlier


def runs(machine: Path, rows: frozenset[str]) -> int:
    """How many runs judged their rounds on these rows, or on enough of them.

    Args:
        rows: keys of them.

    Raises:
        DataError: a line of the ledger is damaged, or of another version.
    """
    lines = _lines(machine / FILE)
    return len({line.who for line in lines if line.arms is None and overlap(line.rows, rows)})


def sharing(machine: Path) -> list[list[str]]:
    """The runs that judged their rounds on the same rows, or on enough of them, together.

    Raises:
        DataError: a line of the ledger is damaged, or of another version.
    """
    together: list[tuple[frozenset[str], list[str]]] = []
    for line in _lines(machine / FILE):
        if line.arms is not None:
            continue
        same = next((names for rows, names in together if overlap(rows, line.rows)), None)
        if same is None:
            together.append((line.rows, [line.who]))
        else:
            same.append(line.who)
    return [names for _, names in together]


def check(machine: Path) -> None:
    """Read the ledger, before anything is trained that could not be counted.

    Raises:
        DataError: a line of it is damaged, or of another version.
    """
    _lines(machine / FILE)


def _of_arms(judged: str) -> bool:
    return {"arms": True, "rounds": False}[judged]


def _lines(path: Path) -> list[_Counted]:
    lines: list[_Counted] = []
    sets: dict[str, frozenset[str]] = {}

    def take(line: dict[str, Any]) -> None:
        if "rows" in line:
            sets[line["dev"]] = frozenset(line["rows"])
        arms = tuple(line["arms"]) if _of_arms(line["judged"]) else None
        lines.append(_Counted(str(line["who"]), arms, sets[line["dev"]]))

    take_lines(path, _KIND, take)
    return lines
