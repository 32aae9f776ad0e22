"""Parallel axes: a line for each series, coloured by where it ends."""

from __future__ import annotations

from collections.abc import Sequence

from harness.kit.blocks import Chart, Point, Series
from harness.kit.html.axes import WIDTH, Drawing, Scale, label, line
from harness.kit.html.markup import Child, Html, element, number
from harness.kit.text import one_line

_HEIGHT, _TOP, _BOTTOM = 250.0, 38.0, 14.0
_SIDE = 26.0
_MARKS = 6
"""Most values that are named beside an axis; of more, the two ends are."""
_LETTER = 6.2
"""Units across a letter of the labels."""
_COLOURS = 4
_MANY = 20
"""From so many lines on, all but the best are thinner."""


def parallel(block: Chart) -> Drawing:
    """The best line is drawn last, above all others."""
    names = list(dict.fromkeys(str(p.at) for series in block.series for p in series.points))
    x = Scale(0, max(1, len(names) - 1), _SIDE, WIDTH - _SIDE)
    y = Scale(0, 1, _HEIGHT - _BOTTOM, _TOP)
    drawn: list[Child] = [_axis(name, place, len(names), x) for place, name in enumerate(names)]
    ordered = sorted(block.series, key=lambda series: (_strong(series), _end(series)))
    many = " many" if len(ordered) > _MANY else ""
    drawn += [_line(series, names, x, y, many) for series in ordered]
    drawn += [_marks(block, name, x(at), len(names), y) for at, name in enumerate(names)]
    return Drawing(_HEIGHT, "; ".join(map(_said, block.series)), drawn)


def _end(series: Series) -> float:
    return series.points[-1].value if series.points else 0.0


def _strong(series: Series) -> bool:
    return any(point.strong for point in series.points)


def _axis(name: str, place: int, count: int, x: Scale) -> list[Html]:
    """An axis with its name; names of neighbours stand at two heights."""
    at = x(place)
    anchor = "start" if place == 0 else "end" if place == count - 1 else "middle"
    edge = 0.0 if place == 0 else WIDTH if place == count - 1 else at
    room = int(2 * WIDTH / max(2, count) / _LETTER)
    height = 10.0 if place % 2 == 0 or count <= 3 else 22.0
    return [
        line(at, _TOP, at, _HEIGHT - _BOTTOM, "grid"),
        label(edge, height, one_line(name, room), anchor, "name"),
    ]


def _marks(block: Chart, name: str, at: float, count: int, y: Scale) -> list[Html]:
    """The values beside an axis: all of a few, else its ends."""
    tips = {p.value: p.tip for series in block.series for p in series.points if str(p.at) == name}
    places = sorted(tips)
    if len(places) > _MARKS:
        places = [places[0], places[-1]]
    last = at > WIDTH - _SIDE - 1
    room = max(4, int(WIDTH / max(1, count) / _LETTER) - 1)
    return [
        label(at - 3 if last else at + 3, y(place) + 3.5, one_line(tips[place], room),
              "end" if last else "start", "small halo")
        for place in places
    ]  # fmt: skip


def _line(series: Series, names: Sequence[str], x: Scale, y: Scale, many: str) -> Html | None:
    if not series.points:
        return None
    by_name = {str(point.at): point for point in series.points}
    way = " ".join(
        f"{number(x(place))},{number(y(by_name[name].value))}"
        for place, name in enumerate(names)
        if name in by_name
    )
    colour = min(_COLOURS - 1, int((1 - _end(series)) * _COLOURS))
    classes = ["across", f"q{colour}"]
    classes += ["best"] if _strong(series) else []
    classes += ["ended"] if any(point.tone == "open" for point in series.points) else []
    tip = element("title", one_line(_said(series), 200))
    return element("polyline", tip, points=way, class_=" ".join(classes) + many)


def _said(series: Series) -> str:
    return f"{series.name}: {', '.join(map(_value, series.points))}"


def _value(point: Point) -> str:
    return f"{point.at} {point.tip or f'{point.value:.3g}'}"
