"""A secret taken out of what others say, however JSON may write it."""

from __future__ import annotations

import re
from typing import Any

SHORTEST = 8
"""Letters from which a text is a secret. Shorter ones are made up for servers that want any, and
may be a word of a reply."""
TAKEN_OUT = "[the key]"
_DEEPEST = 16
"""Backslashes before a letter: JSON in a text of JSON doubles them each time."""


class Mask:
    """Puts :data:`TAKEN_OUT` in the place of a secret of printable ASCII."""

    def __init__(self, secret: str) -> None:
        self._secret = secret if len(secret) >= SHORTEST else ""
        self._pattern = re.compile("".join(map(_letter, self._secret)))

    def text(self, text: str) -> str:
        """A text without the secret: as it is, or with letters of it as JSON escapes."""
        if not self._secret:
            return text
        text = text.replace(self._secret, TAKEN_OUT)
        return self._pattern.sub(TAKEN_OUT, text) if "\\" in text else text

    def value(self, value: Any) -> Any:
        """A JSON value that was read, with the secret in none of its texts and names.

        Raises:
            RecursionError: it is nested too deep.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [*map(self.value, value)]
        if isinstance(value, dict):
            return {self.text(name): self.value(inner) for name, inner in value.items()}
        return value


def _letter(letter: str) -> str:
    """A letter in a text that holds JSON: itself, or escaped, by one backslash or by several."""
    escapes = rf"\\{{1,{_DEEPEST}}}u00(?i:{ord(letter):02x})"
    return rf"(?:{escapes}|\\{{0,{_DEEPEST}}}{re.escape(letter)})"
