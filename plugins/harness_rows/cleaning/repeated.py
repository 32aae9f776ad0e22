"""Which rows go because they repeat a row that stays.

Rows are taken in the order test, dev, valid, train, pool, those of a split in their own order. A
row goes if it repeats one that stays; so every row that goes has a row near to it that stays, and
which one is said. Rows of test all stay unless they are asked for.

A row of train, pool or valid also goes if its *prompt* repeats one of dev or test, and a row of dev
if its prompt repeats one of test, whatever the answers are.

Two rows that are near are no repeats where they differ in a number, a sign or an operator or have
these in another order (another sum is another question), where each has a sentence that the other
has nothing like (another question about one passage), or where their answers are not near (which is
for people to look at).
"""

from __future__ import annotations

import re
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import permutations

from harness import Example
from harness.kit.alike.hashes import SHINGLE
from harness.kit.alike.pairs import Watch, pairs
from harness.kit.folding import loosely

RANKS = {"test": 0, "dev": 1, "valid": 2, "train": 3, "": 3, "pool": 4}
HELD_OUT = ("test", "dev")
BY = ("row", "prompt")
_PART = " "
"""Between prompt and answer: a blank keeps the whole folded."""
LEAST_SENTENCE = 12
"""Characters from which a sentence can be another question."""
FOUND_AGAIN = 0.5
"""Share of a sentence's runs of five characters from which it is found again in another one."""
_FIGURES = re.compile(
    r"\.?\d+(?:[.,:]\d+)*|!(?=!*[\w(=])|[=<>+*/^%~¬$€£¥×÷±≤≥≠−]"
    r"|-(?:\s?-)+|(?<!\w)-(?=[\d.(]|[^\W\d_]\b|\w+\()|(?<=\d)\s?-\s?(?=\.?\d)"
)
"""A number, a negation, an operator, several minuses, a sign before a number, one letter, a bracket
or a call, a minus between numbers."""
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Removed:
    """A row that goes.

    Attributes:
        place, kept: its place among the rows, and that of the row that it repeats.
        likeness: 1 for an exact repeat (letter case, width, white space and marks of sentences
            apart).
        by: ``row``, or ``prompt`` where only the prompts were compared.
    """

    place: int
    kept: int
    likeness: float
    by: str


@dataclass(frozen=True, slots=True)
class Repeats:
    """What was found.

    Attributes:
        removed: in the order of the rows.
        other_figures: pairs that are near but for a number, an operator or their order; they stay.
        other_sentences: pairs that are near but for a whole sentence in each; they stay.
        other_answers: pairs with near prompts and other answers; they stay.
    """

    removed: tuple[Removed, ...]
    other_figures: int
    other_sentences: int
    other_answers: int


def repeated(
    rows: Sequence[Example],
    near: float = 0.8,
    by: str = "row",
    with_test: bool = False,
    watch: Watch = lambda done, total: None,
) -> Repeats:
    """The rows that go.

    Args:
        near: similarity from which two texts are near; 1 finds exact repeats alone.
        by: ``row`` compares prompts and answers, ``prompt`` prompts alone.
        with_test: whether rows of test may go, too.
        watch: is told how much is done, of how much; may raise to stop.
    """
    order = sorted(range(len(rows)), key=lambda place: (RANKS[rows[place].split], place))
    ranked = [rows[place] for place in order]
    across = by == "row" and any(row.split in HELD_OUT for row in rows)
    steps = 2 if across else 1
    views = [_View(ranked, near, by, lambda done, total: watch(done, steps * total))]
    if across:
        views.append(
            _View(
                ranked, near, "prompt", lambda done, total: watch(total + done, 2 * total), _apart
            )
        )
    stays = [True] * len(ranked)
    removed = []
    for place, row in enumerate(ranked):
        if row.split == "test" and not with_test:
            continue
        repeats = [
            Removed(order[place], order[other], likeness, view.by)
            for view in views
            for other, likeness in view.neighbours(place)
            if other < place and stays[other]
        ]
        if repeats:
            stays[place] = False
            # The most alike, and of several the first that stays.
            removed.append(max(repeats, key=lambda repeat: (repeat.likeness, -repeat.kept)))
    return Repeats(
        tuple(sorted(removed, key=lambda row: row.place)),
        views[0].other_figures,
        views[0].other_sentences,
        views[0].other_answers,
    )


def prompt_of(row: Example) -> str:
    """The whole conversation before the answer, system turns, too."""
    turns = (turn.get("content") for turn in row.messages)
    return "\n".join(turn if isinstance(turn, str) else str(turn) for turn in turns if turn)


def _apart(row: Example, other: Example) -> bool:
    """Whether a row may go for its prompt alone: the other is held out, and of another split."""
    return other.split in HELD_OUT and row.split != other.split


class _View:
    """Rows compared by one of :data:`BY`."""

    def __init__(
        self, rows: Sequence[Example], near: float, by: str, watch: Watch,
        counts: Callable[[Example, Example], bool] = lambda row, other: True,
    ) -> None:  # fmt: skip
        self.by, self._rows, self._counts = by, rows, counts
        self.other_figures = self.other_sentences = self.other_answers = 0
        # Row -> the first one that is equal to it.
        self._firsts = array("q")
        self._near: dict[int, list[tuple[int, float]]] = {}
        distinct = self._distinct()
        if near < 1:
            self._compare(distinct, near, watch)
        else:
            deque(distinct, maxlen=0)

    def _distinct(self) -> Iterator[str]:
        """The text of each row that equals no earlier one.

        Row and prompt are told apart where they are equal or compared, and found as one text. Of a
        million rows the folded texts are not held here beside those of the rows themselves.
        """
        firsts: dict[bytes, int] = {}
        for place in range(len(self._rows)):
            parts = self._parts(place)
            whole = "\n".join(parts).encode("utf-8", "surrogatepass")  # folded, they have no \n
            first = firsts.setdefault(blake2b(whole, digest_size=16).digest(), place)
            self._firsts.append(first)
            if first == place:
                yield _PART.join(parts)

    def _compare(self, texts: Iterator[str], near: float, watch: Watch) -> None:
        near_pairs = pairs(texts, near, watch)
        # Only now: `texts` is a generator, which fills `_firsts` while it is read.
        places = [at for at, first in enumerate(self._firsts) if at == first]
        for pair in near_pairs:
            row, other = places[pair.first], places[pair.second]
            if self._is_repeat(row, other, near):
                self._near.setdefault(row, []).append((other, pair.similarity))
                self._near.setdefault(other, []).append((row, pair.similarity))

    def _parts(self, place: int) -> tuple[str, ...]:
        return tuple(map(loosely, _texts(self._rows[place], self.by)))

    def _is_repeat(self, at: int, other_at: int, near: float) -> bool:
        row, other = self._rows[at], self._rows[other_at]
        mine, theirs = self._parts(at), self._parts(other_at)
        if not same_figures("\n".join(_texts(row, self.by)), "\n".join(_texts(other, self.by))):
            self.other_figures += 1
            return False
        if ask_otherwise(prompt_of(row), prompt_of(other)):
            self.other_sentences += 1
            return False
        alike = [jaccard(*texts) >= near for texts in zip(mine, theirs, strict=True)]
        self.other_answers += alike[0] and not all(alike)
        return all(alike)

    def neighbours(self, place: int) -> Iterator[tuple[int, float]]:
        """The rows that this one repeats, equal ones first."""
        first = self._firsts[place]
        for other, likeness in ((first, 1.0), *self._near.get(first, ())):
            if other != place and self._counts(self._rows[place], self._rows[other]):
                yield other, likeness


def _texts(row: Example, by: str) -> tuple[str, ...]:
    prompt = prompt_of(row)
    return (prompt,) if by == "prompt" else (prompt, "\n".join(row.references))


# -- in what two texts differ that are near --------------------------------------------------------


def figures(text: str) -> list[str]:
    """The numbers and operators of a text that is folded, in its order."""
    return ["".join(part.split()) for part in _FIGURES.findall(text)]


def same_figures(text: str, other: str) -> bool:
    """Whether two texts have the same numbers and operators in one order.

    Sentences with figures may not change places: which words a number belongs to would have to be
    understood to tell ``Tom has 5. Ann has 7.`` from ``Tom has 7 and Ann has 5.``
    """
    return figures(loosely(text)) == figures(loosely(other))


def ask_otherwise(prompt: str, other: str) -> bool:
    """Whether each of two prompts has a sentence (or line) of which the other has next to none."""
    return all(_has_of_its_own(*texts) for texts in permutations((prompt, other)))


def _has_of_its_own(prompt: str, other: str) -> bool:
    """Whether the prompt has a sentence that is not found again in the other."""
    of_other = [_runs(sentence) for sentence in _sentences(other)]
    return any(
        all(len(runs & others) < FOUND_AGAIN * len(runs) for others in of_other)
        for runs in map(_runs, _sentences(prompt))
    )


def _sentences(text: str) -> list[str]:
    pieces = map(loosely, _SENTENCE.split(text))
    return [piece for piece in pieces if len(piece) >= LEAST_SENTENCE]


def jaccard(text: str, other: str) -> float:
    """Share of the runs of five characters in either text that are in both; 1 for equal texts."""
    if text == other:
        return 1.0
    first, second = _runs(text), _runs(other)
    return len(first & second) / len(first | second)


def _runs(text: str) -> set[str]:
    return {text[at : at + SHINGLE] for at in range(max(1, len(text) - SHINGLE + 1))}
