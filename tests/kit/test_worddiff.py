"""Two texts word by word, and the reference that is closest to an answer."""

from __future__ import annotations

import functools
import itertools

from hypothesis import given, strategies as st

from harness.kit.worddiff import MOST_WORDS, closest, differences, sides, steps


def test_differences_of_words():
    assert differences("the red fox ran", "the fox ran away") == [
        ("same", "the "), ("missing", "red "), ("same", "fox ran "), ("extra", "away"),
    ]  # fmt: skip
    assert differences("Paris", "Paris.") == [("same", "Paris"), ("extra", ".")]
    assert differences("東京です", "京都です") == [
        ("missing", "東"), ("same", "京"), ("extra", "都"), ("same", "です"),
    ]  # fmt: skip
    assert differences("", "a") == [("extra", "a")] and differences("a", "") == [("missing", "a")]
    assert differences("", "") == []


@given(*[st.text(st.sampled_from("ab \n.,'_é漢字か=<"), max_size=40)] * 2)
def test_the_pieces_are_the_answer_and_the_reference(reference, answer):
    found = differences(reference, answer)
    assert "".join(text for kind, text in found if kind != "missing") == answer
    wanted = "".join(text for kind, text in found if kind != "extra")
    assert "".join(wanted.split()) == "".join(reference.split())


def test_differences_of_endless_texts_are_bounded_and_lose_nothing():
    answer = "b a " * 100_000
    found = differences("a b " * 100_000, answer)
    *compared, (kind, _) = found
    assert kind == "rest" and "rest" not in [kind for kind, _ in compared]
    assert sum(len(text.split()) for _, text in compared) <= 2 * MOST_WORDS
    assert "".join(text for kind, text in found if kind != "missing") == answer
    words = " ".join(["w"] * MOST_WORDS)
    assert differences(words, words) == [("same", words)]
    assert differences(words, f"{words} one two") == [("same", f"{words} "), ("rest", "one two")]


def test_a_lone_short_word_between_two_differences_is_chance():
    assert sides("Return a tuple of numbers", "Return the list of numbers") == (
        [("Return ", False), ("a tuple ", True), ("of numbers", False)],
        [("Return ", False), ("the list ", True), ("of numbers", False)],
    )
    assert sides("Parse a list", "Drop the bag of a thing") == (
        [("Parse a list", True)], [("Drop the bag of a thing", True)],
    )  # fmt: skip
    assert sides("def f(x):\n    return 1", "def g(x):\n    return 1")[0][-1] == (
        "(x):\n    return 1", False,
    )  # fmt: skip
    assert sides("", "x") == ([], [("x", True)])


@given(*[st.text(st.sampled_from("ab \n.,'_é漢字か=<"), max_size=40)] * 2)
def test_both_sides_are_whole_and_pieces_take_turns(reference, answer):
    for text, runs in zip((reference, answer), sides(reference, answer), strict=True):
        assert "".join(words for words, _ in runs) == text
        assert all(words for words, _ in runs)


@given(*[st.lists(st.sampled_from("abc"), max_size=12)] * 2)
def test_steps_are_both_texts_and_take_turns(reference, answer):
    found = list(steps(reference, answer))
    assert [word for step in found for word in step.reference] == reference
    assert [word for step in found for word in step.answer] == answer
    assert all(step.reference == step.answer for step in found if step.same)
    assert all(one.same != other.same for one, other in itertools.pairwise(found))
    shared = sum(len(step.answer) for step in found if step.same)
    assert shared == longest(tuple(reference), tuple(answer))


@functools.cache
def longest(a, b):
    """Words of a longest common subsequence, by its definition."""
    if not a or not b:
        return 0
    if a[0] == b[0]:
        return 1 + longest(a[1:], b[1:])
    return max(longest(a[1:], b), longest(a, b[1:]))


def test_the_closest_reference():
    assert closest(["one two", "three four five"], "four five six") == "three four five"
    assert closest(["one", "two"], "") == "one" and closest([], "a") == ""
