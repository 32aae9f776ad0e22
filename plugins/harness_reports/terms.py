"""A complete document whose categories, causes and courses have the names that readers know."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from harness.kit.terms import Kind, shown

Document = Mapping[str, Any]

_COLUMNS: Mapping[str, Kind] = {"category": "category", "cause": "cause", "reason": "refusal"}
"""Column of a table of the analysis -> what it names."""


def in_words(document: Document) -> Document:
    """A copy with shown names in place of stored ones; see :mod:`harness.kit.terms`."""
    tables = document.get("tables") or {}
    categories = {row["category"] for row in tables.get("categories") or ()}
    names = _Names(frozenset(categories | document["definitions"].keys()))
    changed: dict[str, Any] = {
        "rounds": [names.round(entry) for entry in document["rounds"]],
        "examples": [names.example(row) for row in document["examples"]],
        "better": [names.example(row) for row in document["better"]],
        "not_better": document["not_better"] and names.example(document["not_better"]),
        "definitions": names.keys("category", document["definitions"]),
        "causes_known": names.keys("cause", document["causes_known"]),
    }
    if tables:
        changed["tables"] = {name: names.table(name, rows) for name, rows in tables.items()}
    return {**document, **changed}


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

    def keys(self, kind: Kind, values: Mapping[str, Any]) -> Document:
        return {self.word(kind, name): value for name, value in values.items()}

    def table(self, name: str, rows: list[Document] | None) -> list[Document]:
        kinds: dict[str, Kind] = dict(_COLUMNS)
        if name == "ledger":
            kinds["kind"] = "course"
        return [
            {
                key: self.word(kinds[key], cell) if key in kinds and cell else cell
                for key, cell in row.items()
            }
            for row in rows or ()
        ]

    def round(self, entry: Document) -> Document:
        return {
            **entry,
            "errors": self.keys("category", entry["errors"]),
            "refused": self.keys("refusal", entry["refused"]),
        }

    def example(self, row: Document) -> Document:
        cause = row["cause"]
        return {
            **row,
            "errors": self.listed(row["errors"]),
            "course": shown("course", row["course"]),
            "answers": [
                {**answer, "errors": self.listed(answer["errors"])} for answer in row["answers"]
            ],
            "cause": cause and {**cause, "cause": self.word("cause", cause["cause"])},
        }

    def listed(self, categories: Collection[str]) -> list[str]:
        return [self.word("category", name) for name in categories]
