"""Prompts that baselines hand over: what is asked stays, and no held-out row is shown."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import PluginError
from harness.records import Example, Prediction
from harness.records.context import Context
from harness.stages.baseline import (
    Baseline,
    Held,
    answered,
    description_of,
    exercise_baseline,
    prompted,
)

USER = {"role": "user", "content": "When?"}
ASKED = [
    Example("d1", ({"role": "system", "content": "Own."}, USER), group="a"),
    Example("d2", ({"role": "user", "content": "Where?"},), group="b"),
]
HELD = Held({"a test row", "When?"}, {"of a": {"a"}, "of both": {"a", "c"}, "of c": {"c"}})


def before(row: Example, *turns: tuple[str, Any]) -> Example:
    added = tuple({"role": role, "content": content} for role, content in turns)
    return dataclasses.replace(row, messages=(*added, *row.messages))


def prompts(made: Any, rows: list[Example]) -> list[Example]:
    baseline: Any = SimpleNamespace(prompts=lambda *given: made)
    return prompted(baseline, rows, [], HELD, Context(Path()))


def says(line: Any) -> str:
    baseline: Any = SimpleNamespace(description=lambda train: line)
    return description_of(baseline, [])


def checked(*rows: Any) -> list[Example]:
    return prompts(rows, ASKED[: len(rows)])


def test_of_a_row_only_its_turns_are_taken() -> None:
    made = dataclasses.replace(before(ASKED[0], ("user", "of c")), references=("x",), meta={"a": 1})
    (found,) = checked(made)
    assert found.messages == made.messages
    assert found.references == () and found.meta == {} and found.group == ""


def test_the_system_turn_may_be_another_one() -> None:
    made = dataclasses.replace(ASKED[0], messages=({"role": "system", "content": "New."}, USER))
    assert checked(made)[0].messages == made.messages


def test_what_is_wrong_is_named() -> None:
    for made, said in [
        (ASKED[1], "has the id 'd2'"),
        (None, "is None"),
        ("text", "is the text"),
        (dataclasses.replace(ASKED[0], messages=()), "its last turns"),
        (
            dataclasses.replace(ASKED[0], messages=(USER, {"role": "user", "content": "!"})),
            "its last turns are not those of the row",
        ),
        (before(ASKED[0], ("tool", "x")), "the role of a turn is the text"),
        (before(ASKED[0], ("user", "a test row")), "it shows a row of dev or test"),
        (before(ASKED[0], ("user", "of a")), "it shows a row that belongs together with it"),
    ]:
        with pytest.raises(PluginError, match=r"prompts\(\)") as found:
            checked(made)
        assert said in found.value.what, made


def test_a_text_that_another_family_says_too_may_be_shown() -> None:
    assert checked(before(ASKED[0], ("user", "of both"), ("assistant", "yes")))


def test_rows_that_are_left_out_are_missed() -> None:
    with pytest.raises(PluginError, match="'d2'"):
        prompts([ASKED[0]], ASKED)


@pytest.mark.parametrize("made", [None, 3, "text", {}])
def test_what_is_no_list_of_rows_is_refused(made: Any) -> None:
    with pytest.raises(PluginError, match="an iterable of"):
        prompts(made, ASKED)


def test_what_it_says_of_itself_is_a_line() -> None:
    assert says("a\n\x1b[31mline") == "a line"
    for wrong in (None, "", "  ", 3):
        with pytest.raises(PluginError, match=r"description\(\)"):
            says(wrong)


class Other(Baseline):
    """Another model, which says what a test tells it to."""

    def __init__(self, made: Any) -> None:
        super().__init__()
        self.made = made

    def prompts(self, rows: Any, train: Any, context: Any) -> Any:
        return rows

    def model(self) -> str:
        return "big"

    def answers(self, rows: Any, context: Any) -> Any:
        return iter(self.made)


D1, D2 = Prediction("d1", "Now."), Prediction("d2", "Here.")


def test_answers_of_another_model_come_in_the_order_of_the_rows() -> None:
    assert answered(Other([D2, D1]), ASKED, Context(Path())) == [D1, D2]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([D1], "1 of 2 prompts unanswered, first 'd2'"),
        ([D1, D1], "answered 'd1' twice"),
        ([D1, D2, Prediction("d3", "")], "answered 'd3', which it was not asked"),
        ([D1, "Here."], "answers(): item 2"),
    ],
)
def test_answers_that_are_no_answers_are_refused(made: Any, said: str) -> None:
    with pytest.raises(PluginError, match=re.escape(said)):
        exercise_baseline(Other(made), ASKED, [], HELD, Context(Path()))
