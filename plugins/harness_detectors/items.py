"""Lists of which an answer gives a part: two of three things that were asked for."""

from __future__ import annotations

import re

from harness_detectors.formats import kind_of
from harness_detectors.reading import Reading, shown, words

LEAST_ITEMS = 3
"""Items of an enumeration in a line; two lines with a mark are a list."""
MOST_WORDS = 4
"""Words of an item in a line; of a line of a list twice as many."""

LONGEST_LINE = 1_000
"""Characters of an enumeration in a line."""

_MARK = re.compile(r"^[ \t]*(?:\d{1,3}[.)]|[-*•‣–])[ \t]+(\S.*)$", re.MULTILINE)
_LEAD = re.compile(r"^[^:\n]{1,60}:\s+")
_COMMA = re.compile(r"[,;](?:\s+|$)|[、،]\s*")
_LAST = re.compile(r"\s*[,;]?\s+(?:and|or|und|oder|et|ou|y)\s+")
_EMPTY = frozenset(
    str.split(
        "a an the of to in on at by for from with and or your their its some any my our "
        "der die das den dem ein eine einen le la les l un une des du el los las una de"
    )
)
# Words by which a line is a sentence and no bare enumeration.
_SENTENCE = frozenset(
    str.split(
        "is are was were be been am has have had can could will would may might must shall should "
        "do does did it you we they he she i this that these those there who which "
        "ist sind war hat haben kann wird es sie wir est sont a ont es son está hay"
    )
) - {"a"}


def missing_item(reading: Reading) -> str:
    """Items of the first reference's list that are not in an answer that has others, or ''.

    Every reference has to be a list of which something is missing.
    """
    answered = _plain(reading.text)
    evidence = ""
    for text in reading.references:
        listed = items(text)
        lacking = [item for item in listed if not _plain(item) <= answered]
        if not 0 < len(lacking) < len(listed):
            return ""
        evidence = evidence or f"without {shown(lacking)}"
    return evidence


def items(text: str) -> list[str]:
    """The items of a text that is a list, in lines or in one line and nothing else, or none."""
    if kind_of(text) == "a list":
        listed, most = _MARK.findall(text), 2 * MOST_WORDS
    elif len(text) <= LONGEST_LINE and "\n" not in text.strip() and kind_of(text) == "plain text":
        plain = _LEAD.sub("", text.strip().rstrip(".!"))
        listed, most = _in_a_line(plain), MOST_WORDS
        if len(listed) < LEAST_ITEMS or _SENTENCE & set(words(plain)):
            return []
    else:
        return []
    usable = all(0 < len(words(item)) <= most and _plain(item) for item in listed)
    return listed if len(listed) > 1 and usable else []


def _in_a_line(text: str) -> list[str]:
    """``a, b and c`` in pieces; an "and" before the last comma makes it a sentence, and none."""
    *first, last = _COMMA.split(text)
    if any(_LAST.search(piece) for piece in first):
        return []
    return [piece for piece in (*first, *_LAST.split(f" {last}")) if piece.strip()]


def _plain(text: str) -> set[str]:
    """Telling words, singular and plural alike."""
    return {word.rstrip("s") or word for word in words(text) if word not in _EMPTY}
