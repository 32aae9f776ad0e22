"""Where an answer differs from its reference, word by word."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from harness.kit.text import plain
from harness.kit.worddiff import Step, steps

Kind = Literal["same", "missing", "extra"]
Parts = list[tuple[Kind, str]]

LIMIT = 2_000
"""Characters of each text that are looked at."""

_WORD = re.compile(r"(\s*)(\S+)")
_CLEAR = 4
"""Letters from which one shared word between two differences is no chance."""


def differences(reference: str, answer: str, lines: bool = False) -> Parts:
    """Both texts as one: what they share, what the answer lacks, what it has beyond.

    The parts in their order, each a run of words; joined with blanks, ``same`` and ``missing``
    give the reference, ``same`` and ``extra`` the answer. Words are equal if they are so letter
    by letter. A longest common subsequence, but a lone short word between two differences
    ("a", "of") counts as different too: it says nothing, and the rest reads better.

    Args:
        lines: each word that starts a line takes its line break and indentation along.

    Time and room are bounded: texts are cut at :data:`LIMIT` characters and made harmless.
    """
    return list(_parts(list(steps(_words(reference, lines), _words(answer, lines)))))


def _words(text: str, lines: bool) -> list[str]:
    found = _WORD.findall(plain(text, LIMIT))
    return [f"{_break(space)}{word}" if lines else word for space, word in found]


def _break(space: str) -> str:
    """The last line break of a run of white space, with the indentation after it."""
    return space[space.rindex("\n") :] if "\n" in space else ""


def _parts(found: Sequence[Step]) -> Iterator[tuple[Kind, str]]:
    kept = [step.same and not _chance(found, place) for place, step in enumerate(found)]
    for same, run in itertools.groupby(range(len(found)), key=kept.__getitem__):
        places = list(run)
        missing = [word for place in places for word in found[place].reference]
        extra = [word for place in places for word in found[place].answer]
        if same:
            yield "same", " ".join(extra)
            continue
        if missing:
            yield "missing", " ".join(missing)
        if extra:
            yield "extra", " ".join(extra)


def _chance(found: Sequence[Step], place: int) -> bool:
    """Whether the words at a place are one short word with differences on both sides."""
    between = 0 < place < len(found) - 1
    words = found[place].answer
    return between and len(words) == 1 and len(words[0].strip()) < _CLEAR
