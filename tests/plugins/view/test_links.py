"""Addresses: each state of the table has one, and a wrong one is refused."""

from __future__ import annotations

import pytest

import harness
from harness_view.links import PLAIN, Asked, ServedLinks, asked, row_of

ALL = Asked(
    "test", 1, 2, "fixed", "kind = 'a&b'", "wrong facts", "no data", "50 % of <b> ü", "-score", 7
)


@pytest.mark.parametrize("state", [PLAIN, ALL, Asked(first=0), Asked(words="a+b c")])
def test_an_address_says_all_of_a_state(state: Asked) -> None:
    assert asked(state.query) == state
    way = ServedLinks("run 1/é").rows(state)
    assert asked(way.partition("?")[2]) == state
    assert way.startswith("/view/run/run%201%2F%C3%A9/rows")


def test_a_row_is_named_beside_the_state_that_leads_back() -> None:
    query = ServedLinks("r").row("a&b=c #\ud800", ALL).partition("?")[2]
    assert row_of(query) == "a&b=c #?" and asked(query) == ALL


def test_what_is_not_chosen_is_not_in_the_address() -> None:
    assert ServedLinks("r").rows(PLAIN) == "/view/run/r/rows"
    assert asked("words=&show=&page=&unknown=1") == PLAIN
    assert ALL.but(show="").page == 1


@pytest.mark.parametrize(
    "query",
    ["show=all", "sort=name", "split=train", "page=-1", "page=x", "first=²", "words=" + "x" * 401,
     "second=1234567"],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused(query: str) -> None:
    with pytest.raises(harness.UsageError):
        asked(query)
