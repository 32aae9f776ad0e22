"""The words that people read for stored keys, and the page that defines them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.kit.terms import TERMS, shown, stored

GLOSSARY = Path(__file__).resolve().parents[2] / "docs" / "glossary.md"


def glossary() -> dict[str, str]:
    """Term -> the cell of what it is stored as."""
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| ?([^|]*) ?\|$", GLOSSARY.read_text(), re.MULTILINE)
    return {term.strip(" *"): cell for term, cell in rows}


@pytest.mark.parametrize("key", TERMS)
def test_each_word_is_in_the_glossary_with_its_stored_key(key: str) -> None:
    cells = glossary()
    assert shown(key) in cells
    if shown(key) != key:
        assert f"`{key}`" in cells[shown(key)]


def test_the_glossary_is_in_alphabetical_order() -> None:
    terms = [term.casefold() for term in list(glossary())[2:]]
    assert terms == sorted(terms)


def test_a_word_of_a_plugin_is_shown_as_it_is() -> None:
    assert shown("wrong tone") == "wrong tone"


@pytest.mark.parametrize(
    ("word", "key"),
    [("truncated", "cut off"), ("cut off", "cut off"), ("refusal", "refusal"), ("nope", "nope")],
)
def test_a_shown_word_and_a_key_name_the_same(word: str, key: str) -> None:
    assert stored(word, ("refusal", "cut off", "empty")) == key


def test_a_key_comes_before_the_word_of_another_key() -> None:
    assert stored("truncated", ("cut off", "truncated")) == "truncated"
