"""What rows are compared by besides their texts: kinds of prompts, and what answers show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness import Condition
from harness.kit.features import prompt_features
from harness.kit.readers.live import LiveRow
from harness_drift.dates import Value, of_calendar
from harness_drift.permuting import Floats, Mask

LEAST_ROWS = 5
"""Rows of both sides together that a kind of prompt must have."""
MOST_VALUES = 50
"""Values of a field, beyond which it is a text or a name and no kind."""
LONGEST_VALUE = 80
MOST_COLUMNS = 300
FEW_NUMBERS = 6
"""A number with at most so many values is a category."""
KNOWN = 0.5
"""Share of the rows of a side that must have a field."""


@dataclass(frozen=True, slots=True)
class Column:
    """One thing that all rows are compared by.

    Attributes:
        values: ``(n,)``, NaN where it is not known.
        share: whether the values are 0 and 1, and their mean a share.
        shown: the values whose means are shown, where these are others.
    """

    name: str
    values: Floats
    share: bool = True
    shown: Floats | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Fields that rows are not compared by.

    Attributes:
        dates: that say when a row was asked.
        apart: that one side lacks, or of which the sides share no value.
    """

    dates: list[str]
    apart: list[str]


def of_prompts(rows: Sequence[LiveRow], live: Mask) -> tuple[list[Column], LeftOut]:
    """Kinds of prompts, and the fields that are left out.

    Left out are dates and all else that says when a row was asked, fields that only one side has,
    and those of which the sides share no value (versions). Columns depend on both sides together,
    so that no side decides where a number is cut.
    """
    known = [prompt_features(row.example) for row in rows]
    columns: list[Column] = []
    left_out = LeftOut([], [])
    fields = {name for row in rows for name in row.example.meta}
    for name in sorted({name for features in known for name in features}):
        values = [features.get(name) for features in known]
        there = np.array([value is not None for value in values])
        if name in fields and of_calendar(name, [v for v in values if v is not None]):
            left_out.dates.append(name)
            continue
        shares = there[live].mean(), there[~live].mean()
        if min(shares) < KNOWN:
            if max(shares) >= KNOWN:
                left_out.apart.append(name)
            continue
        if name in fields and _apart(values, live):
            left_out.apart.append(name)
            continue
        columns += _of_field(name, values)
    columns = [column for column in columns if np.nansum(column.values) >= LEAST_ROWS]
    return columns[:MOST_COLUMNS], left_out


def _apart(values: Sequence[Value | None], live: Mask) -> bool:
    """Whether no value, or no stretch of numbers, is of both sides."""
    sides: list[list[Value]] = [[], []]
    for value, is_live in zip(values, live.tolist(), strict=True):
        if value is not None:
            sides[is_live].append(value)
    numbers = [[float(v) for v in side if not isinstance(v, str)] for side in sides]
    if [len(side) for side in numbers] == [len(side) for side in sides]:
        return max(numbers[0]) < min(numbers[1]) or max(numbers[1]) < min(numbers[0])
    return not set(sides[0]) & set(sides[1])


def _of_field(name: str, values: Sequence[Value | None]) -> list[Column]:
    present = [value for value in values if value is not None]
    different = set(present)
    if len(name) > LONGEST_VALUE:
        return []
    numbers = all(type(value) in (int, float) for value in present)
    if numbers and len(different) > FEW_NUMBERS:
        array = np.array([np.nan if v is None else float(v) for v in values])
        cuts = np.nanquantile(array, (0.25, 0.5, 0.75), method="lower")
        return [
            Column(Condition(name, ">", _plain(cut)).words, _as_shares(array > cut, array))
            for cut in dict.fromkeys(cuts.tolist())
        ]
    if not 1 < len(different) <= MOST_VALUES:
        return []
    if any(len(str(value)) > LONGEST_VALUE for value in different):
        return []
    columns = []
    for value in sorted(different, key=str):
        has_value = np.array([np.nan if v is None else float(v == value) for v in values])
        columns.append(Column(Condition(name, "=", value).words, has_value))
    return columns


def _plain(number: float) -> float:
    return int(number) if number.is_integer() else number


def _as_shares(holds: Mask, values: Floats) -> Floats:
    return np.where(np.isnan(values), np.nan, holds.astype(np.float64))


def of_answers(rows: Sequence[LiveRow], labels: Mapping[str, set[int]]) -> list[Column]:
    """Length and form of answers, and what detectors say of them.

    Args:
        labels: category -> the places of the rows that show it.
    """
    answers = [row.answer for row in rows]

    def column(name: str, of: Callable[[str], float], share: bool = True) -> Column:
        values = [np.nan if answer is None else of(answer) for answer in answers]
        return Column(name, np.array(values), share)

    columns = [
        # Lengths are skewed: their logarithm has a mean that a few long answers do not decide.
        column("length (log of words)", lambda a: float(np.log1p(len(a.split()))), False),
        column("empty", lambda a: float(not a.strip())),
        column("of several lines", lambda a: float("\n" in a.strip())),
        column("begins as JSON", lambda a: float(a.lstrip()[:1] in ("{", "["))),
        column("has a list", lambda a: float(any(_is_item(line) for line in a.split("\n")))),
        column("has code in a fence", lambda a: float("```" in a)),
    ]
    for name, places in sorted(labels.items()):
        shows = [
            np.nan if answer is None else float(at in places) for at, answer in enumerate(answers)
        ]
        columns.append(Column(name, np.array(shows)))
    return [
        column for column in columns if not column.share or np.nansum(column.values) >= LEAST_ROWS
    ]


def _is_item(line: str) -> bool:
    return line.lstrip().startswith(("- ", "* ", "• ", "1. ", "1) "))


def of_ratings(rows: Sequence[LiveRow], kinds: Sequence[Column]) -> list[Column]:
    """Ratings less what their kind of prompt is rated on both sides: all, and by kind.

    A live week with more of a hard kind has lower ratings and no worse answers; what is left when
    the kinds are taken out (least squares with a small ridge) is compared.
    """
    ratings = np.array([np.nan if row.rating is None else row.rating for row in rows])
    rated = ~np.isnan(ratings)
    if not rated.any():
        return []
    of_kinds = [np.nan_to_num(kind.values) for kind in kinds]
    design = np.column_stack([np.ones(len(rows)), *of_kinds])[rated]
    ridge = np.eye(design.shape[1])
    ridge[0, 0] = 1e-9  # the mean is not shrunk
    fitted = design @ np.linalg.solve(design.T @ design + ridge, design.T @ ratings[rated])
    residuals = np.full(len(rows), np.nan)
    residuals[rated] = ratings[rated] - fitted
    within = [
        Column(
            kind.name,
            np.where(kind.values == 1.0, residuals, np.nan),
            False,
            np.where(kind.values == 1.0, ratings, np.nan),
        )
        for kind in kinds
        if np.count_nonzero(rated & (kind.values == 1.0)) >= 4 * LEAST_ROWS
    ]
    return [Column("all rows", residuals, False, ratings), *within]
