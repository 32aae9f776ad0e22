"""Answers and references that a program hands over, as tables of a file are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import DataError
from harness.kit.text import given as told
from harness_score.fields import Row
from harness_score.tables import Table


def table(given: Any, name: str, read: Callable[[str], Table], *, several: bool = False) -> Table:
    """The rows of a file, of a list of texts, or of texts by id.

    Args:
        name: what messages call it, where it is no file.
        read: takes the path of a file.
        several: whether a row may have no text, or more than one.

    Raises:
        DataError: something else was handed over, or nothing.
    """
    if isinstance(given, (str, Path)):
        return read(str(given))
    if isinstance(given, Mapping):
        rows = [_row(key, value, f"{name}[{key!r}]", several) for key, value in given.items()]
    elif isinstance(given, Sequence):
        rows = [_row(None, value, f"{name}[{n}]", several) for n, value in enumerate(given)]
    else:
        what = f"a path, a list of texts or texts by id is needed, not {told(given)}"
        raise DataError(what, where=name)
    if not rows:
        raise DataError("no rows at all", where=name, hint="a text for each example is needed")
    return Table(name, tuple(rows))


def _row(key: Any, value: Any, place: str, several: bool) -> Row:
    texts = (value,) if isinstance(value, str) else ()
    if several and (value is None or isinstance(value, (list, tuple))):
        texts = tuple(value or ())
    elif not texts:
        due = "a text, a list of texts or None" if several else "a text"
        raise DataError(f"this is {told(value)}, not {due}", where=place)
    if wrong := [text for text in texts if not isinstance(text, str)]:
        raise DataError(f"this is {told(wrong[0])}, not a text", where=place)
    return Row(None if key is None else str(key), texts, {}, place)
