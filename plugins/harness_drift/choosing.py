"""Which live rows to label: those that the reference knows least, none like another."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from harness.kit.readers.live import LiveRow
from harness_drift.permuting import Floats, Singles

MOST = 50
ALIKE = 0.9
"""Cosine from which two prompts are one question."""


def choose(
    rows: Sequence[LiveRow], features: Singles, worth: Floats, candidates: Sequence[int]
) -> list[int]:
    """Places of at most :data:`MOST` rows, the most telling first, one of a group.

    Args:
        worth: of each row, ``(n,)``.
        candidates: places of the rows to choose from.
    """
    order = sorted(candidates, key=lambda at: (-worth[at], at))
    places: list[int] = []
    groups: set[str] = set()
    for at in order:
        if len(places) == MOST:
            break
        if rows[at].group in groups:
            continue
        if places and float(np.max(features[places] @ features[at])) >= ALIKE:
            continue
        places.append(at)
        groups.add(rows[at].group)
    return places


def as_lines(rows: Sequence[LiveRow]) -> bytes:
    """Rows in the form that sources read, with an empty place for the reference.

    ``answer`` is what the model answered: ``harness rate review`` shows it.
    """
    lines = []
    for row in rows:
        example = row.example
        record = {
            "id": example.id,
            "messages": list(example.messages),
            "references": [],
            "group": row.group,
            "meta": {**example.meta, "origin": row.origin},
        }
        if row.answer is not None:
            record["answer"] = row.answer
        lines.append(json.dumps(record, ensure_ascii=False) + "\n")
    return "".join(lines).encode("utf-8", "backslashreplace")
