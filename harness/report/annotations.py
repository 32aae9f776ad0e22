"""What is said of a run's answers from outside: asked of every installed annotation plugin."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.config.plugin_entries import PluginEntry
from harness.database.columns import Layout, layout
from harness.database.tables import TABLES
from harness.database.views import VIEWS
from harness.errors import PluginError
from harness.kit.text import one_line
from harness.registry import Registry
from harness.report.annotators import digests, installed
from harness.report.queries import QUERIES, Query
from harness.run.run import Run
from harness.stages import Annotated, AnnotatedRun, Annotations
from harness.stats import decision
from harness.steps.history import History

Rows = Sequence[Mapping[str, Any]]
MOST_NOTES = 100
"""Notes of one plugin."""
MOST = 1_000_000
"""Rows of one table, beyond which it is taken for one that does not end."""


@dataclass(slots=True)
class RunAnnotations:
    """All that was said of a run's answers.

    Attributes:
        digests: plugin -> digest of what it has read; without those that read nothing.
        tables: table of the database -> its layout and rows.
        queries: table of the analysis -> its query.
        notes: what a reader of reports has to know.
        names_errors: whether kinds of errors are among what was said.
    """

    digests: dict[str, str] = field(default_factory=dict)
    tables: dict[str, tuple[Layout, Rows]] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    names_errors: bool = False


def collect(run: Run, history: History, registry: Registry) -> RunAnnotations:
    """What all plugins say of the run's answers; one that fails is named, and harms no other."""
    entries, failed = installed(registry)
    result = RunAnnotations(notes=[_left_out(name, error) for name, error in failed])

    # First of all: what is added from now on makes the digest that of an older state.
    result.digests.update(digests(entries, run.name, run.root))
    annotated = AnnotatedRun(
        run.name, run.root, decision.level(run.config.settings.rounds),
        lambda: history.answer_values(run.config.metrics),
    )  # fmt: skip
    for entry in entries:
        try:
            with run.guard("report", entry):
                collected = entry.instance.collect(annotated)
            if not isinstance(collected, Annotated):
                raise PluginError("collect() is no harness.Annotated", hint="correct the plugin")
            layouts, queries = _declared(entry, result)
            result.tables |= _rows(layouts, collected.tables)
            result.queries |= queries
            result.notes += itertools.islice(collected.notes, MOST_NOTES)
            result.names_errors = result.names_errors or collected.names_errors
        except PluginError as error:
            run.log.error("annotations %s failed", entry.name, exc_info=error)
            result.notes.append(_left_out(entry.name, error))
    return result


def _left_out(name: str, error: PluginError) -> str:
    return f"the annotations of '{name}' are left out: {one_line(error.what)}"


def _declared(
    entry: PluginEntry, taken: RunAnnotations
) -> tuple[dict[str, Layout], dict[str, Query]]:
    """The plugin's own tables and queries.

    Raises:
        PluginError: a name is taken, or a layout cannot be read.
    """
    plugin: Annotations = entry.instance
    for name in (*plugin.tables, *plugin.queries):
        if not name.isidentifier():
            raise PluginError(f"'{one_line(name, 40)}' cannot be the name of a table")
    for name in plugin.tables:
        if name in {*TABLES, *VIEWS, *taken.tables}:
            raise PluginError(f"the table '{name}' is another's", hint="rename it")
    for name in plugin.queries:
        if name in {*QUERIES, *taken.queries}:
            raise PluginError(f"the table '{name}' of the analysis is another's", hint="rename it")
    try:
        layouts = {name: layout(*declared) for name, declared in plugin.tables.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PluginError(f"`tables` cannot be read: {error}", hint="correct the plugin") from None
    return layouts, {name: Query(*query) for name, query in plugin.queries.items()}


def _rows(
    layouts: Mapping[str, Layout], collected: Mapping[str, Rows]
) -> dict[str, tuple[Layout, Rows]]:
    """The rows of each table, tried out: what the database cannot hold is the plugin's fault."""
    if not isinstance(collected, Mapping):
        raise PluginError("the tables of collect() are no mapping", hint="correct the plugin")
    if unknown := sorted({*map(str, collected)} - {*layouts}):
        raise PluginError(f"collect() gives a table '{one_line(unknown[0], 40)}' without layout")
    tables = {name: list(itertools.islice(rows, MOST + 1)) for name, rows in collected.items()}
    for name, rows in tables.items():
        if len(rows) > MOST:
            raise PluginError(
                f"'{name}' has more than {MOST:,} rows, where a table is due that ends"
            )
        try:
            layouts[name].block(rows)
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            reason = one_line(f"{type(error).__name__}: {error}", 120)
            raise PluginError(f"rows of '{name}' do not fit its columns: {reason}") from None
    return {name: (table, tables.get(name, ())) for name, table in layouts.items()}
