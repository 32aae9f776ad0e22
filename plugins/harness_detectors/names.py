"""Names: words with a capital inside a sentence, where the script has capitals.

Aside are the first word of a sentence, a line, a list item or a table's cell; "I"; single letters;
headings in Title Case and lines in CAPITALS; code; and texts in German, which gives every noun a
capital. Names are compared without case, and "Planets" is known from "planet".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness_detectors.formats import kind_of
from harness_detectors.reading import Reading, shown, without_code

# What ends a sentence: no point after an initial; a colon, unless a quotation follows.
_END = re.compile(r"(?<!\b[A-Z])[.!?…]+[\"'”’)\]]*(?=\s|$)|[。！？|\n]|:(?=\s+[^\s\"'“‘(\[])")
_LIST_MARK = re.compile(r"^[ \t]*(?:\d{1,3}[.)]|[-*•])[ \t]+", re.MULTILINE)
_WORD = re.compile(r"\w+")
_PRONOUN = re.compile(r"\bI['’](?:m|ll|ve|d)\b")
_GERMAN = frozenset(
    str.split("der die das den dem des und ist ein eine einen nicht mit zu von auf für ich sie es")
)
_TITLE_WORDS = 4


def names(text: str) -> Iterator[str]:
    """The names of a text, as they are written, in order."""
    plain = _PRONOUN.sub("i", _LIST_MARK.sub("", text))
    place = 0
    for end in _END.finditer(plain):
        yield from _names_of(_WORD.findall(plain[place : end.start()]), end[0][0] in ".!?…。！？")
        place = end.end()
    yield from _names_of(_WORD.findall(plain[place:]), False)


def _names_of(sentence: Sequence[str], full: bool) -> Sequence[str]:
    """The names among these words; a sentence that a full stop ends is no heading."""
    inner = [word for word in sentence[1:] if len(word) > 1 and not word[0].isdigit()]
    found = [word for word in inner if word[0].isupper()]
    heading = not full and len(inner) >= _TITLE_WORDS and 2 * len(found) > len(inner)
    shouted = len(inner) > 1 and all(word.isupper() for word in sentence)
    return [] if heading or shouted else found


def missing_name(reading: Reading) -> str:
    """Names of every reference that the answer does not have."""
    if any(kind_of(text) == "code" or is_german(text) for text in reading.references):
        return ""
    references = [without_code(text) for text in reading.references]
    everywhere = [set(_WORD.findall(text)) for text in references]
    said = _known(reading.text)
    missing = [
        name
        for text in references
        for name in names(text)
        if all(name in words for words in everywhere) and not _is_known(name, said)
    ]
    return f"without {shown(list(dict.fromkeys(missing)))}" if missing else ""


def invented_name(reading: Reading) -> str:
    """Names of the answer that stand neither in a reference nor in the conversation."""
    if not reading.references or kind_of(reading.text) == "code" or is_german(reading.prose):
        return ""
    known = _known(reading.conversation, *reading.references)
    new = [name for name in names(reading.prose) if not _is_known(name, known)]
    return shown(list(dict.fromkeys(new)))


def is_german(text: str) -> bool:
    """A tenth of the words, or more, are German articles, pronouns and prepositions."""
    words = _WORD.findall(text.casefold())
    hits = sum(word in _GERMAN for word in words)
    return hits >= 2 and 10 * hits >= len(words)


def _known(*texts: str) -> set[str]:
    words = {word for text in texts for word in _WORD.findall(text.casefold())}
    return words | {word.rstrip("s") for word in words}


def _is_known(name: str, known: set[str]) -> bool:
    plain = name.casefold()
    return plain in known or plain.rstrip("s") in known
