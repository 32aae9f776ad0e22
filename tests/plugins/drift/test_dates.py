"""Fields that say when a row was asked, by their values."""

from __future__ import annotations

import math
from datetime import date

import pytest

from harness_drift.dates import day_of, of_calendar, weeks

JUNE_1 = date(2026, 6, 1).toordinal()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("month", [5, 6]), ("day", [3, 14, 31]), ("hour", [0, 23]), ("weekday", [0, 6]),
        ("weekOfYear", [22, 23]), ("iso_week", ["22", "23"]), ("year", [2025, 2026]),
        ("Monat", [5, 6]), ("dayOfWeek", [0, 6]), ("request_day", [30, 31]),
        ("x", ["2026-06-01", "2026-06-02"]), ("x", ["2026-06-01T10:00:00Z", "2026-06-08 09:00"]),
        ("x", ["01.06.2026", "02.06.2026"]), ("x", ["6/23/2026"]), ("x", ["2026/06/01"]),
        ("x", ["Mon, 01 Jun 2026 10:00:00 GMT"]), ("x", ["1 June 2026", "June 2, 2026"]),
        ("x", [1780272000, 1780358400.5]), ("x", ["1780272000"]), ("x", [1780272000123]),
        ("x", [20260601, 20260602]), ("x", ["2026-06", "2026-07"]), ("x", ["2026-W23"]),
        ("x", ["W23", "w24"]), ("x", ["week 3"]), ("x", ["Q2", "2026-Q3"]),
        ("x", ["May", "june", "Sep"]), ("x", ["Mon", "Tuesday"]),
        ("asked_at", ["10:15", "9:05:30 pm"]),
        ("x", ["2026-06-01"] * 9 + ["unknown"]),
    ],
)  # fmt: skip
def test_what_says_when_a_row_was_asked_is_of_the_calendar(name, values):
    assert of_calendar(name, values)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("days_open", [1, 5, 12]), ("hours", [1, 2]), ("price", [1, 12]), ("birth_year", [1980]),
        ("topic", ["billing", "day pass"]), ("name", ["May", "Bill", "Ann"]),
        ("size", ["M1", "M2"]), ("length", ["10:15"]), ("month", ["free", "trial"]),
        ("version", ["1.2.3"]), ("month", [True, False]), ("month", [math.nan, math.inf]),
        ("day", [10**400]), ("x", ["9" * 5000]), ("x", ["\ud800", ""]), ("x", ["2026-13-41"]),
        ("x", ["2026-06-01 is when " + "we met " * 9]), ("x", [17, 1780272000]), ("x", []),
    ],
)  # fmt: skip
def test_what_a_prompt_is_about_is_not(name, values):
    assert not of_calendar(name, values)


@pytest.mark.parametrize(
    "value",
    ["2026-06-01T23:59:59+02:00", "1.6.2026", "June 1, 2026", "2026-W23", 1780315200, 20260601,
     "Mon, 01 Jun 2026 10:00:00 GMT", "1780315200000"],
)  # fmt: skip
def test_a_day_is_read_in_each_form(value):
    assert day_of(value) == JUNE_1


def test_weeks_are_those_of_the_field_with_the_fewest():
    fields = [
        {"asked": f"2026-06-{at + 1:02}", "born": f"19{60 + at}-01-0{1 + at % 9}", "kind": "a"}
        for at in range(28)
    ]
    name, of = weeks(fields, [True] * 28)
    assert name == "asked"
    assert [of.count(week) for week in sorted(set(of))] == [7, 7, 7, 7]
    assert max(of) - min(of) == 3


def test_a_number_of_the_week_is_a_week_and_no_field_is_none():
    fields = [{"week": 20 + at // 5, "day": at} for at in range(20)]
    assert weeks(fields, [True] * 20) == ("week", [20 + at // 5 for at in range(20)])
    assert weeks([{"kind": "a"}] * 3, [True] * 3) == ("", [None] * 3)
    assert weeks([{"week": "23"}, {}], [True, False]) == ("", [None, None])
