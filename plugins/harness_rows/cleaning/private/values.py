"""A private value in a text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

KINDS = ("key", "email", "iban", "card", "phone", "ip")
"""All kinds; where two finds overlap, the kind that stands first here counts."""
DEFAULT = ("key", "email", "iban", "card", "phone")
"""Kinds that are looked for unless others are asked for: versions look like IP addresses."""
SHOWN = 2
"""Characters at each end of a value that a listing shows."""
LEAST_SHOWN = 10
"""Characters from which a value shows its ends."""


@dataclass(frozen=True, slots=True)
class PrivateSpan:
    """A value that stands in a text.

    Attributes:
        kind: of :data:`KINDS`.
        start, end: where it stands, in characters.
        same: equal for two writings of one value (a number with and without blanks).
        what: for people: the service of a key, the network of a card; empty where there is none.
    """

    kind: str
    start: int
    end: int
    same: str
    what: str = ""


# Writings of a blank, a hyphen and full-width signs, each by one character, so that places stay.
_PLAIN = {
    **dict.fromkeys((0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " "),
    **dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-"),
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
}


def plainly_written(text: str) -> str:
    """The text with plain blanks, hyphens and signs, each character where it was."""
    return text if text.isascii() else text.translate(_PLAIN)


Finder = Callable[[str], Iterator[PrivateSpan]]


def masked(value: str) -> str:
    """What a listing may show of a value: two characters at each end of a long one, else none."""
    if len(value) < LEAST_SHOWN:
        return "…"
    return f"{value[:SHOWN]}…{value[-SHOWN:]}"
