"""The words that people read for keys that are stored under another name.

Stored keys (of JSON documents, database views, categories and causes) never change; what reports
and commands show is looked up here, so that one thing has one name everywhere. ``docs/glossary.md``
defines each of these words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

TERMS: Mapping[str, str] = {
    # models and rounds
    "baseline": "base model",
    "kept": "best round",
    "looks": "test-set evaluations",
    "detectable": "minimum detectable effect",
    # answers
    "right": "pass",
    "wrong": "fail",
    "right_at": "pass threshold",
    "category": "error category",
    "cut off": "truncated",
    "slice": "slice",
    "weak": "underperforming slice",
    # a row over the rounds
    "fixed": "fixed",
    "broken": "regressed",
    "flickering": "flaky",
    "always right": "always pass",
    "never right": "never pass",
    # causes
    "cut": "truncated",
    "forgetting": "catastrophic forgetting",
    "narrow reference": "reference too narrow",
    "capacity": "underfitting",
    "remedy": "suggested action",
    # training data
    "made_by": "augmenter",
    "everywhere": "all data",
    "repeat of dev or test": "duplicate of dev or test",
    "near repeat of dev or test": "near-duplicate of dev or test",
    "descends from dev or test": "derived from dev or test",
    "repeats train": "duplicate of train",
    "people": "raters",
}
"""Key as stored -> word as shown."""

CHOSEN = "chosen on these rows"
"""Of the kept round's scores on dev, which are optimistic since the round was chosen by them."""


def shown(key: str) -> str:
    """The word for a stored key; a key without one, as a plugin's own category, is its own."""
    return TERMS.get(key, key)


def stored(word: str, known: Iterable[str]) -> str:
    """The key among ``known`` that is meant by ``word``, which may be a key or a shown word.

    A word that means none of them is returned as it is.
    """
    keys = tuple(known)
    if word in keys:
        return word
    return next((key for key in keys if shown(key) == word), word)
