"""Columns whose names say nothing: told by what stands in them, or not at all."""

from __future__ import annotations

import pytest

from harness import DataError
from harness_rows.initial.fields import look
from harness_rows.initial.guessing import guessed, in_flags

TEXTS = [f"what is said of number {n} here" for n in range(40)]
OTHERS = [f"and {n} is what is answered" for n in range(40)]
NAMES = [f"k{n // 4}" for n in range(40)]
KINDS = ["alpha", "beta"] * 20


def records(**columns):
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"frage": TEXTS, "antwort": OTHERS}, {"prompt": "frage", "references": ["antwort"]}),
        (
            {"kunde": NAMES, "frage": TEXTS, "antwort": OTHERS, "thema": KINDS},
            {"prompt": "frage", "references": ["antwort"]},
        ),
        ({"satz": TEXTS, "urteil": KINDS}, {"prompt": "satz", "references": ["urteil"]}),
        ({"one": TEXTS, "two": OTHERS, "three": TEXTS}, None),
        ({"one": TEXTS, "two": list(range(40))}, None),
        ({"one": TEXTS}, None),
        ({"one": TEXTS, "two": KINDS, "three": KINDS}, None),
        ({"one": NAMES, "two": KINDS}, None),
    ],
)
def test_two_columns_can_be_meant(columns, found):
    assert guessed(list(columns), records(**columns)) == found


def test_keys_of_a_config_become_options():
    told = DataError("no", hint="write `columns: {prompt: a b, references: c}` under `data:`")
    assert in_flags(told).hint == "write: --column 'prompt=a b' --column references=c"
    other = DataError("no", hint="something else")
    assert in_flags(other) is other


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
