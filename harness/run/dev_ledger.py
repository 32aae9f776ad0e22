"""Who chose by which rows of dev, across all runs of a folder: runs, and arms within them.

Rows of dev are no secret, but each arm that is compared on them is one more chance of a false
*improved*, and a run that chose among its rounds by them has looked at them. Both are counted
before anything is judged. As for test, rows count one by one: a few rows more or less make no new
dev set.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.run.row_keys import RowKeys, keys_of, overlap, overlapping
from harness.run.shared_log import SharedLog

FILE = "dev-arms.jsonl"
SCHEMA, EARLIER = 6, 5


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """A line of the ledger: what was judged together.

    Attributes:
        dev: digest of the keys of the rows that it was judged on.
        who: the run, and the reference that the arms are compared with.
        arms: what tells each of them from another one.
        turns: the digests of their turns, parted by blanks, where no line before has these rows.
        words: those of their words.
        rows: as ``turns``, in lines of earlier versions.
    """

    dev: str
    who: str
    judged: Literal["rounds", "arms"]
    arms: tuple[str, ...] | None = None
    turns: str | None = None
    words: str | None = None
    rows: tuple[str, ...] | None = None


def count(machine: Path, rows: RowKeys, who: str, arms: Sequence[str] | None = None) -> int:
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
    judged: Literal["rounds", "arms"] = "rounds" if arms is None else "arms"
    new = JudgedLine(rows.digest, who, judged, None if arms is None else tuple(arms))
    log = _log(machine)

    def same(line: JudgedLine, seen: RowKeys) -> bool:
        told = (line.who, line.judged, line.arms)
        return told == (who, judged, new.arms) and seen.turns == rows.turns

    def decide() -> int:
        lines = _lines(machine)
        again = next((n for n, (line, seen) in enumerate(lines) if same(line, seen)), None)
        if again is None:
            listed = any(line.dev == new.dev for line, _ in lines)
            log.append(
                new if listed else dataclasses.replace(new, turns=rows.listed, words=rows.words)
            )
        before = [(line.arms, seen) for line, seen in lines[:again] if line.arms]
        counts = overlapping(rows, [seen for _, seen in before])
        return sum(len(arms) for (arms, _), here in zip(before, counts, strict=True) if here)

    return log.alone(decide)


def catch_up(machine: Path) -> None:
    """Read what others have judged, where the folder belongs to a shared store."""
    _log(machine).alone(lambda: None)


def runs(machine: Path, rows: RowKeys) -> int:
    """How many runs judged their rounds on these rows, or on enough of them.

    Args:
        rows: keys of them.

    Raises:
        DataError: a line of the ledger is damaged, or of another version.
    """
    lines = [(line.who, seen) for line, seen in _lines(machine) if line.judged == "rounds"]
    same = overlapping(rows, [seen for _, seen in lines])
    return len({who for (who, _), is_same in zip(lines, same, strict=True) if is_same})


def sharing(machine: Path) -> list[list[str]]:
    """The runs that judged their rounds on the same rows, or on enough of them, together.

    Raises:
        DataError: a line of the ledger is damaged, or of another version.
    """
    together: list[tuple[RowKeys, list[str]]] = []
    for line, rows in _lines(machine):
        if line.judged == "arms":
            continue
        same = next((names for seen, names in together if overlap(seen, rows)), None)
        if same is None:
            together.append((rows, [line.who]))
        else:
            same.append(line.who)
    return [names for _, names in together]


def check(machine: Path) -> None:
    """Read the ledger, before anything is trained that could not be counted.

    Raises:
        DataError: a line of it is damaged, or of another version.
    """
    _lines(machine)


def _log(machine: Path) -> SharedLog[JudgedLine]:
    return SharedLog(
        machine / FILE, JudgedLine, schema=SCHEMA, earlier=(EARLIER,),
        cost="what was chosen by which rows of dev cannot be known",
        hint="take the file from a backup; what is taken out of it, or moved away with it, counts "
        "no more",
    )  # fmt: skip


def _lines(machine: Path) -> list[tuple[JudgedLine, RowKeys]]:
    """All lines, each with the keys of its rows."""
    lines: list[tuple[JudgedLine, RowKeys]] = []
    sets: dict[str, RowKeys] = {}

    def take(line: JudgedLine) -> None:
        if (rows := keys_of(line.turns, line.words, line.rows)) is not None:
            sets[line.dev] = rows
        if line.dev not in sets:
            raise ValueError("no line before it has its rows")
        if (line.arms is None) != (line.judged == "rounds"):
            raise ValueError("it does not say what was judged")
        lines.append((line, sets[line.dev]))

    _log(machine).read(take)
    return lines
