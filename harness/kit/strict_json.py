"""JSON as its standard has it: :mod:`json` accepts more than any other program would read."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

# Escaped halves of a surrogate pair; whole pairs match as well, so a match is only a doubt.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class Fault(ValueError):
    """Why a text is no JSON that can be used.

    Attributes:
        reason: without the place.
        column: from 1, where one is known: of characters, or of bytes that are no UTF-8.
    """

    def __init__(self, reason: str, column: int | None = None, place: str = "") -> None:
        super().__init__(reason + place)
        self.reason, self.column = reason, column


def parse(raw: bytes, decoder: json.JSONDecoder | None = None) -> Any:
    """The value of a JSON text in UTF-8.

    Args:
        decoder: one that takes more, instead of :data:`DECODER`.

    Raises:
        Fault: no UTF-8, no JSON, a key given twice, NaN or Infinity, a number too great for a
            float, half of a surrogate pair, or nested deeper than Python can follow.
    """
    try:
        text = raw.decode("utf-8")
        value = (decoder or DECODER).decode(text)
        check_pairs(value, text)
    except Fault:
        raise
    except UnicodeDecodeError as error:
        raise _not_utf8(error) from None
    except json.JSONDecodeError as error:
        at = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno}"
        reason = f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise Fault(reason, error.colno, f" (at {at})") from None
    except RecursionError:
        raise Fault("nested too deeply") from None
    except ValueError:
        raise Fault("a whole number with too many digits") from None
    return value


def check_pairs(value: Any, text: str) -> None:
    """Raise a :class:`Fault` where a value that was read from a text has half a surrogate pair."""
    if not _SURROGATE.search(text):
        return
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise Fault("half of a surrogate pair (a broken \\u escape)") from None


def not_utf8(error: UnicodeDecodeError) -> str:
    """What is wrong with bytes that are no UTF-8; positions count from 1."""
    return str(_not_utf8(error))


def _not_utf8(error: UnicodeDecodeError) -> Fault:
    place = error.start + 1
    reason = f"not UTF-8: byte 0x{error.object[error.start]:02x}"
    return Fault(reason, place, f" at position {place}")


def _unique(items: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(items)
    if len(unique) < len(items):
        seen: set[str] = set()
        twice = next(key for key, _ in items if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Fault(f"the key {json.dumps(twice)} is given twice")
    return unique


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise Fault(f"the number {digits[:30]} is too great for a float")
    return value


def _constant(name: str) -> NoReturn:
    raise Fault(f"{name} is not JSON: only texts, numbers, true, false and null are")


DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_constant)
"""Refuses what JSON has not; a :class:`Fault` where it is not merely bad syntax."""
