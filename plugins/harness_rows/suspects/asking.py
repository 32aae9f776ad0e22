"""What models are asked about a row: other labels in place of its own, its answer elsewhere."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import harness
from harness.kit.draws import fraction
from harness_rows.initial.answers import look

MOST_LABELS = 50
"""Labels that each row is asked with; with more of them, answers are taken for texts."""
ELSEWHERE = 2
"""Prompts of other rows behind which an answer is read."""
PROMPTS = 8
"""Prompts that serve for that, for all rows: answers behind one prompt are read at once."""


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked about each row.

    Attributes:
        labels: of all rows; empty where answers are no labels. Those that differ only in capitals
            are one, spelt as most rows spell it.
        variants: id of each row -> the row itself; then with each other label in their order, or
            its answer under prompts of other rows.
    """

    labels: tuple[str, ...]
    variants: Mapping[str, Sequence[harness.Example]]
    _spelt: Mapping[str, str]

    def label_of(self, row: harness.Example) -> str:
        """The row's label, as most rows spell it."""
        return self._spelt[answer_of(row).casefold()]

    @property
    def count(self) -> int:
        """Answers that are read in all."""
        return sum(map(len, self.variants.values()))


def questions(rows: Sequence[harness.Example], seed: int) -> Questions:
    """What is asked about these rows, each of which has a reference.

    Args:
        seed: of the draw of other prompts.
    """
    answers = look([answer_of(row) for row in rows])
    spelt: dict[str, str] = {}
    for label, _ in answers.labels:
        spelt.setdefault(label.casefold(), label)
    labels = tuple(sorted(spelt.values()))
    if 1 < len(labels) <= MOST_LABELS:
        return Questions(labels, {row.id: _relabelled(row, spelt) for row in rows}, spelt)
    prompts = random.Random(seed).sample(rows, min(len(rows), PROMPTS))
    return Questions((), {row.id: _elsewhere(row, prompts, seed) for row in rows}, {})


def answer_of(row: harness.Example) -> str:
    """What a row is trained to answer."""
    return row.references[0].strip() if row.references else ""


def _relabelled(row: harness.Example, spelt: Mapping[str, str]) -> list[harness.Example]:
    own = spelt[answer_of(row).casefold()]
    # A spelling of its own is learned as badly as a wrong label is.
    first = row if answer_of(row) == own else dataclasses.replace(row, references=(own,))
    others = sorted(set(spelt.values()) - {own})
    return [first, *(dataclasses.replace(row, references=(label,)) for label in others)]


def _elsewhere(
    row: harness.Example, prompts: Sequence[harness.Example], seed: int
) -> list[harness.Example]:
    """The row, and its answer under prompts whose own answer is another."""
    others = [other for other in prompts if answer_of(other) != answer_of(row)]
    others.sort(key=lambda other: fraction(seed, f"{row.id} {other.id}"))
    elsewhere = [
        dataclasses.replace(row, messages=other.messages, tools=other.tools)
        for other in others[:ELSEWHERE]
    ]
    return [row, *elsewhere]
