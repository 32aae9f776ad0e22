"""``analysis.json``: everything that a report says, with the SQL behind each number.

It holds all keys of ``summary.json`` and more; ``docs/analysis.md`` explains them. Its form has a
number of its own, since reports of third parties are made from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.database.writing import Asking, QueryResult, reading
from harness.errors import HarnessError
from harness.kit.documents import finite
from harness.kit.terms import shown as term
from harness.kit.text import one_line
from harness.report import examples
from harness.report.annotations import RunAnnotations
from harness.report.queries import QUERIES, Query
from harness.report.reading import SCHEMA, Document
from harness.report.sections import SectionGuard, made, unguarded
from harness.stages import Section

NOT_LOOKED_FOR = (
    "Rules cannot detect a wrong fact or a wrong tone. Raters with a rubric can, or a detector of "
    "your own; this run had neither."
)
NAMED_BY_PEOPLE = (
    "Rules cannot detect a wrong fact or a wrong tone. Raters named those that they saw in the "
    "answers that they rated; other answers were not checked for them."
)

_WITHOUT: Document = {"control": None, "baselines": [], "models": []}
"""What the keys hold here that a summary leaves out where a run has nothing to say under them."""

Causes = Mapping[str, tuple[str, str, bool]]
"""Cause -> definition, remedy, and whether new data can cure it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run's plugins mean by what they report.

    Attributes:
        definitions: error category -> one line.
        causes: what the analyzers' diagnoses name.
        right_at: value of the primary score from which an answer passes.
        bounds: least and greatest value that it can have.
        by_people: whether the primary score is what people said.
        names_errors: whether people name kinds of errors for a detector.
    """

    definitions: Mapping[str, str] = field(default_factory=dict)
    causes: Causes = field(default_factory=dict)
    right_at: float | None = None
    bounds: tuple[float, float] = (-math.inf, math.inf)
    by_people: bool = False
    names_errors: bool = False


def analyse(
    summary: Mapping[str, Any],
    database: Path,
    terms: Terms,
    *,
    sections: Sequence[Section] = (),
    limit: int = examples.LIMIT,
    annotations: RunAnnotations | None = None,
    guard: SectionGuard = unguarded,
) -> Document:
    """The analysis document of a run.

    Args:
        summary: its ``harness.summary/4`` document.
        database: its ``run.duckdb``, built from the same state of the run.
        sections: tables of plugins.
        limit: most examples.
        annotations: what the database was built with of what is said from outside.
        guard: what stands around the call of a section (see :mod:`harness.boundary.calls`).

    A section that fails is left out and named under ``failed``.
    """
    outside = annotations or RunAnnotations()
    queries = {**QUERIES, **outside.queries}
    tables, chosen, failed = _answers(database, queries, limit)
    document = {
        **_WITHOUT,
        **summary,
        "schema": SCHEMA,
        "notes": [*summary["notes"], *(one_line(note) for note in outside.notes)],
        "annotations": outside.digests,
        "right_at": terms.right_at,
        "bounds": [finite(bound) for bound in terms.bounds],
        "by_people": terms.by_people,
        "definitions": {one_line(name): one_line(text) for name, text in terms.definitions.items()},
        "causes_known": {
            one_line(name): {"definition": one_line(d), "remedy": one_line(r), "by_data": by_data}
            for name, (d, r, by_data) in terms.causes.items()
        },
        "not_looked_for": NAMED_BY_PEOPLE
        if terms.names_errors or outside.names_errors
        else NOT_LOOKED_FOR,
        "tables": tables,
        "examples": chosen.get("examples") or [_unasked(row) for row in summary["examples"]],
        "better": chosen.get("better", []),
        "not_better": chosen.get("not_better"),
        "remedies": _remedies(summary, tables, terms.causes),
        "queries": [
            {"name": name, "what": section.what, "sql": section.sql}
            for name, section in queries.items()
        ],
        "failed": failed,
    }
    return {**document, "sections": made(sections, document, database, failed, guard)}


def _remedies(
    summary: Mapping[str, Any],
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    causes: Causes,
) -> list[Document]:
    """What to do next, each with its reason and the failing answers of dev that it concerns.

    Worth is an upper limit: no remedy cures everything that it is meant for.
    """
    actions = [
        {
            "remedy": one_line(row["remedy"]),
            "why": f"{one_line(term('cause', row['cause']))}: {causes[row['cause']][0]}"
            if row["cause"] in causes
            else one_line(row["cause"]),
            "answers": row["answers"],
            "by_data": causes[row["cause"]][2] if row["cause"] in causes else False,
        }
        for row in tables.get("causes", ())
        if row["remedy"]
    ]
    best = summary["rounds"][summary["kept_round"]]
    actions += [
        {
            "remedy": f"{item['rows']} rows for {item['slice']}",
            "why": f"planned after round {best['round']}: {item['reason']}",
            "answers": item["n"],
            "by_data": True,
        }
        for item in best["plan"]
        if item["n"] is not None and item["rows"]
    ]
    return sorted(actions, key=lambda action: (-(action["answers"] or 0), action["remedy"]))


def _unasked(row: Document) -> Document:
    """An example of the summary, where the database tells no more of it."""
    return {**row, "references": [], "course": "", "answers": [], "cause": None}


_EXAMPLES: Mapping[str, Callable[[Asking, int], Any]] = {
    "examples": examples.chosen,
    "better": lambda ask, _: examples.better(ask),
    "not_better": lambda ask, _: examples.not_better(ask),
}
"""Key of the document -> what chooses its examples."""


def _answers(
    database: Path, queries: Mapping[str, Query], limit: int
) -> tuple[dict[str, list[Document]], dict[str, Any], dict[str, str]]:
    """Section -> its rows, examples by key, and what failed -> why; the database is opened once."""
    tables: dict[str, list[Document]] = {}
    chosen: dict[str, Any] = {}
    failed: dict[str, str] = {}
    try:
        with reading(database) as ask:
            for name, section in queries.items():
                try:
                    tables[name] = _rows(ask(section.sql))
                except HarnessError as error:
                    failed[name] = error.what
            for name, choose in _EXAMPLES.items():
                try:
                    chosen[name] = choose(ask, limit)
                except HarnessError as error:
                    failed[name] = error.what
    except HarnessError as error:
        failed = dict.fromkeys([*queries, *_EXAMPLES], error.what)
    return tables, chosen, failed


def _rows(table: QueryResult) -> list[Document]:
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
