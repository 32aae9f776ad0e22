"""The words that people read for stored keys, and the page that defines them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.kit.terms import TERMS, Kind, shown, stored

GLOSSARY = Path(__file__).resolve().parents[2] / "docs" / "glossary.md"


def glossary() -> dict[str, str]:
    """Term -> the cell of what it is stored as."""
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| ?([^|]*) ?\|$", GLOSSARY.read_text(), re.MULTILINE)
    return {term.strip(" *"): cell for term, cell in rows}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in TERMS for name in TERMS[kind]])
def test_each_word_is_in_the_glossary_with_its_stored_name(kind: Kind, name: str) -> None:
    cells, word = glossary(), shown(kind, name)
    assert word in cells
    if word != name:
        assert f"`{name}`" in cells[word]


def test_the_glossary_is_in_alphabetical_order() -> None:
    terms = [term.casefold() for term in list(glossary())[2:]]
    assert terms == sorted(terms)


def test_a_category_that_is_called_as_a_key_is_keeps_its_name() -> None:
    assert shown("category", "broken") == "broken"


def test_a_word_of_a_plugin_is_shown_as_it_is() -> None:
    assert shown("category", "wrong tone") == "wrong tone"


@pytest.mark.parametrize(
    ("word", "key"),
    [("truncated", "cut off"), ("cut off", "cut off"), ("refusal", "refusal"), ("nope", "nope")],
)
def test_a_shown_word_and_a_key_name_the_same(word: str, key: str) -> None:
    assert stored("category", word, ("refusal", "cut off", "empty")) == key


def test_a_key_comes_before_the_word_of_another_key() -> None:
    assert stored("category", "truncated", ("cut off", "truncated")) == "truncated"
