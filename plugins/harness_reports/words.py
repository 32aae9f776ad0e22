"""Where an answer differs from its reference, word by word."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from harness.text import plain

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
    from rapidfuzz.distance import LCSseq

    wanted, given = _words(reference, lines), _words(answer, lines)
    numbers: dict[str, int] = {}
    left, right = (
        [numbers.setdefault(word.strip(), len(numbers)) for word in words]
        for words in (wanted, given)
    )
    steps = [
        ("same" if step.tag == "equal" else "other", wanted[step.src_start : step.src_end],
         given[step.dest_start : step.dest_end])
        for step in LCSseq.opcodes(left, right)
    ]  # fmt: skip
    return list(_parts(steps))


def _words(text: str, lines: bool) -> list[str]:
    found = _WORD.findall(plain(text, LIMIT))
    return [f"{_break(space)}{word}" if lines else word for space, word in found]


def _break(space: str) -> str:
    """The last line break of a run of white space, with the indentation after it."""
    return space[space.rindex("\n") :] if "\n" in space else ""


Step = tuple[str, Sequence[str], Sequence[str]]


def _parts(steps: Sequence[Step]) -> Iterator[tuple[Kind, str]]:
    kept = [
        "same" if kind == "same" and not _chance(steps, place) else "other"
        for place, (kind, _, _) in enumerate(steps)
    ]
    for kind, run in itertools.groupby(range(len(steps)), key=kept.__getitem__):
        places = list(run)
        missing = [word for place in places for word in steps[place][1]]
        extra = [word for place in places for word in steps[place][2]]
        if kind == "same":
            yield "same", " ".join(extra)
            continue
        if missing:
            yield "missing", " ".join(missing)
        if extra:
            yield "extra", " ".join(extra)


def _chance(steps: Sequence[Step], place: int) -> bool:
    """Whether the words at a place are one short word with differences on both sides."""
    between = 0 < place < len(steps) - 1
    words = steps[place][2]
    return between and len(words) == 1 and len(words[0].strip()) < _CLEAR
