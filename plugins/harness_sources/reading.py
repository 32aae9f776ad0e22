"""Many Python files read one after the other; those that cannot be parsed are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import harness
from harness_sources.python_files import PythonFile

_Read = TypeVar("_Read")


def each(
    files: Sequence[PythonFile],
    read: Callable[[PythonFile], Sequence[_Read]],
    context: harness.Context,
) -> Iterator[_Read]:
    """What ``read`` finds in each file; notes ``unreadable_files`` if there are any."""
    unread = 0
    for at, file in enumerate(files):
        try:
            yield from read(file)
        except (ValueError, SyntaxError, RecursionError, MemoryError, OSError):
            # Templates and files for other versions of Python; a parser that meets too deep
            # a nesting says MemoryError or RecursionError.
            unread += 1
        if at % 50 == 0:
            context.progress(at, len(files), "reading Python files")
    if unread:
        context.note(unreadable_files=unread)
        context.log.info("%d of %d Python files cannot be parsed", unread, len(files))
