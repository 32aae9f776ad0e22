"""A document whose categories, causes and courses have the names that readers know."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from harness import Analysis
from harness.kit.terms import Kind, shown
from harness.records.analysis import AnalysedExample, CategoryCount
from harness.records.summary import MainRound

_COLUMNS: Mapping[str, Kind] = {"category": "category", "cause": "cause", "reason": "refusal"}
"""Column of a table of the analysis -> what it names."""

T = TypeVar("T")


def in_words(document: Analysis) -> Analysis:
    """A copy with shown names in place of stored ones; see :mod:`harness.kit.terms`."""
    categories = {row.category for row in document.rows(CategoryCount)}
    names = _Names(frozenset(categories | document.definitions.keys()))
    worst = document.not_better
    return replace(
        document,
        rounds=tuple(map(names.round, document.rounds)),
        examples=tuple(map(names.example, document.examples)),
        better=tuple(map(names.example, document.better)),
        not_better=None if worst is None else names.example(worst),
        definitions=names.keys("category", document.definitions),
        causes_known=names.keys("cause", document.causes_known),
        tables={name: names.table(name, rows) for name, rows in document.tables.items()},
    )


@dataclass(frozen=True, slots=True)
class _Names:
    """Shown names.

    Attributes:
        categories: all of the document. Where a plugin's category has the shown name of another
            one, both keep the names that they are stored under.
    """

    categories: Collection[str]

    def word(self, kind: Kind, name: str) -> str:
        word = shown(kind, name)
        return name if kind == "category" and word in self.categories else word

    def keys(self, kind: Kind, values: Mapping[str, T]) -> Mapping[str, T]:
        return {self.word(kind, name): value for name, value in values.items()}

    def table(
        self, name: str, rows: tuple[Mapping[str, Any], ...]
    ) -> tuple[Mapping[str, Any], ...]:
        kinds: dict[str, Kind] = dict(_COLUMNS)
        if name == "ledger":
            kinds["kind"] = "course"
        return tuple(
            {
                key: self.word(kinds[key], cell) if key in kinds and cell else cell
                for key, cell in row.items()
            }
            for row in rows
        )

    def round(self, entry: MainRound) -> MainRound:
        errors, refused = self.keys("category", entry.errors), self.keys("refusal", entry.refused)
        return replace(entry, errors=errors, refused=refused)

    def example(self, row: AnalysedExample) -> AnalysedExample:
        cause = row.cause
        return replace(
            row,
            errors=self.listed(row.errors),
            course=shown("course", row.course),
            answers=tuple(
                replace(answer, errors=self.listed(answer.errors)) for answer in row.answers
            ),
            cause=cause and replace(cause, cause=self.word("cause", cause.cause)),
        )

    def listed(self, categories: Collection[str]) -> tuple[str, ...]:
        return tuple(self.word("category", name) for name in categories)
