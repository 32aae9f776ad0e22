"""What a probe hands over, and what a generator says of its texts, checked where it enters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harness.boundary.record_checks import number, short, whole
from harness.boundary.results import example
from harness.errors import PluginError
from harness.kit.text import given
from harness.records import Example

MOST = 5_000
"""Texts, instructions or rows of one probe, beyond which it is taken for one that does not end."""

Loss = tuple[float | None, int]
"""Sum of the negative log likelihood over a text's predicted tokens, None where that is no finite
number; and the number of these tokens."""


def texts(values: Any) -> Iterator[tuple[str, str]]:
    """The texts of a probe, each with the name of its group; empty where it has none."""
    due = "where a text is due, or a text and the name of its group"
    for place, value in _each(values, "texts()", "texts"):
        pair = (value, "") if isinstance(value, str) else value
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise _wrong(f"texts(): text {place} is {given(value)}, {due}")
        for part in pair:
            if not isinstance(part, str):
                raise _wrong(f"texts(): text {place} has {given(part)}, {due}")
        yield pair[0], pair[1]


def instructions(values: Any) -> Iterator[Example]:
    """The instructions of a probe, each with an id of its own."""
    return _examples(values, "instructions()")


def rows(values: Any) -> Iterator[Example]:
    """The general rows of a probe, each with an id of its own and with a reference."""
    for row in _examples(values, "rows()"):
        if not row.references:
            raise _wrong(f"rows(): '{short(row.id)}' has no reference, so nothing can be learned")
        yield row


def right(value: Any, name: str) -> bool:
    """What a probe says of an answer."""
    if not isinstance(value, bool):
        raise _wrong(f"right() for '{short(name)}' is {given(value)}, where True or False is due")
    return value


def losses(values: Any, count: int) -> Iterator[Loss]:
    """What a generator says of so many texts."""
    found = 0
    for place, value in _each(values, "losses()", "(loss, tokens)"):
        found = place
        if found > count:
            break
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            raise _wrong(f"losses(): text {place} has {given(value)}, where (loss, tokens) is due")
        loss, tokens = value
        # A loss that is no finite number is what it says of a model that is broken.
        broken = isinstance(loss, float) and not math.isfinite(loss)
        flaw = (None if broken else number(loss)) or whole(tokens)
        if flaw is not None or tokens < 0:
            raise _wrong(f"losses(): text {place} has {given(loss)} and {given(tokens)}, where "
                         "a number and a count of tokens are due")  # fmt: skip
        yield None if broken else float(loss), tokens
    if found != count:
        raise _wrong(f"losses() gives {min(found, count + 1)} results for {count} texts")


def _examples(values: Any, call: str) -> Iterator[Example]:
    names: set[str] = set()
    for place, value in _each(values, call, "harness.Example"):
        row = example(value, f"{call}: row {place}")
        if row.id in names:
            raise _wrong(f"{call}: the id '{short(row.id)}' is there twice")
        names.add(row.id)
        yield row


def _each(values: Any, call: str, kind: str) -> Iterator[tuple[int, Any]]:
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise _wrong(f"{call} is {given(values)}, where an iterable of {kind} is due")
    for place, value in enumerate(values, start=1):
        if place > MOST:
            raise _wrong(f"{call} gives more than {MOST:,} of them")
        yield place, value


def _wrong(what: str) -> PluginError:
    return PluginError(what, hint="correct the plugin")
