"""Fields that say when a row was asked, recognised by their values: dates, clocks, months, weeks.

Two batches were asked at different times, so such a field differs wherever it overlaps in part,
and says nothing of what is asked.
"""

from __future__ import annotations

import calendar
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise

Value = str | float | bool

ENOUGH = 0.9
"""Share of a field's values that have to be of the calendar."""

LONGEST = 40
"""Characters of a value that may be a date."""

_DAYS = (*calendar.day_name, *calendar.day_abbr)
_MONTHS = (*calendar.month_name[1:], *calendar.month_abbr[1:])
_NAMED = {name.casefold() for name in (*_DAYS, *_MONTHS)}
_PERIOD = re.compile(
    r"(?:\d{4}[-/ ]?)?(?:(?:w|wk|kw|week|month|day)[-_ ]?\d{1,3}|(?:q|quarter)[-_ ]?[1-4])"
    r"|\d{4}[-/.]\d{1,2}"
)
_ISO_WEEK = re.compile(r"(\d{4})-?w(\d{1,2})", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:$|[ t])", re.IGNORECASE)
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:$|[ ,])")
_WRITTEN = ("%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%B %d %Y", "%b %d %Y")
_IN_WORDS = re.compile(r"(?=.*\b\d{4}\b)(?=.*[A-Za-z]{3}).{8,40}")
_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[ap]m)?", re.IGNORECASE)

# Names of numbers -> the least and the greatest that they take. Counts of time (`days`, `hours`)
# are no dates.
_OF_CALENDAR = {
    "quarter": (1, 4), "weekday": (0, 7), "dow": (0, 7), "month": (0, 12), "hour": (0, 24),
    "minute": (0, 60), "week": (0, 10_000), "day": (0, 10_000), "doy": (0, 366),
    "year": (1900, 2200),
    "monat": (0, 12), "stunde": (0, 24), "woche": (0, 10_000), "kalenderwoche": (0, 53),
    "wochentag": (0, 7), "jahr": (1900, 2200),
    "mois": (0, 12), "heure": (0, 24), "semaine": (0, 10_000), "jour": (0, 10_000),
    "mes": (0, 12), "hora": (0, 24), "semana": (0, 10_000), "dia": (0, 10_000),
}  # fmt: skip
_OF_CLOCK = {"time", "clock", "hour", "at", "uhrzeit", "heure", "hora"}
_OF_THINGS = {"birth", "born", "model", "per", "pro", "par", "por"}
"""In names of what is a property of users and things: their years, and rates (`visits_per_day`)."""
_NUMBER_OF_WEEK = re.compile(
    r"(?:(?:iso|calendar|kalender) ?)?(?:week|wochen?|semaine|semana)"
    r"(?: ?(?:number|no|nr|nummer)| of year)?"
)
_WEEKS_OF_YEAR = 52
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SINCE_1970 = (9.4e8, 4.2e9)
"""Seconds of the years from 2000 to 2100."""


def of_calendar(name: str, values: Sequence[Value]) -> bool:
    """Whether a field says when rows were asked.

    Args:
        values: those of its values that are known.
    """
    words = _words(name)
    of_name = set(words)
    limits = [] if of_name & _OF_THINGS else [
        limit for word, limit in _OF_CALENDAR.items() if word in of_name
    ]  # fmt: skip
    if words == ["tag"]:  # a German day, or an English label
        limits = [(1, 31)]

    def known(value: Value) -> bool:
        if isinstance(value, bool):
            return False
        if any(day_of(value, month_first) is not None for month_first in (False, True)):
            return True
        if isinstance(value, str):
            if len(value) > LONGEST:
                return False
            text = value.strip().casefold()
            if text.rstrip(".") in _NAMED or _PERIOD.fullmatch(text):
                return True
            if of_name & _OF_CLOCK and _CLOCK.fullmatch(text):
                return True
            if not text.isascii() or not text.isdigit():
                return False
            value = int(text)
        return value == value // 1 and any(low <= value <= high for low, high in limits)

    # Many rows share a day: each value is read once, and 1 is no True.
    counts = Counter((type(value), value) for value in values)
    dated = sum(count for (_, value), count in counts.items() if known(value))
    return bool(values) and dated >= ENOUGH * len(values)


def day_of(value: Value, month_first: bool) -> int | None:
    """The day that a value names, counted from the first of January of the year 1.

    Args:
        month_first: how 6/7/2026 is read: as the seventh of June, or the sixth of July.
    """
    try:
        if isinstance(value, str):
            return _day_of_text(value.strip(), month_first) if len(value) <= LONGEST else None
        return None if isinstance(value, bool) else _day_of_number(value)
    except (ValueError, TypeError, OverflowError):
        return None


def _day_of_text(text: str, month_first: bool) -> int | None:
    if match := _YEAR_FIRST.match(text):
        return date(*map(int, match.groups())).toordinal()
    if match := _YEAR_LAST.match(text):
        one, other, year = map(int, match.groups())
        month, day = (one, other) if month_first else (other, one)
        return date(year, month, day).toordinal()
    if match := _ISO_WEEK.fullmatch(text):
        return date.fromisocalendar(int(match[1]), int(match[2]), 1).toordinal()
    if text.isascii() and re.fullmatch(r"\d{8,19}(?:\.\d+)?", text):
        return _day_of_number(float(text))
    if not _IN_WORDS.fullmatch(text):
        return None
    for form in _WRITTEN:
        try:
            return datetime.strptime(text, form).toordinal()
        except ValueError:
            continue
    return parsedate_to_datetime(text).toordinal()


def _day_of_number(number: float) -> int | None:
    """Of seconds since 1970, or of their thousandths, millionths and billionths; of 20260601."""
    if float(number).is_integer() and 19_000_101 <= number <= 22_001_231:
        return datetime.strptime(str(int(number)), "%Y%m%d").toordinal()
    for scale in (1, 1e3, 1e6, 1e9):
        if _SINCE_1970[0] <= number / scale <= _SINCE_1970[1]:
            since = timedelta(seconds=number / scale)
            return (datetime(1970, 1, 1, tzinfo=UTC) + since).toordinal()
    return None


def _words(name: str) -> list[str]:
    return [word.casefold() for word in _WORDS.findall(name)]


def weeks(
    fields: Sequence[Mapping[str, object]], first: Sequence[bool]
) -> tuple[str, list[int | None]]:
    """The field by which rows have weeks, and the week of each row, counted in order.

    Dates before numbers of weeks, and of several fields the one with the fewest weeks among
    ``first``, two at least: the date of an account has more than the date of a question.

    Args:
        fields: of each row.
        first: the rows of which nine in ten have to have a week.

    Returns:
        An empty name where no field has weeks.
    """
    candidates: list[tuple[bool, int, str, list[int | None]]] = []
    for name in sorted({name for row in fields for name in row}):
        words = _words(name)
        if _OF_THINGS & set(words):
            continue
        values = [row.get(name) for row in fields]
        readings = [(False, _by_dates(values))]
        if _NUMBER_OF_WEEK.fullmatch(" ".join(words)):
            readings.append((True, _by_numbers(values, first)))
        for by_number, of in readings:
            own = [week for week, counts in zip(of, first, strict=True) if counts]
            different = len(set(own) - {None})
            if different >= 2 and sum(week is not None for week in own) >= ENOUGH * len(own):
                candidates.append((by_number, different, name, of))
    best = min(candidates, key=lambda field: field[:3], default=None)
    return ("", [None] * len(fields)) if best is None else best[2:]


def _by_dates(values: Sequence[object]) -> list[int | None]:
    """In one order of day and month: that which reads more values, then that of fewer weeks."""
    readings = []
    for month_first in (False, True):
        days = [
            day_of(value, month_first) if isinstance(value, (str, int, float)) else None
            for value in values
        ]
        # The first of January of the year 1 is a Monday.
        readings.append([None if day is None else (day - 1) // 7 for day in days])
    return min(readings, key=lambda of: (of.count(None), len(set(of))))


def _by_numbers(values: Sequence[object], first: Sequence[bool]) -> list[int | None]:
    """Week 1 comes after week 52: a year begins where ``first`` lack most numbers.

    Where they lack none they may be of several years, and no row has a week.
    """
    numbers = [_number_of_week(value) for value in values]
    own = sorted({n for n, counts in zip(numbers, first, strict=True) if counts and n is not None})
    if not own or own[-1] > _WEEKS_OF_YEAR + 1:
        return list(numbers)
    year = max(_WEEKS_OF_YEAR, own[-1]) - min(1, own[0]) + 1
    apart = [week - before for before, week in pairwise([own[-1] - year, *own])]
    if max(apart) == 1:
        return [None] * len(numbers)
    start = own[apart.index(max(apart))]
    return [n if n is None or n >= start else n + year for n in numbers]


def _number_of_week(value: object) -> int | None:
    if isinstance(value, str):
        match = re.fullmatch(r"(?:w|wk|kw|week)?[-_ ]?(\d{1,5})", value.strip().casefold())
        return int(match[1]) if match else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value <= 10_000 and value == value // 1 else None
