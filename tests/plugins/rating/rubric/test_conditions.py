"""Conditions: what they say, what they refuse, and the laws that they keep."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from harness.errors import ConfigError
from harness_rating.rubric import conditions as ask_if

moderate = settings(max_examples=60, deadline=None)
VALUES = {"a": 3, "b": True, "c": "wrong facts", "d": ["x", "y z"], "e": None}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("a = 3", True), ("a != 3", False), ("a < 3", False), ("a <= 3", True), ("a > 2.5", True),
        ("a >= 4", False), ("b = yes", True), ("b != yes", False), ("b = no", False),
        ('c = "wrong facts"', True), ("c = 'x'", False), ("d has x", True), ("d has 'y z'", True),
        ("d has z", False), ("e = 1", None), ("not e = 1", None), ("f = 1", None),
        ("f != 1", None), ("a = 3 and e = 1", None), ("a = 4 and e = 1", False),
        ("a = 3 or e = 1", True), ("a = 4 or e = 1", None), ("not a = 3 or b = yes", True),
        ("not (a = 3 or b = yes)", False), ("a = 4 and e = 1 or b = yes", True),
        ("a = 3 and (b = no or c != x)", True), ("not not a=3", True), ("  a\n=\t3 ", True),
        ("a = text", None), ("c < 3", None), ("a has 3", None), ("c has w", None),
    ],
)  # fmt: skip
def test_a_condition_holds_or_not_or_is_open(text: str, holds: bool | None) -> None:
    assert ask_if.evaluate(ask_if.parse(text), VALUES) is holds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "column 1: the id of a criterion is needed, not the end"),
        ("a", "column 2: one of = != < <= > >= has is needed, not the end"),
        ("a =", "column 4: a number, a word or a quoted text is needed, not the end"),
        ("a == 3", "column 4: a number"),
        ("a = 3 b = 4", "column 7: 'and', 'or' or the end is needed, not 'b'"),
        ("(a = 3", "column 7: ')' is needed, not the end"),
        ("a = 3)", "column 6: 'and', 'or' or the end is needed, not ')'"),
        ("a = 3 and", "column 10: the id of a criterion"),
        ("and = 3", "column 1: the id of a criterion is needed, not 'and'"),
        ("a = or", "column 5: a number"),
        ("3 = a", "column 1: the id of a criterion is needed, not '3'"),
        ("a = 3; b", "cannot be read from column 6"),
        ("a = 'open", "cannot be read from column 5"),
        ("a = 3x", "cannot be read from column 5"),
        ("__import__('os')", "column 11: one of ="),
        ("(" * 40 + "a = 1" + ")" * 40, "more than 16 brackets"),
        ("not " * 40 + "a = 1", "more than 16 brackets"),
        ("a = 1 or " * 80 + "a = 1", "at most 500 characters"),
    ],
)
def test_what_is_no_condition_is_refused_with_its_column(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ask_if.parse(text)
    assert words in caught.value.what


names = st.sampled_from(["a", "b", "long_name", "x1"])
numbers = st.integers(-9999, 9999) | st.floats(-999, 999).map(lambda x: round(x, 3))
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='"'), max_size=12)
tests_ = st.builds(
    ask_if.Test, names, st.sampled_from(ask_if.OPS), numbers | st.sampled_from(["yes", "no", "and"])
) | st.builds(ask_if.Test, names, st.sampled_from(["=", "!=", "has"]), words)
conditions = st.recursive(
    tests_,
    lambda inner: (
        st.builds(ask_if.Not, inner)
        | st.builds(ask_if.All, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(ask_if.AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=5,
)
answers = st.dictionaries(
    names, st.none() | st.booleans() | numbers | words | st.lists(words, max_size=2)
)


@moderate
@given(conditions)
def test_a_condition_reads_as_it_was_written(condition: ask_if.Condition) -> None:
    text = ask_if.unparse(condition)
    if len(text) <= ask_if.LONGEST:
        assert ask_if.parse(text) == condition


@moderate
@given(conditions, conditions, answers)
def test_conditions_obey_the_laws_of_logic(
    one: ask_if.Condition, two: ask_if.Condition, values: dict[str, Any]
) -> None:
    def holds(condition: ask_if.Condition) -> bool | None:
        return ask_if.evaluate(condition, values)

    both, either = ask_if.All((one, two)), ask_if.AnyOf((one, two))
    assert holds(ask_if.Not(ask_if.Not(one))) is holds(one)
    assert holds(both) is holds(ask_if.All((two, one)))
    assert holds(ask_if.Not(both)) is holds(ask_if.AnyOf((ask_if.Not(one), ask_if.Not(two))))
    assert holds(ask_if.AnyOf((one, both))) is holds(one)
    if holds(one) is not None and holds(two) is not None:
        assert holds(both) is (holds(one) and holds(two))
        assert holds(either) is (holds(one) or holds(two))


@moderate
@given(conditions, answers, answers)
def test_what_is_known_stays_so_when_more_is_answered(
    condition: ask_if.Condition, values: dict[str, Any], more: dict[str, Any]
) -> None:
    known = ask_if.evaluate(condition, values)
    fuller = {**more, **{key: value for key, value in values.items() if value is not None}}
    if known is not None:
        assert ask_if.evaluate(condition, fuller) is known


@settings(max_examples=80, deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from([*"ab()'\"<>=!3.-", "and", "or", "not", "has", "a < 3", " "]), max_size=25
    ).map(" ".join)
)
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        condition = ask_if.parse(text)
    except ConfigError:
        return
    assert ask_if.evaluate(condition, VALUES) in (True, False, None)
    assert json.loads(json.dumps(ask_if.tree(condition))) == ask_if.tree(condition)


def test_a_page_gets_the_condition_as_a_tree() -> None:
    condition = ask_if.parse("not a < 3 and b = yes or d has x")
    assert ask_if.tree(condition) == {
        "op": "or",
        "of": [
            {
                "op": "and",
                "of": [
                    {"op": "not", "of": [{"op": "<", "criterion": "a", "value": 3}]},
                    {"op": "=", "criterion": "b", "value": "yes"},
                ],
            },
            {"op": "has", "criterion": "d", "value": "x"},
        ],
    }
