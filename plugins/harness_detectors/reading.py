"""One answer as the rules read it: its words, its prose without code, and what it is held against.

Words are runs of letters and digits; in scripts that set no blanks between words (Han, kana,
Thai, …) each character counts as one. Every step takes time linear in the length of the text, and
of a text of more than 100,000 characters the middle is not read, except where words are counted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from harness import ScoredExample

READ = 100_000
"""Most characters of one text that the rules look at: as many from its start as from its end."""

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_UNSPACED = re.compile(f"[{UNSPACED}]")
_WORD = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")
_BLANK = "\u034f\u115f\u1160\u2800\u3164\uffa0"
"""Letters and signs without a shape: fillers, and the empty Braille pattern."""
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n]*$", re.MULTILINE)
_INLINE = re.compile(r"`[^`\n]{1,200}`")


@dataclass(frozen=True)
class Reading:
    """An answer with its prompt, conversation and references; long texts are shortened.

    Calls of tools are no part of what is said.

    Attributes:
        whole: the answer as it is.
        cut: the limit of tokens ended it.
        prompt: the last user turn.
        conversation: all turns, the last one included.
        references: those with text, shortened; ``wanted`` has them as they are.
    """

    whole: str
    cut: bool
    prompt: str
    conversation: str
    wanted: tuple[str, ...]

    @classmethod
    def of(cls, scored: ScoredExample) -> Reading:
        example = scored.example
        turns = [
            content for turn in example.messages if isinstance(content := turn.get("content"), str)
        ]
        return cls(
            example.answer(scored.prediction.text).content,
            scored.prediction.finish_reason == "length",
            shortened(example.prompt),
            shortened("\n".join(turns)),
            tuple(
                said
                for text in example.references
                if (said := example.answer(text).content).strip()
            ),
        )

    @cached_property
    def text(self) -> str:
        return shortened(self.whole)

    @cached_property
    def references(self) -> tuple[str, ...]:
        return tuple(shortened(text) for text in self.wanted)

    @cached_property
    def prose(self) -> str:
        """The answer without fenced and inline code."""
        return without_code(self.text)

    @cached_property
    def words(self) -> list[str]:
        return words(self.text)


def has_text(text: str) -> bool:
    """Whether anything of it is visible: white space, control and zero-width characters are not."""
    return any(not _is_blank(letter) for letter in text)


def _is_blank(letter: str) -> bool:
    return letter.isspace() or letter in _BLANK or unicodedata.category(letter) in ("Cc", "Cf")


def shortened(text: str) -> str:
    """The text, or its two ends with a blank line between them."""
    return text if len(text) <= READ else f"{text[: READ // 2]}\n\n{text[-READ // 2 :]}"


def words(text: str) -> list[str]:
    """Words in lower case."""
    return _WORD.findall(text.casefold())


def count(text: str) -> int:
    """Number of words between blanks; a character of an unspaced script is a word of its own."""
    pieces = text.split()
    if not _UNSPACED.search(text):
        return len(pieces)
    single = len(_UNSPACED.findall(text))
    return single + sum(1 for piece in pieces if any(map(str.isalnum, _UNSPACED.sub("", piece))))


def fences(text: str) -> Iterator[tuple[str, bool]]:
    """Pieces in turn, and whether each is fenced code; an open fence runs to the end."""
    place, opened = 0, ""
    for mark in _FENCE.finditer(text):
        ticks = mark[1]
        if opened and not (ticks[0] == opened[0] and len(ticks) >= len(opened)):
            continue
        yield text[place : mark.start()], bool(opened)
        place, opened = mark.end(), "" if opened else ticks
    yield text[place:], bool(opened)


def without_code(text: str) -> str:
    """The text without fenced code and without code between backticks."""
    prose = "\n".join(piece for piece, fenced in fences(text) if not fenced)
    return _INLINE.sub(" ` ", prose)


def shown(pieces: Sequence[str], most: int = 5) -> str:
    """The first few pieces in one line."""
    more = f" and {len(pieces) - most} more" if len(pieces) > most else ""
    return ", ".join(pieces[:most]) + more
