"""Word differences: both texts come out whole, whatever they hold, and the rest reads well."""

from __future__ import annotations

import itertools

from hypothesis import given, strategies as st

from harness_reports.words import LIMIT, differences

WORDS = st.lists(st.sampled_from(["the", "a", "of", "Ring", "ring,", "list"]), max_size=30).map(
    " ".join
)


@given(WORDS, WORDS)
def test_differences_hold_both_texts(reference: str, answer: str) -> None:
    parts = differences(reference, answer)
    assert " ".join(text for kind, text in parts if kind != "extra") == reference
    assert " ".join(text for kind, text in parts if kind != "missing") == answer
    kinds = [kind for kind, _ in parts]
    assert all(a != b for a, b in itertools.pairwise(kinds))


def test_differences_read_well() -> None:
    assert differences("Return a tuple of numbers", "Return the list of numbers") == [
        ("same", "Return"), ("missing", "a tuple"), ("extra", "the list"), ("same", "of numbers"),
    ]  # fmt: skip
    assert differences("Parse a list", "Drop the bag of a thing") == [
        ("missing", "Parse a list"), ("extra", "Drop the bag of a thing"),
    ]  # fmt: skip
    assert differences("def f(x):\n    return 1", "def g(x):\n    return 1", lines=True)[-1] == (
        "same", "\n    return 1",
    )  # fmt: skip
    assert differences("", "") == []
    assert sum(len(text) for _, text in differences("x" * 10**6, "y " * 10**6)) <= 2 * LIMIT
