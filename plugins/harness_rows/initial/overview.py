"""What is seen in rows that nobody has described yet."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import harness
from harness import Example, Report
from harness_rows.cleaning.private import counting
from harness_rows.initial import answers, fields, languages, lengths, repeats
from harness_rows.initial.answers import Answers
from harness_rows.initial.fields import Fields
from harness_rows.initial.lengths import Lengths
from harness_rows.initial.repeats import Repeats
from harness_rows.reading import Reading
from harness_rows.roles import value_of

Begin = Callable[[str], Report]
"""A piece of work begins; gives what its progress is told."""


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it.

    Attributes:
        reading: what was read, without the rows.
        rows: how many there are.
        held_out: whether rows come with a split that is dev or test.
        languages: ISO 639-1 code -> share of the ``judged`` texts.
        listed: whether the answers of a row are a list, or one within an object.
        groups: how many, and the rows of the largest; None where each row is its own.
        plain: rows whose prompt is of text alone, without turns of tools.
        tests: column, or field of ``meta``, of the tests that answers which are code have to pass;
            empty for none.
        private: a sentence on what may be personal data; empty where none was found.
    """

    reading: Reading
    rows: int
    held_out: bool
    languages: dict[str, float]
    judged: int
    lengths: Lengths
    answers: Answers
    fields: Fields
    repeats: Repeats
    groups: tuple[int, int] | None
    listed: bool
    plain: int
    tests: str
    private: str

    @property
    def language(self) -> str:
        """That of most texts; empty where none could be told."""
        return next(iter(self.languages), "")


def look(reading: Reading, model: harness.Model, begin: Begin) -> Overview:
    """Look at rows from all sides.

    Args:
        model: the base model, whose tokens are counted where it is on this machine.
    """
    rows = reading.rows
    near = begin("looking for duplicates")
    repeated = repeats.look(rows, lambda done, total: near(done, total, ""))
    report = begin("languages")
    # What the user asks last, and the answer.
    texts = [f"{row.prompt}\n{(row.references or row.rejected)[0]}" for row in rows]
    spoken, judged = languages.look(texts)
    with_longest = [_with_longest(row) if row.rejected else row for row in rows]
    report(1, 1, "")
    groups = Counter(row.group for row in rows)
    return Overview(
        reading=dataclasses.replace(reading, rows=(), records=()),
        rows=len(rows),
        held_out=any(row.split in ("dev", "test") for row in rows),
        languages=spoken,
        judged=judged,
        lengths=lengths.measure(with_longest, model, begin),
        answers=answers.of_rows(rows),
        fields=fields.look(reading.records, reading.unused),
        repeats=repeated,
        groups=None if len(groups) == len(rows) else (len(groups), max(groups.values())),
        listed=_listed(reading),
        plain=sum(
            not any(turn.get("role") == "tool" or turn.get("tool_calls") for turn in row.messages)
            for row in rows
        ),
        tests=fields.tests_in(reading.records, reading.unused)
        or fields.tests_in([row.meta for row in rows], rows[0].meta),
        private=_private(rows, begin("looking for personal data")),
    )


def _listed(reading: Reading) -> bool:
    head = [reading.records[0]] if len(reading.records) else []
    names = reading.columns.get("references", ())
    return any(isinstance(value_of(row, name), (list, dict)) for row in head for name in names)


def _private(rows: Sequence[Example], report: Report) -> str:
    counts, sentence = counting.in_rows(rows)
    report(1, 1, "")
    return f"{sentence}; {counting.remedy(counts)}" if sentence else ""


def _with_longest(row: Example) -> Example:
    """The row with the longest of its answers, those that are rejected too."""
    answer = max((*row.references[:1], *row.rejected), key=len)
    return dataclasses.replace(row, references=(answer,), rejected=())
