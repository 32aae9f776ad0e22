"""The stage that gives the examples: source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.boundary.results import refused, returned, short
from harness.records import (
    Example,
)
from harness.records.context import Context
from harness.stages.base import Plugin

MOST_ROWS = 5_000_000
"""Rows of a source, beyond which it is taken for one that does not end."""


class Source(Plugin):
    """Gives the examples. ``split`` is set on each; ``valid`` may be missing: the core cuts it."""

    stage = "source"

    def load(self, context: Context) -> Iterable[Example]:
        """All examples of the data set.

        Raises:
            harness.errors.DataError: something in the data cannot be used.
        """
        raise NotImplementedError


def rows_of(source: Source, context: Context) -> Iterator[Example]:
    """The rows of a source, each with turns and an id of its own.

    Raises:
        PluginError: it gives something else.
    """
    return with_ids(returned(Source.load, source.load(context), most=MOST_ROWS), "load()")


def with_ids(rows: Iterable[Example], call: str) -> Iterator[Example]:
    """The rows; each has a turn, and an id that none before it had."""
    names: set[str] = set()
    for place, row in enumerate(rows, start=1):
        if not row.messages or row.id in names:
            why = "an id that was there before" if row.messages else "no turn in its messages"
            raise refused(f"{call}: item {place} ('{short(row.id)}') has {why}")
        names.add(row.id)
        yield row
