"""Kinds of errors that raters named, counted in answers."""

from __future__ import annotations

import pytest

from harness_rating.batches.records import Rating
from harness_rating.ratings.error_categories import named_errors, named_rows
from tests.plugins.rating import material


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    return material.batch(tmp_path_factory.mktemp("r"), versus=0, n=12, overlap=1.0, repeats=0.2)


def items(batch, number, repeats=False):
    """The items of one round, in the order of their examples."""
    found = [
        (one.example_id, name) for name, one in batch.placings.items()
        if one.rounds == (number,) and (one.repeat_of is not None) is repeats
    ]  # fmt: skip
    return [name for _, name in sorted(found)]


def chose(item, *kinds, rater="ana", at="1"):
    return Rating(rater, item, "errors", list(kinds), at)


def counts(*found):
    rows = named_rows(found)
    return {(r["round"], r["category"]): (r["answers"], r["rated"]) for r in rows}


def test_an_answer_counts_once_for_each_kind(batch):
    first, second, *_ = items(batch, 3)
    (other, *_) = items(batch, 0)
    said = [
        chose(first, "wrong facts", "a; b"), chose(first, "wrong facts", rater="bo"),
        chose(second), chose(other, "a; b"),
    ]  # fmt: skip
    found = named_errors(batch, said)
    expected = {(0, "a; b"): (1, 1), (3, "a; b"): (1, 2), (3, "wrong facts"): (1, 2)}
    assert counts(found) == expected
    assert counts(found, found) == expected  # in another batch the same answers


@pytest.mark.parametrize(("other", "expected"), [("a; b", "a; b"), ("wrong facts", "wrong facts")])
def test_what_was_settled_counts_where_raters_differed(batch, other, expected):
    (first, *_) = items(batch, 3)
    said = [
        chose(first, "wrong facts"), chose(first, other, rater="bo"),
        chose(first, "a; b", rater="settled-cy", at="2"),
    ]  # fmt: skip
    assert counts(named_errors(batch, said)) == {(3, expected): (1, 1)}


def test_hidden_repeats_are_left_out(batch):
    again = items(batch, 3, repeats=True) + items(batch, 0, repeats=True)
    assert again and counts(named_errors(batch, [chose(item, "a; b") for item in again])) == {}


def test_answers_that_cannot_be_judged_are_rated(batch):
    first, second, *_ = items(batch, 3)
    said = [chose(first, "a; b"), Rating("ana", second, "quality", None, "1")]
    assert counts(named_errors(batch, said)) == {(3, "a; b"): (1, 2)}


def test_a_rubric_that_does_not_ask_names_nothing(tmp_path):
    pairs = material.batch(
        tmp_path, material.rubric(material.PREFERENCE, id="pairs"), versus=0, n=4
    )
    item = pairs.items[0].id
    found = named_errors(pairs, [Rating("ana", item, "preference", "A", "1")])
    assert (found.rated, found.categories) == (frozenset(), frozenset())
