"""Which rows go because they repeat a row that stays.

Rows are taken in the order test, dev, valid, train, pool, those of a split in their own order. A
row goes if it repeats one that stays; so every row that goes has a row near to it that stays, and
which one is said. Rows of test all stay unless they are asked for.

A row of train, pool or valid also goes if its *prompt* repeats one of dev or test, and a row of dev
if its prompt repeats one of test, whatever the answers are.

Two rows that are near are no repeats where they differ in a number or an operator (another sum is
another question), where each has a sentence that the other has nothing like (another question about
one passage), or where their answers are not near (which is for people to look at).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness import Example
from harness_rows.cleaning.near import Watch, pairs_of_comparable
from harness_rows.cleaning.shingling import comparable
from harness_rows.cleaning.windows import WIDTH

RANKS = {"test": 0, "dev": 1, "valid": 2, "train": 3, "": 3, "pool": 4}
HELD_OUT = ("test", "dev")
BY = ("row", "prompt")
_FIGURES = re.compile(r"\d+|[=<>+*/^%$€£¥×÷±≤≥≠−]|(?<=\d)\s?-\s?(?=\d)")
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n+")
LEAST_SENTENCE = 12
"""Characters from which a sentence can be another question."""
FOUND_AGAIN = 0.5
"""Share of a sentence's runs of five characters from which it is found again in another one."""
_PART = " "
"""Between prompt and answer: a blank keeps the whole comparable."""


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
        other_figures: pairs of rows that are near but for a number or an operator; they stay.
        other_sentences: pairs that are near but for a whole sentence in each; they stay.
        other_answers: pairs with near prompts and other answers; they stay.
    """

    removed: tuple[Removed, ...]
    other_figures: int
    other_sentences: int
    other_answers: int


@dataclass(frozen=True, slots=True)
class Rule:
    """What counts as a repeat.

    Attributes:
        near: similarity from which two texts are near; 1 finds exact repeats alone.
        by: ``row`` compares prompts and answers, ``prompt`` prompts alone.
        with_test: whether rows of test may go, too.
    """

    near: float = 0.8
    by: str = "row"
    with_test: bool = False


def repeated(
    rows: Sequence[Example], rule: Rule, watch: Watch = lambda done, total: None
) -> Repeats:
    """The rows that go.

    Args:
        watch: is told how much is done, of how much; may raise to stop.
    """
    order = sorted(range(len(rows)), key=lambda place: (RANKS[rows[place].split], place))
    ranked = [rows[place] for place in order]
    across = rule.by == "row" and any(row.split in HELD_OUT for row in rows)
    steps = 2 if across else 1
    views = [_View(ranked, rule, rule.by, lambda done, total: watch(done, steps * total))]
    if across:
        views.append(
            _View(
                ranked, rule, "prompt", lambda done, total: watch(total + done, 2 * total), _apart
            )
        )
    stays = [True] * len(ranked)
    removed = []
    for place, row in enumerate(ranked):
        if row.split == "test" and not rule.with_test:
            continue
        found = [
            Removed(order[place], order[other], likeness, view.by)
            for view in views
            for other, likeness in view.neighbours(place)
            if other < place and stays[other]
        ]
        if found:
            stays[place] = False
            removed.append(max(found, key=lambda one: (one.likeness, -one.kept)))
    return Repeats(
        tuple(sorted(removed, key=lambda one: one.place)),
        views[0].other_figures,
        views[0].other_sentences,
        views[0].other_answers,
    )


def prompt_of(row: Example) -> str:
    """The whole conversation before the answer, system turns, too."""
    turns = (turn.get("content") for turn in row.messages)
    return "\n".join(turn if isinstance(turn, str) else str(turn) for turn in turns if turn)


def figures(text: str) -> Counter[str]:
    """The numbers and operators of a text that is comparable."""
    return Counter(part.strip() for part in _FIGURES.findall(text))


def _apart(one: Example, other: Example) -> bool:
    """Whether a row may go for its prompt alone: the other is held out, and of another split."""
    return other.split in HELD_OUT and one.split != other.split


class _View:
    """Rows compared by one of :data:`BY`."""

    def __init__(
        self, rows: Sequence[Example], rule: Rule, by: str, watch: Watch,
        counts: Callable[[Example, Example], bool] = lambda one, other: True,
    ) -> None:  # fmt: skip
        self.by, self._rows, self._counts = by, rows, counts
        self.other_figures = self.other_sentences = self.other_answers = 0
        # Row and prompt are told apart where they are compared, and compared as one text.
        self._parts = [_parts(row, by) for row in rows]
        firsts: dict[tuple[str, ...], int] = {}
        self._firsts = [firsts.setdefault(parts, at) for at, parts in enumerate(self._parts)]
        self._near: dict[int, list[tuple[int, float]]] = {}
        if rule.near < 1:
            self._compare(list(firsts.values()), rule.near, watch)

    def _compare(self, places: Sequence[int], near: float, watch: Watch) -> None:
        texts = [_PART.join(self._parts[place]) for place in places]
        for pair in pairs_of_comparable(texts, near, watch):
            one, other = places[pair.first], places[pair.second]
            if self._is_repeat(one, other, near):
                self._near.setdefault(one, []).append((other, pair.similarity))
                self._near.setdefault(other, []).append((one, pair.similarity))

    def _is_repeat(self, one: int, other: int, near: float) -> bool:
        mine, theirs = self._parts[one], self._parts[other]
        if figures(_PART.join(mine)) != figures(_PART.join(theirs)):
            self.other_figures += 1
            return False
        if ask_otherwise(prompt_of(self._rows[one]), prompt_of(self._rows[other])):
            self.other_sentences += 1
            return False
        alike = [jaccard(*texts) >= near for texts in zip(mine, theirs, strict=True)]
        self.other_answers += alike[0] and not all(alike)
        return all(alike)

    def neighbours(self, place: int) -> Iterator[tuple[int, float]]:
        """The rows that this one repeats, equal ones first."""
        first = self._firsts[place]
        found: Iterable[tuple[int, float]] = self._near.get(first, ())
        for other, likeness in ((first, 1.0), *found):
            if other != place and self._counts(self._rows[place], self._rows[other]):
                yield other, likeness


def _parts(row: Example, by: str) -> tuple[str, ...]:
    prompt = comparable(prompt_of(row))
    return (prompt,) if by == "prompt" else (prompt, comparable("\n".join(row.references)))


def ask_otherwise(one: str, other: str) -> bool:
    """Whether each of two prompts has a sentence (or line) of which the other has next to none."""
    return _has_of_its_own(one, other) and _has_of_its_own(other, one)


def _has_of_its_own(one: str, other: str) -> bool:
    known = [_runs(sentence) for sentence in _sentences(other)]
    for sentence in _sentences(one):
        runs = _runs(sentence)
        if all(len(runs & others) < FOUND_AGAIN * len(runs) for others in known):
            return True
    return False


def _sentences(text: str) -> list[str]:
    pieces = map(comparable, _SENTENCE.split(text))
    return [piece for piece in pieces if len(piece) >= LEAST_SENTENCE]


def jaccard(one: str, other: str) -> float:
    """Share of the runs of five characters in either text that are in both; 1 for equal texts."""
    if one == other:
        return 1.0
    first, second = _runs(one), _runs(other)
    return len(first & second) / len(first | second)


def _runs(text: str) -> set[str]:
    return {text[at : at + WIDTH] for at in range(max(1, len(text) - WIDTH + 1))}
