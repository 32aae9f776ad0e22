"""Comments on a pull request: blocks as Markdown that GitHub takes.

``harness score`` and ``harness compare`` say the same of two systems, :class:`Beside`; whatever
makes a comment of its own hands its blocks to :func:`comment`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.kit.blocks import Block, Column, Heading, Note, Paragraph, Table, table
from harness.kit.markdown import draw
from harness.kit.numbers import counted
from harness.kit.terminal.comparisons import ComparedScore, beside, interval
from harness.kit.terminal.tables import number
from harness.kit.text import ELLIPSIS, one_line

LONGEST = 60_000
"""Characters; GitHub refuses more than 65,536, and a marker may go before."""
SCORES, SLICES, ROWS, NOTES = 10, 3, 5, 5
"""Most of each that are shown."""
NAME, ANSWER = 60, 160
"""Characters of a name, and of an answer."""


def comment(blocks: Iterable[Block]) -> str:
    """The blocks as Markdown; those that are too much are left out, which the last line says."""
    parts: list[str] = []
    room = LONGEST
    for part in (part for block in blocks for part in draw(block) if part):
        room -= len(part) + 2
        if room < 0:
            parts.append("The rest is too long for a comment.")
            break
        parts.append(part)
    return "\n\n".join(parts) + "\n"


@dataclass(frozen=True, slots=True)
class Part:
    """A slice, or a row, with its score before and after.

    Attributes:
        rows: of a slice.
        texts: answers of a row, before and after.
    """

    name: str
    before: float | None
    after: float | None
    rows: int = 0
    texts: tuple[str, str] = ("", "")


def worse(parts: Iterable[Part], higher_is_better: bool) -> list[Part]:
    """Those that are worse now, the widest difference first."""
    sign = 1 if higher_is_better else -1
    losses = [
        (sign * (part.before - part.after), part)
        for part in parts
        if part.before is not None and part.after is not None
    ]
    losses.sort(key=lambda item: (-item[0], item[1].name))
    return [part for loss, part in losses if loss > 0]


@dataclass(frozen=True, slots=True)
class Beside:
    """A system beside another.

    Attributes:
        names: of the two, the older one first.
        primary: the score of the verdict.
        label, sentence: its verdict.
        unmet: why it is not as required, or an empty text.
        scores: of both; the primary one is shown first.
        higher_is_better: of the primary score.
        slices: with the primary score; None where no field to slice by is known.
        rows: likewise.
        notes: what else is to be known, in sentences.
    """

    names: tuple[str, str]
    primary: str
    label: str
    sentence: str
    unmet: str
    scores: Mapping[str, ComparedScore]
    higher_is_better: bool
    slices: Sequence[Part] | None
    rows: Sequence[Part]
    notes: Sequence[str] = ()

    def blocks(self) -> Iterator[Block]:
        """The verdict, the other scores, what got worse, notes."""
        old, new = (one_line(name, NAME) for name in self.names)
        primary = one_line(self.primary, NAME)
        yield Heading(f"{primary}, {new} against {old}", level=3, label=self.label)
        yield Paragraph(f"{self.sentence.removeprefix(f'{self.label}: ')}{self._counts()}")
        if self.unmet:
            yield Paragraph(self.unmet, lead="Not as required:")
        first = [self.scores[self.primary]] if self.primary in self.scores else []
        others = [score for name, score in self.scores.items() if name != self.primary]
        shown = [*first, *others][:SCORES]
        if shown:
            yield Table(_SCORES, tuple(map(_score, shown)), "scores before and now")
        if more := len(first) + len(others) - len(shown):
            yield Note(f"And {counted(more, 'other score')}.")
        yield from self._slices()
        yield from self._rows()
        yield from (Note(one_line(note, 600)) for note in self.notes[:NOTES])

    def _counts(self) -> str:
        if self.primary not in self.scores:
            return ""
        comparison = self.scores[self.primary].comparison
        counts = (f"{comparison[key]:,} {word}" for key, word in _COUNTS.items())
        return f"; answers: {', '.join(counts)}"

    def _slices(self) -> Iterator[Block]:
        if self.slices is None:
            return
        fallen = worse(self.slices, self.higher_is_better)
        if not fallen:
            yield Paragraph("No slice is worse than before.")
            return
        some = f" ({SLICES} of {len(fallen):,})" if len(fallen) > SLICES else ""
        yield Paragraph("", lead=f"Slices that got worse{some}, without a verdict")
        rows = ((part.name, f"{part.rows:,}", *_course(part)) for part in fallen[:SLICES])
        titles = ["slice", "rows", "before", "now"]
        yield table(titles, rows, right=titles[1:])

    def _rows(self) -> Iterator[Block]:
        fallen = worse(self.rows, self.higher_is_better)
        if not fallen:
            yield Paragraph("No answer is worse than before.")
            return
        some = f" ({ROWS} of {len(fallen):,})" if len(fallen) > ROWS else ""
        yield Paragraph("", lead=f"Answers that got worse{some}")
        rows = tuple(
            (one_line(part.name, NAME), *_course(part), *_apart(*part.texts))
            for part in fallen[:ROWS]
        )
        titles = ["row", "before", "now", "answer before", "answer now"]
        yield table(titles, rows, right=titles[1:3])


_COUNTS = {"wins": "better", "ties": "the same", "losses": "worse"}
_SCORES = (
    Column("score"), *(Column(name, "number") for name in ("before", "now", "difference")),
    Column("95 % interval", "number"), Column("verdict", "label"),
)  # fmt: skip


def _score(score: ComparedScore) -> tuple[str, ...]:
    difference, low, high = (score.comparison[key] for key in ("difference", "low", "high"))
    return (
        f"{score.name}{beside(score.caveat)}", number(score.before, score.scale),
        number(score.after, score.scale), number(difference, score.scale, sign=True),
        interval(low, high, score.scale, sign=True), score.comparison["label"],
    )  # fmt: skip


def lowest(rows: Iterable[Part], score: str, higher_is_better: bool) -> Iterator[Block]:
    """The worst answers of a system alone: each part has its score as ``after``."""
    sign = 1 if higher_is_better else -1
    scored = [(sign * part.after, part) for part in rows if part.after is not None]
    scored.sort(key=lambda item: (item[0], item[1].name))
    yield Paragraph("", lead=f"Lowest answers by {one_line(score, NAME)}")
    yield table(
        ["row", "score", "answer"],
        (
            (one_line(part.name, NAME), _course(part)[1], one_line(part.texts[1], ANSWER))
            for _, part in scored[:ROWS]
        ),
        right=["score"],
    )


def _course(part: Part) -> tuple[str, str]:
    """The scores before and now."""
    scale = max(abs(part.before or 0.0), abs(part.after or 0.0))
    return number(part.before, scale), number(part.after, scale)


def _apart(old: str, new: str) -> tuple[str, str]:
    """Two answers, each cut to what a cell shows; of a long beginning that both have, the end."""
    texts = [one_line(text, 20 * ANSWER) for text in (old, new)]
    pairs = enumerate(zip(*texts, strict=False))
    same = next((at for at, (a, b) in pairs if a != b), min(map(len, texts)))
    start = 0
    if max(map(len, texts)) > ANSWER and same > ANSWER // 2:
        start = texts[0].rfind(" ", 0, same - ANSWER // 4) + 1
    lead = ELLIPSIS if start else ""
    cut = [one_line(lead + text[start:], ANSWER) if text else "(empty)" for text in texts]
    return cut[0], cut[1]
