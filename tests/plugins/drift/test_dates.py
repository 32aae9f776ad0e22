"""Fields that say when a row was asked, by their values."""

from __future__ import annotations

import math
from datetime import date, timedelta

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
        ("asked_at", ["10:15", "9:05:30 pm"]), ("Kalenderwoche", [22, 23]), ("Tag", [3, 14, 31]),
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
        ("orders_per_day", [3, 5, 40]), ("messagesPerHour", [3, 14]), ("Fragen_pro_Monat", [2]),
        ("tag", [3, 14, 44]), ("tag_id", [3, 14]), ("user_tag", ["17"]),
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
    assert day_of(value, False) == JUNE_1


def days(count, start=date(2026, 3, 2), step=1):
    return [start + timedelta(step * at) for at in range(count)]


def read(values, name="asked"):
    """The weeks of one field."""
    return weeks([{name: value} for value in values], [True] * len(values))[1]


def test_weeks_are_those_of_the_dates_with_the_fewest():
    fields = [
        {"asked": f"2026-06-{at + 1:02}", "account": f"19{60 + at}-01-0{1 + at % 9}", "kind": "a"}
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


@pytest.mark.parametrize(
    "name", ["Week", "week_number", "weekNo", "iso_week", "calendar week", "weekOfYear", "Woche",
             "Kalenderwoche", "Wochennummer"],
)  # fmt: skip
def test_a_name_of_a_week_makes_its_numbers_weeks(name):
    assert read([22, "23", "KW 24"], name) == [22, 23, 24]


@pytest.mark.parametrize(
    "name", ["day_of_week", "visits_per_week", "weeks_open", "week_year", "week_birth"]
)
def test_other_numbers_with_a_week_in_their_names_are_none(name):
    assert read([1, 2, 3], name) == [None] * 3


def test_dates_are_taken_before_numbers_and_births_never():
    fields = [{"date": day.isoformat(), "week": 1 + at // 30} for at, day in enumerate(days(120))]
    name, of = weeks(fields, [True] * 120)
    assert name == "date"
    assert len(set(of)) == 18
    fields = [{"born": f"1980-01-{8 * at + 1:02}", "week": at} for at in range(4)]
    assert weeks(fields, [True] * 4) == ("week", [0, 1, 2, 3])


@pytest.mark.parametrize("form", ["%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%m-%d-%Y"])
@pytest.mark.parametrize("count", [84, 11])
def test_day_and_month_have_one_order_in_a_field(form, count):
    # The first eleven days are read in both ways; those that lie closer together are right.
    asked = days(count, date(2026, 6, 1))
    assert read([day.strftime(form) for day in asked]) == read([day.isoformat() for day in asked])


def test_one_day_beyond_twelve_decides_the_order():
    # Of the fifth of each month: read as days of May they would be of fewer weeks.
    values = [f"{month:02}/05/2026" for month in range(1, 12)]
    assert len(set(read(values))) == 3
    assert read([*values, "11/30/2026"]) == read(
        [*(f"2026-{month:02}-05" for month in range(1, 12)), "2026-11-30"]
    )


def test_a_field_of_both_orders_has_no_weeks():
    assert read(["06/13/2026", "13/06/2026", "07/20/2026", "20/07/2026"]) == [None] * 4


def test_numbers_of_weeks_go_on_over_new_year():
    asked = days(20, date(2025, 10, 6), 7)
    numbers = [day.isocalendar().week for day in asked]
    assert numbers[-1] < numbers[0]
    of = read(numbers, "week")
    assert [week - of[0] for week in of] == list(range(20))
    # The same in a year with a week 53, and in live rows, which have no say in where it begins.
    assert read([52, 53, 1], "week") == [52, 53, 54]
    fields = [{"week": number} for number in (50, 51, 52, 1, 2)]
    assert weeks(fields, [True] * 3 + [False] * 2)[1] == [50, 51, 52, 53, 54]


def test_numbers_of_all_weeks_of_a_year_may_be_of_several():
    assert read(list(range(1, 53)), "week") == [None] * 52
    assert read(list(range(1, 52)), "week") == list(range(1, 52))
    # Numbers beyond those of a year are counted on.
    assert read(list(range(1, 61)), "week") == list(range(1, 61))
