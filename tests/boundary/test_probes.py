"""What probes hand over, and what generators say of texts."""

from __future__ import annotations

import math
from typing import Any

import pytest

from harness.boundary import probes
from harness.errors import PluginError
from harness.records import Example


def row(name: str, *references: str) -> Example:
    return Example(name, ({"role": "user", "content": "hi"},), references)


def test_what_is_right_passes() -> None:
    assert list(probes.texts(["", "a"])) == [("", ""), ("a", "")]
    grouped = [("a", "law"), ["b", ""], "c"]
    assert list(probes.texts(grouped)) == [("a", "law"), ("b", ""), ("c", "")]
    assert list(probes.losses(iter([(1, 2), (0.5, 0)]), 2)) == [(1.0, 2), (0.5, 0)]
    assert list(probes.rows([row("a", "b")])) == [row("a", "b")]
    assert probes.right(True, "a")


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_finite_number_is_none(loss: float) -> None:
    assert list(probes.losses([(loss, 3)], 1)) == [(None, 3)]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: probes.texts("one text"), "an iterable of texts is due"),
        (lambda: probes.texts(["a", 3]), "text 2 is the number 3"),
        (lambda: probes.texts(["a", ("b", "law", "x")]), "a text and the name of its group"),
        (lambda: probes.texts([("b", None)]), "text 1 has"),
        (lambda: probes.texts([{"a": "b"}]), "text 1 is"),
        (lambda: probes.texts(str(n) for n in iter(int, 1)), "more than 5,000"),
        (lambda: probes.instructions(["a"]), "row 1"),
        (lambda: probes.instructions([row("a"), row("a")]), "the id 'a' is there twice"),
        (lambda: probes.rows([row("a")]), "no reference"),
        (lambda: [probes.right(1, "a")], "True or False is due"),
        (lambda: probes.losses(None, 1), "an iterable of (loss, tokens) is due"),
        (lambda: probes.losses([(1.0, 2)], 2), "1 results for 2 texts"),
        (lambda: probes.losses(iter(lambda: (1.0, 2), None), 2), "3 results for 2 texts"),
        (lambda: probes.losses([1.0], 1), "the number 1.0"),
        (lambda: probes.losses([(1.0, -1)], 1), "a count of tokens"),
        (lambda: probes.losses([("[b]", 1)], 1), 'the text "[b]"'),
        (lambda: probes.losses([(1.0, 1.5)], 1), "the number 1.5"),
    ],
)
def test_what_is_wrong_is_one_message(call: Any, said: str) -> None:
    with pytest.raises(PluginError) as caught:
        list(call())
    assert said in caught.value.what
