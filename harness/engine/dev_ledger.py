"""How many arms were compared on a dev set, across all runs of a folder.

Rows of dev are no secret, but each arm that is compared on them is one more chance of a false
*improved*. Arms are counted before they are judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.engine.ledger import row_key
from harness.errors import DataError
from harness.kit.files import append_line, digest, read_lines
from harness.kit.lock import turn
from harness.records import Example

FILE = "dev-arms.jsonl"
SCHEMA = 2
_COST = "how many arms were compared on dev cannot be known"
_HINT = "take the file from a backup; if the line is taken out, its arms count no more"


def count(machine: Path, rows: Sequence[Example], who: str, arms: Sequence[str]) -> int:
    """Count arms that are about to be judged together.

    The same ones by the same ``who`` count once.

    Args:
        machine: the folder of all runs.
        rows: of dev.
        who: the run, and the reference that the arms are compared with.
        arms: their names.

    Returns:
        how many others were counted on these rows before them.

    Raises:
        DataError: a line of the ledger is damaged.
    """
    path = machine / FILE
    dev = digest(sorted(map(row_key, rows)))
    new = {"schema": SCHEMA, "dev": dev, "who": who, "arms": list(arms)}
    with turn(path.with_suffix(".lock")):
        earlier = 0
        for number, line in enumerate(read_lines(path, cost=_COST, hint=_HINT), start=1):
            if line == new:
                return earlier
            try:
                earlier += len(line["arms"]) if line["dev"] == dev else 0
            except (KeyError, TypeError):
                what = f"this line counts no arms, and {_COST}"
                raise DataError(what, where=f"{path}:{number}", hint=_HINT) from None
        append_line(path, new)
        return earlier
