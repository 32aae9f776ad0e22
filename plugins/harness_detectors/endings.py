"""Answers that stop in the middle of a sentence although no limit ended them."""

from __future__ import annotations

import re

from harness_detectors.formats import kind_of
from harness_detectors.reading import Reading

LEAST_WORDS = 3
"""Words of the last piece, where an earlier sentence shows that sentences end with a mark."""
EARLIER_WORDS = 4
"""Words of an earlier sentence; "e.g. Berlin" is none."""
TAIL = 40
"""Characters of the end in which a closing mark is looked for."""
_SPAN = 60

_CLOSED = re.compile(r"[.!?…。！？؟।:;][\"'”’»)\]*_`]*$")
_OPEN = re.compile(r"(?:[,(\[{«“‘–—]|\s-)$")
# The end of an earlier sentence: a capital follows, or the script has none.
_ENDS = re.compile(r"[.!?…][\"'”’)\]]{0,3}\s+(?=[^\Wa-zß-ÿ])|[。！？]")
_LAST = re.compile(r"(?:[.!?…][\"'”’)\]]*\s+|[。！？\n])(?=[^.!?…。！？\n]*$)")
# Words that no sentence ends with, in any of the languages. "for", "in" and "that" are not among
# them ("what it is for"), nor "die", "den" and "y" ("x = y").
_NEVER_LAST = frozenset(
    str.split(
        """
        a an the of and or but because than your their its my our into if unless whether
        der das dem des ein eine einem einen und oder weil dass von mit für zum zur
        le les du des un une et ou mais parce avec dans leur
        el los las una pero porque del al
        """
    )
)


def unfinished(reading: Reading) -> str:
    """The end of an answer that breaks off, or ''.

    It breaks off at a word that no sentence ends with, or within brackets or after a comma; or
    without a mark, where its earlier sentences and every reference have one at their end.
    """
    text = reading.text.rstrip()
    if reading.cut or not reading.references or _is_closed(text):
        return ""
    if "\n" in text.strip() and kind_of(reading.text) != "plain text":
        return ""
    if kind_of(reading.text) in ("code", "JSON") or any(map(_breaks_off, reading.references)):
        return ""
    marked = all(map(_is_closed, reading.references))
    if _breaks_off(text) or (marked and _has_sentences(text) and _runs_on(text)):
        return f"… {text[-_SPAN:]}"
    return ""


def _is_closed(text: str) -> bool:
    return bool(_CLOSED.search(text.rstrip()[-TAIL:]))


def _has_sentences(text: str) -> bool:
    place = 0
    for end in _ENDS.finditer(text):
        if len(text[place : end.start()].split()) >= EARLIER_WORDS or end[0] in "。！？":
            return True
        place = end.end()
    return False


def _breaks_off(text: str) -> bool:
    text = text.rstrip()
    if _OPEN.search(text):
        return True
    words = text.rsplit(None, 1)
    return len(words) == 2 and words[1] == words[1].casefold() and words[1] in _NEVER_LAST


def _runs_on(text: str) -> bool:
    """Whether the last piece is some words without a mark, and no title, name or number."""
    last = _LAST.search(text)
    piece = text[last.end() :].split() if last else []
    return len(piece) >= LEAST_WORDS and piece[-1].isalpha() and piece[-1].islower()
