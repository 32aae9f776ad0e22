"""Cells that runs, arms and baselines share: settings, scores with their intervals, cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeAlias

from harness.kit.numbers import DASH, duration, gigabytes, interval, number
from harness_reports.figures import Document
from harness_reports.html.axes import Scale, dot, line
from harness_reports.html.markup import Child, Html, element, name

Extent: TypeAlias = "tuple[float, float]"
"""From the lowest bound of a group's scores to the highest: all are drawn on one scale."""

SETTINGS = 6
VALUE = 60
_WIDTH, _HEIGHT = 120.0, 12.0
CHANGED, MODEL, ROWS, DEV, VERDICTS, TEST, COST, DATE = COLUMNS = (
    "Changed", "Model", "Train rows", "Score on dev", "Verdicts on dev", "Test result", "Cost",
    "Date",
)  # fmt: skip
"""Titles of the columns behind the first, which names the run."""


def kind(title: str) -> str | None:
    """The class of a column's cells."""
    return "n" if title == ROWS else None


def cell(title: str, inner: Child, key: str | float | None = None) -> Html:
    """A cell of that column.

    Args:
        key: by which it is sorted where its text is none; empty for no value.
    """
    sorts = None if key is None else str(key)
    return element("td", inner, class_=kind(title), data_title=title, data_sort=sorts)


def settings_lines(changed: Sequence[Document]) -> list[Html]:
    lines = [
        element("div", element("code", name(setting["key"], VALUE)), " ",
                _value(setting["from"]), " → ", element("b", _value(setting["to"])))
        for setting in changed[:SETTINGS]
    ]  # fmt: skip
    if len(changed) > SETTINGS:
        lines.append(element("div", f"and {len(changed) - SETTINGS:,} more", class_="dim"))
    return lines


def _value(value: Any) -> Child:
    if value is None:
        return DASH
    return name(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), VALUE)


def count_cell(count: float | None) -> str:
    return DASH if count is None else f"{count:,.0f}"


def score_cell(score: Document | None, extent: Extent) -> Child:
    """Value and interval, and where the interval lies."""
    if score is None or score["value"] is None:
        return element("span", "not scored", class_="dim")
    bounds = interval(score["low"], score["high"])
    return [
        element("div", element("b", number(score["value"])), f" {bounds}", class_="score"),
        _picture(score, extent),
    ]  # fmt: skip


def _picture(score: Document, extent: Extent) -> Html:
    scale, middle = Scale(*extent, 4, _WIDTH - 4), _HEIGHT / 2
    drawn: list[Child] = [line(0, middle, _WIDTH, middle, "grid")]
    if score["low"] is not None and score["high"] is not None:
        drawn.append(line(scale(score["low"]), middle, scale(score["high"]), middle, "whisker"))
    drawn.append(dot(scale(score["value"]), middle, "point clear"))
    return element(
        "svg", *drawn, class_="interval", viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}", aria_hidden="true"
    )


def cost_cell(cost: Document) -> Child:
    parts = [
        duration(cost["seconds"]) if cost["seconds"] is not None else "",
        f"{cost['tokens']:,.0f} tokens" if cost["tokens"] is not None else "",
        gigabytes(cost["memory"]) if cost["memory"] is not None else "",
    ]
    return [element("div", part, class_="whole") for part in parts if part] or DASH
