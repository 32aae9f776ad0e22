"""``analysis.json``: everything that a report says, with the SQL behind each number.

It holds all keys of ``summary.json`` and more; ``docs/analysis.md`` explains them. Its form has a
number of its own, since reports of third parties are made from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from harness.database.writing import QueryResult, reading
from harness.errors import HarnessError
from harness.kit.documents import finite
from harness.kit.terms import shown as term
from harness.kit.text import one_line
from harness.records import to_json
from harness.records.analysis import (
    AnalysedExample,
    Analysis,
    BetweenReferences,
    CauseCount,
    KnownCause,
    Remedy,
    ShownQuery,
)
from harness.records.plain import from_document
from harness.records.summary import ShownExample, Summary
from harness.report import examples
from harness.report.annotations import RunAnnotations
from harness.report.queries import EXAMPLES, QUERIES, Query
from harness.report.reading import SCHEMA
from harness.report.sections import SectionGuard, unguarded, with_named
from harness.stages import Section

NOT_LOOKED_FOR = (
    "Rules cannot detect a wrong fact or a wrong tone. Raters with a rubric can, or a detector of "
    "your own; this run had neither."
)
NAMED_BY_PEOPLE = (
    "Rules cannot detect a wrong fact or a wrong tone. Raters named those that they saw in the "
    "answers that they rated; other answers were not checked for them."
)

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
    summary: Summary,
    database: Path,
    terms: Terms,
    *,
    sections: Sequence[Section] = (),
    annotations: RunAnnotations | None = None,
    references: BetweenReferences | None = None,
    guard: SectionGuard = unguarded,
) -> Analysis:
    """The analysis of a run.

    Args:
        database: its ``run.duckdb``, built from the same state of the run.
        sections: tables of plugins.
        annotations: what the database was built with of what is said from outside.
        references: how far the primary score can be expected to go.
        guard: what stands around the call of a section (see :mod:`harness.boundary.calls`).

    A section that fails is left out and named under ``failed``.
    """
    outside = annotations or RunAnnotations()
    queries = {**QUERIES, **outside.queries}
    tables, chosen, failed = _answers(database, queries)
    causes = {
        one_line(name): KnownCause(one_line(definition), one_line(remedy), by_data)
        for name, (definition, remedy, by_data) in terms.causes.items()
    }
    looked = terms.names_errors or outside.names_errors
    of_summary = {field.name: getattr(summary, field.name) for field in fields(summary)}
    analysis = Analysis(
        **of_summary | {
            "schema": SCHEMA,
            "notes": (*summary.notes, *map(one_line, outside.notes)),
            "examples": chosen.get("examples") or tuple(map(_unasked, summary.examples)),
        },
        annotations=outside.digests,
        right_at=terms.right_at,
        bounds=tuple(map(finite, terms.bounds)),
        by_people=terms.by_people,
        between_references=references,
        definitions={one_line(name): one_line(text) for name, text in terms.definitions.items()},
        causes_known=causes,
        not_looked_for=NAMED_BY_PEOPLE if looked else NOT_LOOKED_FOR,
        tables=tables,
        better=chosen.get("better", ()),
        not_better=next(iter(chosen.get("not_better", ())), None),
        remedies=(),
        queries=tuple(ShownQuery(name, query.what, query.sql) for name, query in queries.items()),
        failed=failed,
    )  # fmt: skip
    # As whoever reads the file gets it: what one section wrote into it the next ones would see.
    analysis = from_document(
        Analysis, to_json(replace(analysis, remedies=tuple(_remedies(analysis, terms.causes))))
    )
    return with_named(analysis, sections, database, guard)


def _remedies(analysis: Analysis, causes: Causes) -> list[Remedy]:
    """What to do next, each with its reason and the failing answers of dev that it concerns.

    Worth is an upper limit: no remedy cures everything that it is meant for.
    """
    remedies = []
    for row in analysis.rows(CauseCount):
        if row.remedy:
            definition, _, by_data = causes.get(row.cause, ("", "", False))
            name = one_line(term("cause", row.cause)) if definition else one_line(row.cause)
            why = f"{name}: {definition}" if definition else name
            remedies.append(Remedy(one_line(row.remedy), why, row.answers, by_data))
    best = analysis.best
    remedies += [
        Remedy(
            f"{item.rows} rows for {item.slice}",
            f"planned after round {best.round}: {item.reason}", item.n, True,
        )
        for item in best.plan
        if item.n is not None and item.rows
    ]  # fmt: skip
    return sorted(remedies, key=lambda remedy: (-(remedy.answers or 0), remedy.remedy))


def _unasked(example: ShownExample) -> AnalysedExample:
    """An example of the summary, where the database tells no more of it."""
    return AnalysedExample(*(getattr(example, field.name) for field in fields(example)))


def _answers(
    database: Path, queries: Mapping[str, Query]
) -> tuple[dict[str, tuple[Mapping[str, Any], ...]], dict[str, Any], dict[str, str]]:
    """Table -> its rows, examples by key, and what failed -> why; the database is opened once."""
    tables: dict[str, tuple[Mapping[str, Any], ...]] = {}
    chosen: dict[str, tuple[AnalysedExample, ...]] = {}
    failed: dict[str, str] = {}
    try:
        with reading(database) as ask:
            for name, query in queries.items():
                try:
                    tables[name] = _rows(ask(query.sql))
                except HarnessError as error:
                    failed[name] = error.what
            for name, sql in EXAMPLES.items():
                try:
                    chosen[name] = examples.asked(ask, sql)
                except HarnessError as error:
                    failed[name] = error.what
    except HarnessError as error:
        failed = dict.fromkeys([*queries, *EXAMPLES], error.what)
    return tables, chosen, failed


def _rows(table: QueryResult) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        {name: _plain(value) for name, value in zip(table.columns, row, strict=True)}
        for row in table.rows
    )


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return value
