"""Values become columns that DuckDB reads, or are refused before it sees them."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from harness.database.columns import layout
from harness.database.writing import WHOLE

LAYOUT = layout("a", "a:s b:i c:f d:b e:l f:n g:j")
ROW = {"a": "x", "b": 1, "c": 1.5, "d": True, "e": ["p", "q"], "f": [1, 2], "g": {"k": 1}}


def stored(*rows):
    with duckdb.connect() as connection:
        connection.execute(f"{WHOLE}; CREATE SCHEMA raw; {LAYOUT.ddl('t')}")
        connection.register("incoming", LAYOUT.block(rows))
        connection.execute("INSERT INTO raw.t FROM incoming")
        return connection.execute("FROM raw.t").fetchall()


@pytest.mark.parametrize("first", [1, 5_000])
def test_each_kind_comes_back_after_many_rows_without_a_value(first):
    """DuckDB looks at some values of a column to know what it holds."""
    empty = dict.fromkeys(ROW)
    rows = stored(*[empty] * first, ROW, ROW | {"b": 2**63 - 1, "e": [], "f": [2**60]})
    assert rows[0] == (None, None, None, None, None, None, "null")
    assert rows[first] == ("x", 1, 1.5, True, ["p", "q"], [1, 2], '{"k": 1}')
    assert rows[first + 1][1] == 2**63 - 1 and rows[first + 1][4:6] == ([], [2**60])


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_a_number_that_is_not_finite_is_null(value):
    [row] = stored(ROW | {"c": value, "g": [value]})
    assert row[2] is None and row[6] == "[null]"


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b", "\udc80"])
def test_texts_are_cleaned_of_what_duckdb_cannot_hold(text):
    rows = stored(ROW, ROW | {"a": text, "e": ["whole", text], "g": {text: text}})
    assert rows[0][0] == "x" and rows[1][4][0] == "whole"
    assert "\0" not in "".join((rows[1][0], *rows[1][4], rows[1][6]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"a": 5}, {"a": b"x"}, {"b": "5"}, {"b": 1.5}, {"b": 2**63}, {"c": "1.5"}, {"c": 10**400},
        {"d": 1}, {"d": np.True_}, {"e": "text"}, {"e": [1]}, {"f": ["a"]}, {"f": [1.5]},
        {"f": [2**63]},
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused(wrong):
    with pytest.raises((TypeError, OverflowError)):
        LAYOUT.block([ROW, ROW | wrong])


def test_a_value_of_all_rows_is_repeated():
    block = LAYOUT.block([{**ROW, "a": str(n)} for n in range(3)], {"b": 7, "e": ["one"]})
    assert block["a"].tolist() == ["0", "1", "2"]
    assert block["b"].tolist() == [7, 7, 7] and block["e"].tolist() == [["one"]] * 3
    with pytest.raises(KeyError):
        LAYOUT.block([{"a": "x"}])
