"""``harness score``: files of answers read, joined with their references, measured, compared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import harness


@harness.hookimpl
def joined_answers(
    systems: Sequence[Any], references: Any, fields: Collection[str]
) -> tuple[Sequence[harness.Example], Sequence[Sequence[harness.Prediction]]]:
    from harness_score.given import table
    from harness_score.pairing import pair
    from harness_score.tables import read_predictions, read_references

    def read(source: str) -> Any:
        return read_references(source, nested=fields)

    tables = [table(given, f"system {n}", read_predictions) for n, given in enumerate(systems, 1)]
    return pair(tables, [table(references, "references", read, several=True)])
