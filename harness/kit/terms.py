"""The words that people read for what is stored under another name.

Stored names (keys of JSON documents and views, categories, causes, reasons) never change; what
reports and commands show is looked up here, so that one thing has one name everywhere.
``docs/glossary.md`` defines each of these words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["key", "category", "cause", "course", "refusal"]
"""What is named: a key of a document or view; a category of errors; a cause; what became of a row
over the rounds; why a proposed training row was refused."""

TERMS: Mapping[Kind, Mapping[str, str]] = {
    "key": {
        "baseline": "base model",
        "kept": "best round",
        "looks": "test-set evaluations",
        "detectable": "minimum detectable effect",
        "right": "pass",
        "wrong": "fail",
        "right_at": "pass threshold",
        "category": "error category",
        "weak": "underperforming slice",
        "remedy": "suggested action",
        "made_by": "augmenter",
        "everywhere": "all data",
        "people": "raters",
    },
    "category": {"cut off": "truncated"},
    "cause": {
        "cut": "truncated",
        "forgetting": "catastrophic forgetting",
        "narrow reference": "reference too narrow",
        "capacity": "underfitting",
    },
    "course": {
        "fixed": "fixed",
        "broken": "regressed",
        "flickering": "flaky",
        "always right": "always pass",
        "never right": "never pass",
    },
    "refusal": {
        "repeat of dev or test": "duplicate of dev or test",
        "near repeat of dev or test": "near-duplicate of dev or test",
        "descends from dev or test": "derived from dev or test",
        "repeats train": "duplicate of train",
    },
}
"""Kind -> name as stored -> word as shown."""

CHOSEN = "chosen on these rows"
"""Of the best round's scores on dev, which are optimistic since the round was chosen by them."""


def shown(kind: Kind, name: str) -> str:
    """The word for a stored name; a name without one, as a plugin's own category, is its own."""
    return TERMS[kind].get(name, name)


def stored(kind: Kind, word: str, known: Iterable[str]) -> str:
    """The name among ``known`` that a user means, who may write it as stored or as shown.

    A word that means none of them is returned as it is.
    """
    names = tuple(known)
    if word in names:
        return word
    return next((name for name in names if shown(kind, name) == word), word)
