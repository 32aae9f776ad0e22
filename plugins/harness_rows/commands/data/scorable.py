"""Rows that a metric cannot score, whatever is answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import harness
from harness import Example, MetricEntry, Report
from harness_rows.commands.data.findings import Finding, counted, on_rows
from harness_rows.commands.data.opening import OpenedRows
from harness_rows.initial.fields import tests_in

REASONS = 6
"""Reasons that are named for a metric."""
TESTS = "tests"
"""What the field is called in which `executes` looks for tests."""


def findings(data: OpenedRows, begin: Callable[[str], Report]) -> Iterator[Finding]:
    """What the metrics of the config say of its rows; of a file, what tests of programs are."""
    by_id = {row.id: row for row in data.rows}
    for entry in data.config.metrics if data.config else _of_file(data):
        rows = data.rows if data.config else _with_unused(data, entry.fields())
        try:
            unscorable = entry.unscorable(rows, begin(f"asking {entry.name}"))
        except harness.EnvironmentFailure as error:
            what = f"whether {entry.name} can score these rows was not looked at: {error.what}"
            yield Finding("note", "not-asked", what, hint=error.hint)
            continue
        reasons = sorted(unscorable.items(), key=lambda reason: -len(reason[1]))
        if len(reasons) > REASONS:
            others = [name for _, ids in reasons[REASONS - 1 :] for name in ids]
            more = f"of {len(reasons) - REASONS + 1:,} other reasons"
            reasons = [*reasons[: REASONS - 1], (more, others)]
        for why, ids in reasons:
            of = [by_id[name] for name in ids if name in by_id]
            get = counted(len(of), "gets", "get")
            what = f"{get} no score by {entry.name}, whatever is answered: {why}"
            hint = f"mend these rows, or drop them (harness docs {entry.metric.name})"
            yield on_rows("problem", "unscorable", what, of, hint)


def _of_file(data: OpenedRows) -> Sequence[MetricEntry]:
    """The metric that runs tests, where the rows have some."""
    unused = data.reading.unused if data.reading else ()
    facts = [row.meta for row in data.rows]
    if TESTS in unused or any(TESTS in fact for fact in facts):
        column = TESTS
    else:
        records = data.reading.records if data.reading else ()
        column = tests_in(records, unused) or tests_in(facts, facts[0])
    return harness.make_metrics({"executes": {"tests": column}}) if column else []


def _with_unused(data: OpenedRows, nested: Sequence[str]) -> Sequence[Example]:
    """The rows, with the columns that play no part as facts, as a config could name them."""
    if data.reading is None or len(data.reading.records) != len(data.rows):
        return data.rows
    return [
        replace(row, meta={**_facts(record, data.reading.unused, nested), **row.meta})
        for row, record in zip(data.rows, data.reading.records, strict=True)
    ]


def _facts(
    record: Mapping[str, Any], names: Sequence[str], nested: Sequence[str]
) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for name in names:
        value = record.get(name)
        if isinstance(value, (list, dict)):
            if name in nested:
                facts[name] = json.dumps(value, default=str)
        else:
            facts[name] = value
    return facts
