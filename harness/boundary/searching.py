"""What a searcher hands over, checked: the values that a key may get, and those of a trial."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.boundary.record_checks import given, number, short
from harness.errors import PluginError
from harness.records.searching import SHARES

LONGEST = 200
"""Values that a searcher names of one key; a range is told by its ends."""


def space(values: Any) -> dict[str, tuple[Any, ...]]:
    """Dotted key -> values that it may get."""
    if not isinstance(values, Mapping) or not values:
        raise _wrong(f"space() is {given(values)}, where a mapping of keys to values is due")
    found = {}
    for key, several in values.items():
        listed = isinstance(several, Sequence) and not isinstance(several, str)
        if not isinstance(key, str) or not listed:
            raise _wrong(f"space() has {given(several)} under {given(key)}, not a list of values")
        if len(several) > LONGEST:
            raise _wrong(f"space() names {len(several)} values of '{short(key)}', over {LONGEST}")
        found[key] = tuple(_plain(one, f"space(): '{short(key)}'") for one in several)
    return found


def proposal(values: Any, allowed: Mapping[str, Sequence[Any]]) -> dict[str, Any] | None:
    """The values of a trial; None where nothing is left to try.

    Args:
        allowed: what :func:`space` gave. Two numbers are the ends of a range, of whole numbers
            where both are whole; of anything else a value is one of the list.
    """
    if values is None:
        return None
    if not isinstance(values, Mapping) or set(values) != set(allowed):
        raise _wrong(f"propose() is {given(values)}, where a value of each key of space() is due")
    found = {key: _plain(values[key], f"propose(): '{short(key)}'") for key in allowed}
    for key, value in found.items():
        if not _lies_in(value, allowed[key]):
            due = _in_words(allowed[key])
            raise _wrong(f"propose(): '{short(key)}' is {given(value)}, where {due} is due")
    return found


def _lies_in(value: Any, allowed: Sequence[Any]) -> bool:
    if any(type(one) is type(value) and one == value for one in allowed):
        return True
    if not _is_range(allowed) or number(value) is not None:
        return False
    whole = all(isinstance(one, int) for one in allowed)
    return bool(min(allowed) <= value <= max(allowed) and (value == int(value) or not whole))


def _is_range(allowed: Sequence[Any]) -> bool:
    return len(allowed) == 2 and all(number(one) is None for one in allowed)


def _in_words(allowed: Sequence[Any]) -> str:
    if _is_range(allowed):
        return f"a number from {min(allowed)} to {max(allowed)}"
    return f"one of the {len(allowed)} values that space() names"


def hopeless(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(f"hopeless() is {given(value)}, where True or False is due")
    return value


def limits(values: Any) -> tuple[float | None, ...]:
    """Losses above which a trial ends, one for each share of its training."""
    due = f"at most {len(SHARES)} of numbers and None"
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) > len(SHARES):
        raise _wrong(f"limits() is {given(values)}, where a sequence of {due} is due")
    for one in values:
        if one is not None and number(one) is not None:
            raise _wrong(f"limits() has {given(one)}, where {due} are due")
    lacking = (None,) * (len(SHARES) - len(values))
    return (*(None if one is None else float(one) for one in values), *lacking)


def _plain(value: Any, what: str) -> Any:
    """A value as JSON holds it."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise _wrong(f"{what} is {given(value)}, which JSON cannot hold") from None


def _wrong(what: str) -> PluginError:
    return PluginError(what, hint="correct the plugin")
