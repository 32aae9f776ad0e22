"""The rows of the source against dev and test, before anything is trained.

The split is the user's: rows of train and pool leave only where they repeat a held-out row
exactly. What is merely near is counted and shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.errors import DataError
from harness.filters import DESCENDS, INVALID, NEAR_REPEAT, REPEAT, Gate
from harness.records import Example
from harness.repeats import dev_in_test, doubled
from harness.text import one_line

PAIRS = 5
EXAMPLES = 5
TEXT = 400
"""Most characters of a text that are kept to be shown."""
TRAINABLE = ("train", "valid", "pool")


@dataclass(frozen=True, slots=True)
class Pair:
    """A row of the source next to the held-out row that it is most like.

    Attributes:
        similarity: share of what they have in common, 0 to 1.
        held_out_text: None for a row of test, which is sealed.
    """

    row: str
    split: str
    text: str
    held_out: str
    held_out_split: str
    held_out_text: str | None
    similarity: float


@dataclass(frozen=True, slots=True)
class Screening:
    """What the gate says of the rows of the source.

    Attributes:
        rows: split -> rows that the source gave.
        refused: split -> reason -> rows that leave.
        repeats: a few exact repeats, a sentence each.
        near: split -> near repeats of dev or test.
        pairs: the nearest of them, the most alike first.
        doubled: rows of train that repeat another one, prompt and references.
        dev_in_test: rows of test with the prompt of a row of dev.
    """

    rows: Mapping[str, int]
    refused: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    repeats: tuple[str, ...] = ()
    near: Mapping[str, int] = field(default_factory=dict)
    pairs: tuple[Pair, ...] = ()
    doubled: int = 0
    dev_in_test: int = 0
    source: str = "report"


def screen(
    rows: Sequence[Example], gate: Gate, source: str = "report"
) -> tuple[tuple[int, ...], Screening]:
    """Screen the rows of a source.

    Args:
        rows: of all splits.
        gate: knows dev and test.
        source: ``refuse`` takes near repeats out as well, ``report`` keeps them.

    Returns:
        The places of the rows that leave, and what is to be said.
    """
    leaving: list[int] = []
    refused: dict[str, Counter[str]] = {}
    repeats: list[str] = []
    pairs: list[Pair] = []
    gate.know(row for row in rows if row.split in TRAINABLE)
    for place, row in enumerate(rows):
        if row.split not in TRAINABLE:
            continue
        reason = gate.refuse_source(row)
        if reason is None and (match := gate.nearest(row)) is not None:
            pairs.append(_pair(row, *match))
            reason = NEAR_REPEAT if source == "refuse" else None
        if reason is not None:
            leaving.append(place)
            refused.setdefault(row.split, Counter())[reason] += 1
        if reason == REPEAT and len(repeats) < EXAMPLES:
            repeats.append(_repeat(row, gate))
    pairs.sort(key=lambda pair: (-pair.similarity, pair.row))
    return tuple(leaving), Screening(
        rows=dict(Counter(row.split for row in rows)),
        refused={split: dict(sorted(counts.items())) for split, counts in refused.items()},
        repeats=tuple(repeats),
        near=dict(Counter(pair.split for pair in pairs)),
        pairs=tuple(pairs[:PAIRS]),
        doubled=doubled(row for row in rows if row.split == "train"),
        dev_in_test=dev_in_test(rows),
        source=source,
    )
