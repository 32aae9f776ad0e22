"""The rows of a source, read outside of a run or within one: checked, counted, and in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from harness.boundary.calls import aloud, plainly
from harness.config.plugin_entries import PluginEntry
from harness.records import Example
from harness.records.context import Context
from harness.stages.source import rows_of as rows_of_source

EVERY = 100_000
"""Rows after which it is said how many there are, for a source that does not end."""


def rows_of(
    entry: PluginEntry, say: Callable[[str], None] = aloud, context: Context | None = None
) -> list[Example]:
    """All rows of a source, outside of a run.

    Args:
        context: is given to the source; what it notes and remarks is in its ``facts``.

    Raises:
        PluginError: the source fails, or gives what is no row; it is named.
    """
    call = plainly(f"{entry.named}, data", say)
    with call:
        rows = rows_of_source(entry.instance, context or Context(output=Path("unused")))
        return list(counted(rows, entry, say, call.calls.heard))


def counted(
    rows: Iterable[Example],
    entry: PluginEntry,
    say: Callable[[str], None],
    heard: Callable[[], None],
) -> Iterator[Example]:
    """The rows; now and then it is said how many there are so far.

    Args:
        heard: is told of each row, a sign of life.
    """
    for count, row in enumerate(rows, start=1):
        heard()
        yield row
        if count % EVERY == 0:
            say(f"note: {entry.named} has given {count:,} rows so far; Ctrl-C ends it")
