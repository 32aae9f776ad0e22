"""Facts and their accepted wordings: patterns of words without any backtracking.

A wording is words in a row. ``one|other`` accepts either word, ``refund*`` every word that begins
so, ``...`` up to five further words of the same sentence, ``^`` at the beginning only the
beginning of the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness_facts.words import END, words

GAP = 5
"""Words that ``...`` may stand for at most."""
LONGEST = 40
"""Words of a wording."""
_GAPS = ("...", "…")


@dataclass(frozen=True, slots=True)
class Slot:
    """One word of a wording: one of these words, or a word that begins so."""

    exact: frozenset[str]
    prefixes: tuple[str, ...] = ()

    def fits(self, word: str) -> bool:
        return word in self.exact or word.startswith(self.prefixes)


@dataclass(frozen=True, slots=True)
class Wording:
    """Runs of words, one or more, with at most :data:`GAP` further words from one to the next."""

    runs: tuple[tuple[Slot, ...], ...]
    at_start: bool = False

    def stated(self, answer: Sequence[str]) -> bool:
        """Whether it stands in the words of an answer.

        All places where a run may end are carried to the next run, so the time is at most
        words of the answer x words of the wording x :data:`GAP`.
        """
        starts: Iterable[int] = (0,) if self.at_start else range(len(answer))
        # Not backtracking: of a hostile answer that would take exponential time.
        for run in self.runs:
            ends = [start + len(run) for start in starts if _stands(run, answer, start)]
            starts = sorted({start for end in ends for start in _reached(answer, end)})
        return bool(ends)


def _stands(run: Sequence[Slot], answer: Sequence[str], start: int) -> bool:
    if start + len(run) > len(answer):
        return False
    return all(slot.fits(answer[start + at]) for at, slot in enumerate(run))


def _reached(answer: Sequence[str], end: int) -> Iterator[int]:
    """Where the next run may begin: here, or after up to five words of the same sentence."""
    for start in range(end, min(end + GAP, len(answer)) + 1):
        yield start
        if start < len(answer) and answer[start] == END:
            return


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact: stated where one of its wordings is.

    Attributes:
        shown: its first wording as the file has it.
    """

    wordings: tuple[Wording, ...]
    shown: str = field(default="", compare=False)

    def stated(self, answer: Sequence[str]) -> bool:
        """Whether the words of an answer state it."""
        return any(wording.stated(answer) for wording in self.wordings)


def wording(text: str, same: Mapping[str, str]) -> Wording:
    """The wording that a text of the file describes.

    Raises:
        ValueError: it cannot be understood; the message says why.
    """
    at_start = text.lstrip().startswith("^")
    runs = [_run(part, same) for part in _parts(text.lstrip().removeprefix("^"))]
    if not any(runs):
        raise ValueError("has no word that can be looked for")
    if not all(runs):
        raise ValueError("has `...` elsewhere than between two words")
    if sum(map(len, runs)) > LONGEST:
        raise ValueError(f"has more than {LONGEST} words: a fact is told by a few")
    return Wording(tuple(runs), at_start)


def _parts(text: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for piece in text.split():
        if piece in _GAPS:
            parts.append([])
        else:
            parts[-1].append(piece)
    return parts


def _run(pieces: Sequence[str], same: Mapping[str, str]) -> tuple[Slot, ...]:
    """Slots of pieces; plain ones beside each other are read together (``one hundred``)."""
    slots: list[Slot] = []
    plain: list[str] = []
    for piece in [*pieces, "|"]:
        if "|" not in piece and "*" not in piece:
            plain.append(piece)
            continue
        slots += [Slot(frozenset({w})) for w in words(" ".join(plain), same) if w != END]
        plain = []
        if piece != "|":
            slots.append(_choice(piece, same))
    return tuple(slots)


def _choice(piece: str, same: Mapping[str, str]) -> Slot:
    exact, prefixes = set(), []
    for option in piece.split("|"):
        begins = option.endswith("*")
        option_words = [w for w in words(option.rstrip("*"), {} if begins else same) if w != END]
        if len(option_words) != 1 or "*" in option.rstrip("*"):
            raise ValueError(f"'{piece}': between `|`, and before `*`, stands one word")
        if not begins:
            exact.add(option_words[0])
        elif option_words[0][0].isdigit():
            raise ValueError(f"'{piece}': a number has no `*`, it is compared by its value")
        else:
            prefixes.append(option_words[0])
    return Slot(frozenset(exact), tuple(prefixes))
