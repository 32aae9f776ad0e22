"""Where an answer leaves its reference, word by word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal

Kind = Literal["same", "missing", "extra"]

MOST_WORDS = 600
"""Words of each text that are compared: the time grows with their product."""
MOST_CHARACTERS = 20_000

# Chinese characters and kana are words of their own, ASCII punctuation parts from its word (but
# for apostrophe and underscore); each with the white space behind it, so that lines stay lines.
_CHARACTERS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_SIGNS = r"!-&(-/:-@\[-^`{-~"
_WORD = re.compile(rf"(?:[{_CHARACTERS}]|[{_SIGNS}]|[^\s{_SIGNS}{_CHARACTERS}]+)\s*|^\s+")


def differences(reference: str, answer: str) -> list[tuple[Kind, str]]:
    """The answer in pieces, with what it lacks of the reference put where it is missing.

    The pieces that are ``same`` or ``extra`` are the answer, character by character; those that
    are ``missing`` stand in the reference alone. Only the first 600 words of each are compared.
    """
    wanted, said = _words(reference), _words(answer)
    matcher = SequenceMatcher(None, [w.strip() for w in wanted], [w.strip() for w in said], False)
    found: list[tuple[Kind, str]] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            found.append(("same", "".join(said[c:d])))
            continue
        pieces: list[tuple[Kind, list[str]]] = [("missing", wanted[a:b]), ("extra", said[c:d])]
        found += [(name, "".join(piece)) for name, piece in pieces if piece]
    return found


def closest(references: Sequence[str], answer: str) -> str:
    """The reference that shares the greatest part of its words with the answer; else the first."""
    if len(references) < 2:
        return references[0] if references else ""
    said = _bare(answer)

    def likeness(text: str) -> float:
        wanted = _bare(text)
        return 2 * len(said & wanted) / (len(said) + len(wanted) or 1)

    return max(references, key=likeness)


def _words(text: str) -> list[str]:
    return _WORD.findall(text[:MOST_CHARACTERS])[:MOST_WORDS]


def _bare(text: str) -> set[str]:
    return {word.strip().casefold() for word in _words(text)}
