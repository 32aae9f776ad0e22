"""Records that plugins may read and not change."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest

from harness.boundary.calls import plainly
from harness.boundary.lending import Lent
from harness.errors import DataError, InputChanged, PluginError, Waiting
from harness.records import (
    Condition,
    ErrorLabel,
    Example,
    PlanItem,
    Prediction,
    ScoredExample,
    Slice,
    Trial,
)


def row(name: str = "a") -> Example:
    call = {"name": "look", "arguments": {"in": ["x", 1]}}
    turns = ({"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [call]})
    return Example(name, turns, ("Ho",), meta={"n": 1}, tools=({"name": "look"},))


def scored() -> ScoredExample:
    return ScoredExample(row(), Prediction("a", "Ho", message={"content": "Ho"}), {"bleu": 0.5})


CHANGES: list[tuple[Any, Callable[[Any], Any], str]] = [
    (row(), lambda one: one.messages[0].update(content="Hi "), "row 'a': messages"),
    (row(), lambda one: one.messages[1]["tool_calls"][0]["arguments"]["in"].append(2), "messages"),
    (row(), lambda one: one.meta.update(n=True), "row 'a': meta"),
    (row(), lambda one: one.meta.update(more=object()), "row 'a': meta"),
    (row(), lambda one: one.tools[0].clear(), "row 'a': tools"),
    (row(), lambda one: object.__setattr__(one, "references", ("Hu",)), "row 'a': references"),
    (row(), lambda one: object.__setattr__(one, "split", "test"), "row 'a': split"),
    (scored(), lambda one: one.values.update(bleu=1.0), "row 'a': values"),
    (scored(), lambda one: one.example.messages[0].clear(), "row 'a': messages"),
    (scored(), lambda one: object.__setattr__(one.prediction, "text", "Hu"), "row 'a': text"),
    (scored(), lambda one: one.prediction.message.clear(), "row 'a': message"),
    (ErrorLabel("a", "empty"), lambda one: object.__setattr__(one, "category", "x"), "category"),
    (Trial(2, {"train.r": 8}), lambda one: one.values.update({"train.r": 9}), "trial 3: values"),
    (
        PlanItem(Slice((Condition("kind", "=", "x"),), 9, 9, 0.1, 0.2, 0.1, 0.3), 4, "add"),
        lambda one: object.__setattr__(one.slice.conditions[0], "value", "y"),
        "a PlanItem: slice",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("record", "change", "named"), CHANGES)
def test_a_change_is_seen_and_named(record: Any, change: Callable[[Any], Any], named: str) -> None:
    call = plainly("the plugin", lent=Lent((row("b"),), [record]))
    with pytest.raises(InputChanged) as caught, call:
        change(record)
    assert named in caught.value.what
    assert caught.value.where == "the plugin" and caught.value.exit_code == 5


@pytest.mark.parametrize("change", [list.clear, list.reverse, lambda rows: rows.append(row())])
def test_the_list_itself_counts(change: Callable[[list[Example]], None]) -> None:
    rows = [row("a"), row("b")]
    lent = Lent(rows)
    change(rows)
    with pytest.raises(InputChanged, match="the list of rows itself"):
        lent.check()


def test_what_was_only_read_passes() -> None:
    rows = [row("a"), dataclasses.replace(row("b"), meta=MappingProxyType({"n": 1}))]
    lent = Lent(rows, (scored(),), (Trial(0, {}),), ())
    for one in rows:
        dict(one.meta)["n"] = 2
        dataclasses.replace(one, references=())
    lent.check()


def test_a_plugin_that_changes_and_raises_has_changed() -> None:
    rows = (row(),)

    def change_and_raise() -> None:
        with plainly("the plugin", lent=Lent(rows)):
            rows[0].messages[0]["content"] = "x"  # type: ignore[index]
            raise ValueError("and then")

    with pytest.raises(InputChanged) as caught:
        change_and_raise()
    assert isinstance(caught.value.__cause__, ValueError)


def test_what_is_nested_too_deeply_is_named() -> None:
    deep: list[Any] = []
    for _ in range(3000):
        deep = [deep]
    with pytest.raises(DataError, match="row 'a': meta is nested too deeply"):
        Lent((dataclasses.replace(row("a"), meta={"deep": deep}),))
    rows = (row("a"),)
    lent = Lent(rows)
    rows[0].meta["deep"] = deep  # type: ignore[index]
    with pytest.raises(InputChanged, match="row 'a': meta"):
        lent.check()


def test_who_waits_is_left_alone() -> None:
    with pytest.raises(Waiting), plainly("the plugin", lent=Lent((row(),))):
        raise Waiting("for raters", ())


def test_nobody_who_goes_on_after_a_failure_of_a_plugin_goes_on_after_it() -> None:
    assert not issubclass(InputChanged, PluginError)
    assert InputChanged.exit_code == PluginError.exit_code
