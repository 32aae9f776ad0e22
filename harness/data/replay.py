"""How many general rows a training learns beside those of the task, and which."""

from __future__ import annotations

import random
from collections.abc import Sequence

from harness.records import Example


def wanted(rows: int, share: float) -> int:
    """General rows beside so many rows of the task, so that they are that share of all."""
    return round(share * rows / (1 - share))


def ordered(rows: Sequence[Example], seed: int) -> list[Example]:
    """The order in which general rows are taken: a training on more rows has those of one on fewer.

    That keeps two rounds alike but for what was added for the task.
    """
    rows_ = sorted(rows, key=lambda row: row.id)
    random.Random(seed).shuffle(rows_)
    return rows_
