"""What is due is said by a type: what was given in place of it is named."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence

import pytest

from harness.boundary import results
from harness.errors import PluginError
from harness.records import Example
from harness.records.context import Context


def refused(call, *words):
    with pytest.raises(PluginError) as caught:
        call()
    message = caught.value.what
    assert [word for word in words if word not in message] == [], message
    json.dumps(message)


def lengths() -> Sequence[int]:
    raise NotImplementedError


def names() -> Iterable[str]:
    raise NotImplementedError


def rows() -> Iterator[Example]:
    raise NotImplementedError


def test_what_is_due_is_what_the_method_is_annotated_with():
    assert results.returned(lengths, [1, 2]) == [1, 2]
    refused(
        lambda: results.returned(lengths, [1, True]), "lengths(): [1] is True", "a valid integer"
    )
    refused(lambda: results.returned(lengths, "12"), 'lengths() is the text "12"')


def test_an_iterable_is_checked_as_it_is_read_and_has_to_end():
    read = results.returned(names, iter(["a", "b", 3]))
    assert [next(iter(read)), next(iter(read))] == ["a", "b"]
    refused(lambda: next(iter(read)), "names(): item 3 is the number 3", "a valid string")
    endless = results.returned(names, itertools.repeat("a"), most=5)
    refused(lambda: list(endless), "names() gives more than 5")
    refused(lambda: list(results.returned(names, "abc")), "an iterable of str")


def test_half_of_a_surrogate_pair_is_a_text():
    """It is written as an escape, and read again."""
    row = Example("\ud83d", ({"role": "user", "content": "\udc00"},), ("\ud83d",))
    assert list(results.returned(rows, [row])) == [row]
    bad = Example("\ud83d", ({"role": "user"},), (5,))
    refused(lambda: list(results.returned(rows, [bad])), "item 1", "references[0] is the number 5")


@pytest.mark.parametrize("given", [None, "x.txt", ["x.txt"], 3])
def test_paths(given):
    refused(lambda: results.paths(given, "inputs()"), "inputs()", "Path")


def test_facts_are_json():
    refused(lambda: results.facts({"a": object()}), "context.note()", "an object")


@pytest.mark.parametrize("remarks", [5, "a text", [5], [None]])
def test_remarks_are_sentences(remarks):
    refused(lambda: results.facts({"remarks": remarks}), "context.remark()")


def test_remarks_and_commands_end():
    assert results.facts({"remarks": ["one"]}) == {"remarks": ["one"]}
    refused(lambda: results.facts({"remarks": ["x"] * 1000}), "context.remark()", "more than 200")
    assert results.commands(["a", "b"]) == ["a", "b"]
    endless = itertools.repeat("a")
    refused(lambda: results.commands(endless), "commands_for_model()", "more than 100")


def test_a_remark_that_is_no_text_is_refused_at_once(tmp_path):
    with pytest.raises(PluginError, match=r"context\.remark\(\) is given a int"):
        Context(tmp_path).remark(5)


class Odd(BaseException):
    def __str__(self):
        raise RuntimeError("no text")


def test_what_was_given_is_named_without_asking_it():
    for given in [Odd(), Odd, object(), "\ud800", "x" * 10**6, 10**400, b"\xff"]:
        text = results.given(given)
        assert len(text) < 100, given
        text.encode()
