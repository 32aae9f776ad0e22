"""Tells natural language from code, so that no rule meant for sentences touches a program."""

from __future__ import annotations

import re

LEAST_WORDS = 3
MOST_SYMBOLS = 0.04
LEAST_LETTERS = 0.6

_CODE = re.compile(r"```|~~~|<\w+[^>]*>|\w\(\)|\w\.\w+\(|\w\[\w*\]")
_STATEMENT = re.compile(
    r"^\s*(?:@\w|#include\b|(?:async )?def \w+ ?\(|class \w+ ?[:({]|import \w+(?:[.,;]|$)"
    r"|from [\w.]+ import\b|(?:if|elif|while|for|with|try|else|except)\b[^\n]*:\s*$"
    r"|return\b[^.?!\n]*$|(?:public|private|static|const|let|var|function|func|fn)\s+\w+"
    r"|SELECT\b.*\bFROM\b|INSERT INTO\b|[\w.\[\]]+ ?(?:[-+*/]?=) ?\S|\$ \w|>>> )",
    re.MULTILINE,
)
_SYMBOLS = re.compile(r"[{}\[\]=<>|\\^~;_@#]|->|::")
_WORD = re.compile(r"[^\W\d_]{2,}")


def is_prose(text: str) -> bool:
    """Whether a text reads as natural language, with no code in it anywhere.

    In doubt it says no: an unvaried prompt costs nothing, a broken program a wrong row.
    """
    if _CODE.search(text) or _STATEMENT.search(text):
        return False
    visible = [character for character in text if not character.isspace()]
    if len(_WORD.findall(text)) < LEAST_WORDS:
        return False
    letters = sum(character.isalpha() for character in visible)
    symbols = len(_SYMBOLS.findall(text))
    return letters >= LEAST_LETTERS * len(visible) and symbols <= MOST_SYMBOLS * len(visible)
