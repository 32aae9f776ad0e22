"""Names: words with a capital inside a sentence, where the script has capitals.

Aside are the first word of a sentence, a line, a list item or a table's cell; "I"; single letters;
headings in Title Case and lines in CAPITALS; code; and texts in German, which gives every noun a
capital. Names are compared without case, and "Planets" is known from "planet".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

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
_PIECE = re.compile(r"[^.!?\n]+[.!?]?")
_WITHIN = frozenset(("of", "the", "de", "von", "van"))
_STEM = 4
_MOST_ALIKE = 50
_LONGEST_SHORT = 5
"""Letters of initials."""

Stems = Mapping[str, Sequence[str]]
"""First letters of words -> these words."""


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
    capitalised = [word for word in inner if word[0].isupper()]
    heading = not full and len(inner) >= _TITLE_WORDS and 2 * len(capitalised) > len(inner)
    shouted = len(inner) > 1 and all(word.isupper() for word in sentence)
    return [] if heading or shouted else capitalised


def missing_name(reading: Reading) -> str:
    """Names of every reference that the answer does not have.

    A name of which a part is there ("Melville" for "Herman Melville"), its initials, or a word of
    the same stem ("Italian" for "Italy") is there; a name in the question need not be repeated.
    """
    if any(kind_of(text) == "code" or is_german(text) for text in reading.references):
        return ""
    references = [without_code(text) for text in reading.references]
    words_of = [set(_WORD.findall(text)) for text in references]
    pieces = _PIECE.findall(without_code(reading.prompt))
    asked = _known(*(piece for piece in pieces if piece.endswith("?")))
    capitals = {word for word in _WORD.findall(reading.text) if word[0].isupper()}
    initials = {_initials(run) for run in runs(reading.text)}
    of_answer = _known(reading.text), frozenset(filter(_is_short, capitals)), by_stem(capitals)
    # Of a name of several words none is missing where a part of it is there.
    excused: set[str] = set()
    for text in references:
        for run in runs(text):
            if _has(run, *of_answer):
                excused.update(run)
    missing: dict[str, None] = {}
    for name in (name for text in references for name in names(text)):
        is_there = (
            name in excused or _has((name,), *of_answer) or (_is_short(name) and name in initials)
        )
        if all(name in words for words in words_of) and not is_there and not _is_known(name, asked):
            missing[name] = None
    return f"without {shown(list(missing))}" if missing else ""


def runs(text: str) -> Iterator[tuple[str, ...]]:
    """Capitalised words that stand side by side, the first of a sentence too."""
    run: list[str] = []
    end = 0
    for match in _WORD.finditer(text):
        apart = text[end : match.start()].strip(" \t")
        if run and (apart or not (match[0][0].isupper() or match[0] in _WITHIN)):
            yield tuple(run)
            run = []
        if match[0][0].isupper():
            run.append(match[0])
        end = match.end()
    if run:
        yield tuple(run)


def _has(run: Sequence[str], said: set[str], short: Set[str], stems: Stems) -> bool:
    """Whether a part of the name is among the words, or a name of its stem, or its initials."""
    if _initials(run) in short:
        return True
    return any(
        _is_known(part, said) or any(_same_stem(part, w) for w in stems.get(_stem(part), ()))
        for part in run if len(part) > 1
    )  # fmt: skip


def by_stem(words: Iterable[str]) -> Stems:
    """First letters -> the first few of these words, in lower case, that begin so."""
    stems: dict[str, list[str]] = {}
    for word in sorted(words):
        alike = stems.setdefault(_stem(word), [])
        if len(alike) < _MOST_ALIKE:
            alike.append(word.casefold())
    return stems


def _stem(word: str) -> str:
    return word.casefold()[:_STEM]


def _is_short(word: str) -> bool:
    return 2 <= len(word) <= _LONGEST_SHORT and word.isupper()


def _initials(run: Sequence[str]) -> str:
    return "".join(part[0] for part in run) if len(run) > 1 else ""


def _same_stem(name: str, word: str) -> bool:
    """Whether three quarters of the shorter one, and four letters, begin the other."""
    common = max(_STEM, -(-3 * min(len(name), len(word)) // 4))
    return len(word) >= common and name.casefold()[:common] == word[:common]


def invented_name(reading: Reading) -> str:
    """Names of the answer that stand neither in a reference nor in the conversation."""
    if not reading.references or kind_of(reading.text) == "code" or is_german(reading.prose):
        return ""
    texts = (reading.conversation, *reading.references)
    allowed = _known(*texts)
    initials = {_initials(run) for text in texts for run in runs(text)}
    new = [
        name
        for name in names(reading.prose)
        if not _is_known(name, allowed) and not (_is_short(name) and name in initials)
    ]
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
