"""``analysis.json``: everything that a report says, with the SQL behind each number.

It holds all keys of ``summary.json`` and more; ``docs/analysis.md`` explains them. Its form has a
number of its own, since reports of third parties are made from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.analysis import examples
from harness.analysis.reading import SCHEMA, Document
from harness.analysis.remedies import remedies
from harness.analysis.sections import SECTIONS
from harness.errors import HarnessError
from harness.store import query
from harness.text import one_line

NOT_LOOKED_FOR = (
    "A wrong fact and a wrong tone are seen by no rule. They were not looked for: people's "
    "rubric choices, or a detector of your own, name them."
)

Causes = Mapping[str, tuple[str, str, bool]]
"""Cause -> definition, remedy, and whether new data can cure it."""


def analyse(
    summary: Mapping[str, Any],
    database: Path,
    *,
    definitions: Mapping[str, str],
    causes: Causes,
    right_at: float | None,
    limit: int = examples.LIMIT,
) -> Document:
    """The analysis document of a run.

    Args:
        summary: its ``harness.summary/1`` document.
        database: its ``run.duckdb``, built from the same state of the run.
        definitions: kind of error -> one line.
        right_at: value of the primary score from which an answer counts as right.
        limit: most examples.

    A section whose query fails is left out and named under ``failed``.
    """
    answers: dict[str, list[Document]] = {}
    failed: dict[str, str] = {}
    for name, section in SECTIONS.items():
        try:
            answers[name] = _rows(database, section.sql)
        except HarnessError as error:
            failed[name] = error.what
    chosen: list[Document] = []
    try:
        chosen = examples.chosen(database, limit)
    except HarnessError as error:
        failed["examples"] = error.what
    return {
        **summary,
        "schema": SCHEMA,
        "right_at": right_at,
        "definitions": {one_line(name): one_line(text) for name, text in definitions.items()},
        "causes_known": {
            one_line(name): {"definition": one_line(d), "remedy": one_line(r), "by_data": by_data}
            for name, (d, r, by_data) in causes.items()
        },
        "not_looked_for": NOT_LOOKED_FOR,
        "tables": answers,
        "examples": chosen or list(summary["examples"]),
        "remedies": remedies(summary, answers, causes),
        "queries": [
            {"name": name, "what": section.what, "sql": section.sql}
            for name, section in SECTIONS.items()
        ],
        "failed": failed,
    }


def _rows(database: Path, sql: str) -> list[Document]:
    table = query(database, sql)
    return [
        {name: _plain(value) for name, value in zip(table.columns, row, strict=True)}
        for row in table.rows
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return value
