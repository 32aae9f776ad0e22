"""Columns that are facts, groups or neither, and choices as commands to paste."""

from __future__ import annotations

import pytest

from harness import DataError
from harness_rows.initial.fields import look
from harness_rows.initial.guessing import in_commands
from harness_rows.initial.request import Request


def test_keys_of_a_config_become_commands():
    request = Request(data="rows.csv", column=["references=b", "group=g"], system="Be brief.")
    told = DataError("no", hint="write `columns: {prompt: a b, references: c}` under `data:`")
    assert in_commands(told, request).hint == (
        "write: harness init rows.csv --column group=g --system 'Be brief.' "
        "--column 'prompt=a b' --column references=c"
    )
    other = DataError("no", hint="something else")
    assert in_commands(other, request) is other


@pytest.mark.parametrize(
    ("name", "values", "group", "likely"),
    [
        ("customer", [f"c{n // 3}" for n in range(300)], "customer", ""),
        ("Customer ID", [n // 3 for n in range(300)], "Customer ID", ""),
        ("kunde", [f"c{n // 3}" for n in range(300)], "", "kunde"),
        ("customer", [f"c{n}" for n in range(300)], "", ""),
        ("customer", ["most"] * 200 + [f"c{n // 2}" for n in range(100)], "", ""),
        ("customer", [None] * 100 + [f"c{n // 2}" for n in range(200)], "", ""),
        ("topic", ["a", "b", "c"] * 100, "", ""),
    ],
)
def test_columns_of_origins(name, values, group, likely):
    found = look(({name: value} for value in values), [name])
    assert (found.group, found.likely) == (group, likely)
    assert found.facts == (("topic",) if name == "topic" else ())


def test_nested_values_and_long_texts_are_no_facts():
    rows = [{"list": [1], "text": "x" * 300, "flag": n % 2 == 0, "few": n % 3} for n in range(90)]
    assert look(rows, ["list", "text", "flag", "few", "absent"]).facts == ("flag", "few")


@pytest.mark.parametrize("name", ["score_chosen", "score", "Annotator", "topic.suggestion"])
def test_what_is_known_of_answers_is_no_fact(name):
    assert look([{name: n % 3} for n in range(90)], [name]).facts == ()


def test_dates_are_neither_facts_nor_groups():
    rows = [
        {"day": f"2024-03-{n % 28 + 1:02}", "customer": f"2024-{n // 9}-01"} for n in range(600)
    ]
    found = look(rows, ["day", "customer"])
    assert (found.facts, found.group, found.likely) == ((), "", "")


def test_a_column_that_repeats_the_answer_in_each_row_says_nothing_of_the_row():
    rows = [
        {"answer": f"a{n // 4}", "again": f"a{n // 4}", "kunde": f"c{n // 3}"} for n in range(300)
    ]
    assert look(rows, ["again", "kunde"]).likely == "kunde"
    assert look([*rows, {**rows[0], "again": "b"}], ["again", "kunde"]).likely == "again"
