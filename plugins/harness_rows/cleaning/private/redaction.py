"""Private values replaced by tokens: the same value by the same token, wherever it stands.

A token is ``<EMAIL_1>``: the kind, and the number of the value among those of its kind in the order
in which they are met. Tokens that are in the data already are left as they are, nothing is found
across one, and new numbers begin behind theirs. Each text is searched again until nothing is found,
so redacting a second time changes nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from harness_rows.cleaning.private.finding import Finders
from harness_rows.cleaning.private.values import KINDS, PrivateSpan, masked

TOKEN = re.compile(rf"<({'|'.join(kind.upper() for kind in KINDS)})_(\d{{1,9}})>")
LISTED = 5
"""Places that are kept of each value."""


@dataclass(slots=True)
class Value:
    """A private value and where it stood.

    Attributes:
        shown: what may be shown of it.
        times: how often it stood somewhere.
        places: the first of these, in words.
    """

    kind: str
    token: str
    shown: str
    what: str
    times: int = 0
    places: list[str] = field(default_factory=list)


def has_bytes(value: Any) -> bool:
    """Whether bytes are in it: nothing is found in these."""
    if isinstance(value, Mapping):
        return any(map(has_bytes, value.values()))
    if isinstance(value, list | tuple):
        return any(map(has_bytes, value))
    return isinstance(value, bytes | bytearray)


class Redaction:
    """Replaces values and remembers them."""

    def __init__(self, finders: Finders) -> None:
        self._finders = finders
        self._values: dict[tuple[str, str], Value] = {}
        self._numbers: Counter[str] = Counter()

    @property
    def values(self) -> list[Value]:
        """All values, by kind, then in the order in which they were met."""
        return sorted(self._values.values(), key=lambda value: KINDS.index(value.kind))

    def reserve(self, value: Any) -> None:
        """Give no number that a token in this value (a text, or texts in lists and mappings) has.

        To be called with all data before the first is redacted.
        """
        if isinstance(value, str):
            for match in TOKEN.finditer(value):
                kind, number = match[1].lower(), int(match[2])
                self._numbers[kind] = max(self._numbers[kind], number)
        elif isinstance(value, Mapping):
            for key, item in value.items():
                self.reserve(key)
                self.reserve(item)
        elif isinstance(value, list | tuple):
            for item in value:
                self.reserve(item)

    def record(self, record: Mapping[str, Any], place: str) -> dict[str, Any]:
        """A row's columns, each value redacted; the names of columns stay."""
        return {name: self.value(value, f"{place} {name}") for name, value in record.items()}

    def value(self, value: Any, place: str) -> Any:
        """A value with all texts in it redacted, keys of mappings, too.

        A whole number becomes a text where its digits would be replaced in one.
        """
        if isinstance(value, str):
            return self.text(value, place)
        if isinstance(value, Mapping):
            names = self._names(list(value), place)
            items = (self.value(item, f"{place}.{key}") for key, item in value.items())
            return dict(zip(names, items, strict=True))
        if isinstance(value, list | tuple):
            return [self.value(item, f"{place}[{at}]") for at, item in enumerate(value)]
        if isinstance(value, float) and value.is_integer():
            return self._number(value, str(int(value)), place)
        if isinstance(value, int) and not isinstance(value, bool):
            return self._number(value, str(value), place)
        return value

    def _number(self, value: float, digits: str, place: str) -> Any:
        text = self.text(digits, place)
        return value if text == digits else text

    def _names(self, keys: Sequence[Any], place: str) -> list[Any]:
        """The keys of a mapping, redacted; those that would be one get a number behind it."""
        names = [self.value(key, place) for key in keys]
        taken = {key for key, name in zip(keys, names, strict=True) if key == name}
        redacted = []
        for key, name in zip(keys, names, strict=True):
            free = (f"{name} ({number})" for number in count(2))
            if key != name:
                name = name if name not in taken else next(n for n in free if n not in taken)
                taken.add(name)
            redacted.append(name)
        return redacted

    def text(self, text: str, place: str) -> str:
        """The text with a token for every private value in it."""
        before = None
        while text != before:
            before, text = text, self._once(text, place)
        return text

    def _once(self, text: str, place: str) -> str:
        parts, at = [], 0
        for token in TOKEN.finditer(text) if "<" in text else ():
            parts += [self._replaced(text[at : token.start()], place), token[0]]
            at = token.end()
        return "".join([*parts, self._replaced(text[at:], place)])

    def _replaced(self, piece: str, place: str) -> str:
        spans = self._finders.find(piece)
        if not spans:
            return piece
        parts, at = [], 0
        for span in spans:
            token = self._token(span, piece[span.start : span.end], place)
            parts += [piece[at : span.start], token]
            at = span.end
        return "".join([*parts, piece[at:]])

    def _token(self, span: PrivateSpan, written: str, place: str) -> str:
        value = self._values.get((span.kind, span.same))
        if value is None:
            self._numbers[span.kind] += 1
            token = f"<{span.kind.upper()}_{self._numbers[span.kind]}>"
            value = Value(span.kind, token, masked(written), span.what)
            self._values[span.kind, span.same] = value
        value.times += 1
        if len(value.places) < LISTED:
            # A key of a mapping may itself be private.
            value.places.append(TOKEN.sub("…", self._safe(place)))
        return value.token

    def _safe(self, place: str) -> str:
        for span in reversed(self._finders.find(place)):
            place = place[: span.start] + "…" + place[span.end :]
        return place
