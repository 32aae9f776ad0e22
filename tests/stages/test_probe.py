"""What probes hand over, and what generators say of texts."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import PluginError
from harness.records import Checkpoint, Example
from harness.records.context import Context
from harness.stages import generator, probe

BASE = Checkpoint("base", "/x", "d")


class Probes:
    """The calls of a probe, and a generator, that give what they are handed."""

    @staticmethod
    def texts(value: Any) -> Any:
        return probe.texts_of(gives("texts", value))

    @staticmethod
    def instructions(value: Any) -> Any:
        return probe.instructions_of(gives("instructions", value))

    @staticmethod
    def rows(value: Any) -> Any:
        return probe.rows_of(gives("rows", value))

    @staticmethod
    def right(value: Any, name: str) -> bool:
        return probe.is_right(gives("right", value), row(name), "yes")

    @staticmethod
    def losses(value: Any, count: int) -> Any:
        return generator.losses_of(gives("losses", value), BASE, ["a"] * count, Context(Path()))


def gives(method: str, value: Any) -> Any:
    return SimpleNamespace(**{method: lambda *asked: value})


def row(name: str, *references: str) -> Example:
    return Example(name, ({"role": "user", "content": "hi"},), references)


def test_what_is_right_passes() -> None:
    assert list(Probes.texts(["", "a"])) == [("", ""), ("a", "")]
    grouped = [("a", "law"), ["b", ""], "c"]
    assert list(Probes.texts(grouped)) == [("a", "law"), ("b", ""), ("c", "")]
    assert list(Probes.losses(iter([(1, 2), (0.5, 0)]), 2)) == [(1.0, 2), (0.5, 0)]
    assert list(Probes.rows([row("a", "b")])) == [row("a", "b")]
    assert Probes.right(True, "a")


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_finite_number_is_none(loss: float) -> None:
    assert list(Probes.losses([(loss, 3)], 1)) == [(None, 3)]


def test_what_is_wrong_is_one_message() -> None:
    for call, said in [
        (lambda: Probes.texts("one text"), "an iterable of"),
        (lambda: Probes.texts(["a", 3]), "item 2 is the number 3"),
        (
            lambda: Probes.texts(["a", ("b", "law", "x")]),
            "Tuple should have at most 2 items",
        ),
        (lambda: Probes.texts([("b", None)]), "[1] is None"),
        (lambda: Probes.texts([{"a": "b"}]), "item 1 is a dict"),
        (lambda: Probes.texts(str(n) for n in iter(int, 1)), "more than 5,000"),
        (lambda: Probes.instructions(["a"]), "item 1"),
        (
            lambda: Probes.instructions([row("a"), row("a")]),
            "('a') has an id that was there before",
        ),
        (lambda: Probes.rows([row("a")]), "no reference"),
        (lambda: [Probes.right(1, "a")], "a valid boolean is due"),
        (lambda: Probes.losses(None, 1), "an iterable of (loss, tokens) is due"),
        (lambda: Probes.losses([(1.0, 2)], 2), "1 results for 2 texts"),
        (lambda: Probes.losses(iter(lambda: (1.0, 2), None), 2), "3 results for 2 texts"),
        (lambda: Probes.losses([1.0], 1), "the number 1.0"),
        (lambda: Probes.losses([(1.0, -1)], 1), "a count of tokens"),
        (lambda: Probes.losses([("[b]", 1)], 1), 'the text "[b]"'),
        (lambda: Probes.losses([(1.0, 1.5)], 1), "the number 1.5"),
    ]:
        with pytest.raises(PluginError) as caught:
            list(call())
        assert said in caught.value.what, call
