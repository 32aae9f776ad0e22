"""Values as YAML that reads back as the same values, in flow style, whatever texts hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_PLAIN = re.compile(r"(\.{1,2}/)*[A-Za-z_][\w./-]*( [\w./-]+)*", re.ASCII)
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_NAMED = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


def value(of: object) -> str:
    """A text, number, list or mapping, on one line."""
    if isinstance(of, str):
        return text(of)
    if isinstance(of, float):
        return f"{of:g}".replace("0.", ".", 1) if 0 < of < 1 else f"{of:g}"
    if isinstance(of, Mapping):
        inner = (f"{text(str(key))}: {value(item)}" for key, item in of.items())
        return "{" + ", ".join(inner) + "}"
    if isinstance(of, Sequence):
        return "[" + ", ".join(map(value, of)) + "]"
    return str(of)


def text(of: str) -> str:
    """A text: as it is where nobody can take it for anything else, else in double quotes."""
    if _PLAIN.fullmatch(of) and of.casefold() not in _RESERVED:
        return of
    return '"' + "".join(map(_escaped, of)) + '"'


def _escaped(letter: str) -> str:
    if letter in _NAMED:
        return _NAMED[letter]
    if letter.isprintable():
        return letter
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"
