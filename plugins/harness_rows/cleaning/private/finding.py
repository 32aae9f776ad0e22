"""All private values of a text, none overlapping another."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial

from harness_rows.cleaning.private.addresses import machines, mails
from harness_rows.cleaning.private.keys import keys
from harness_rows.cleaning.private.numbers import accounts, cards
from harness_rows.cleaning.private.phones import REGIONS, phones
from harness_rows.cleaning.private.values import (
    DEFAULT,
    KINDS,
    Finder,
    PrivateSpan,
    plainly_written,
)

LEAST_LENGTH = 4
"""Characters of the shortest text that can hold a value."""
LEAST_DIGITS = {"iban": 2, "card": 13, "phone": 7}
"""Digits of the shortest value of a kind: few texts have so many, and no others are searched."""


class Finders:
    """What is looked for.

    Args:
        kinds: of :data:`harness_rows.cleaning.private.values.KINDS`.
        regions: whose telephone numbers are known without a country code.
    """

    def __init__(self, kinds: Collection[str] = DEFAULT, regions: Sequence[str] = REGIONS) -> None:
        every: dict[str, Finder] = {
            "key": keys,
            "email": mails,
            "iban": accounts,
            "card": cards,
            "phone": partial(phones, regions=regions),
            "ip": machines,
        }
        self._finders = [(kind, every[kind]) for kind in KINDS if kind in kinds]

    def find(self, text: str) -> list[PrivateSpan]:
        """The values of a text in the order in which they stand; of two that overlap, the one
        whose kind counts first."""
        taken: list[PrivateSpan] = []
        if len(text) < LEAST_LENGTH:
            return taken
        # Not each value against each other one: a list of addresses may be long.
        covered = bytearray(len(text))
        for span in self._every(plainly_written(text)):
            if not any(covered[span.start : span.end]):
                covered[span.start : span.end] = b"\1" * (span.end - span.start)
                taken.append(span)
        return sorted(taken, key=lambda span: span.start)

    def _every(self, text: str) -> Iterator[PrivateSpan]:
        digits = sum(map(text.count, "0123456789")) if text.isascii() else LEAST_DIGITS["card"]
        for kind, finder in self._finders:
            if digits >= LEAST_DIGITS.get(kind, 0):
                yield from finder(text)
