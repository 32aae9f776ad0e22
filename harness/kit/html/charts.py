"""Charts as drawings: every kind of :class:`Chart`, with its values in words beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from harness.kit.blocks import Chart, Point, Series, value_text
from harness.kit.drawing import axis_of
from harness.kit.html.axes import (
    WIDTH,
    Drawing,
    Scale,
    dot,
    figure,
    label,
    left_axis,
    line,
    rect,
    tick_labels,
    ticks,
)
from harness.kit.html.markup import Child, Html, element, number
from harness.kit.html.parallel import parallel
from harness.kit.html.scatter import scatter

_LEFT, _TOP, _BOTTOM = 44.0, 10.0, 22.0
_NAMED = 12
"""Most rounds whose number fits under a chart."""


def chart(block: Chart, key: str) -> Html | None:
    """The drawing of a chart, or nothing where it has no point.

    Args:
        key: unique on the page.
    """
    if not any(series.points for series in block.series):
        return None
    if block.kind != "curve":  # its second series is drawn in another way than its first
        block = replace(block, series=tuple(s for s in block.series if s.points))
    drawn = _KINDS[block.kind](block)
    inside = block.kind == "rounds"  # there the remark has room within the drawing
    return figure(key, block.title, drawn, "" if inside else block.remark)


def _rounds(block: Chart) -> Drawing:
    """A value by round, each point in its interval, joined by a line."""
    height = 170.0
    points = block.series[0].points
    ends = [v for p in points for v in (p.low, p.value, p.high) if v is not None]
    marks = ticks(*(block.scale or (min(ends), max(ends))))
    rounds = [float(point.at) for point in points]
    x = Scale(min(rounds), max(rounds), _LEFT + 22, WIDTH - 24)
    y = Scale(marks[0], marks[-1], height - _BOTTOM, _TOP + (14 if block.remark else 0))
    drawn: list[Child] = [*left_axis(marks, y, _LEFT), _round_names(rounds, x, height)]
    if block.remark:
        drawn.append(label(WIDTH - 4, _TOP + 2, block.remark, "end"))
    drawn.append(_path(points, x, y, "way"))
    words = []
    for point in points:
        at = x(float(point.at))
        tip = f"round {point.at:g}: {value_text(point, block)}"
        words.append(tip + (f", {point.tip}" if point.tip else ""))
        drawn += _whisker(at, y, point)
        class_ = "point kept" if point.strong else "point"
        drawn.append(dot(at, y(point.value), class_, words[-1]))
    return Drawing(height, "; ".join(words), drawn)


def _whisker(x: float, y: Scale, point: Point) -> list[Html]:
    if point.low is None or point.high is None:
        return []
    low, high = y(point.low), y(point.high)
    return [
        line(x, low, x, high, "whisker"),
        line(x - 4, low, x + 4, low, "whisker"),
        line(x - 4, high, x + 4, high, "whisker"),
    ]


def _round_names(rounds: Sequence[float], x: Scale, height: float) -> list[Html]:
    stride = -(-len(rounds) // _NAMED)
    return [
        label(x(at), height - 6, f"round {at:g}" if len(rounds) <= 5 else f"{at:g}", "middle")
        for at in rounds[::stride]
    ]


def _curve(block: Chart) -> Drawing:
    """The first series as a line by step, the second dashed and with dots."""
    height = 150.0
    values = [point.value for series in block.series for point in series.points]
    marks = ticks(*(block.scale or (min(values), max(values))))
    last = max(float(point.at) for series in block.series for point in series.points)
    x = Scale(0, last, _LEFT + 2, WIDTH - 12)
    y = Scale(marks[0], marks[-1], height - _BOTTOM, _TOP)
    drawn: list[Child] = [
        *left_axis(marks, y, _LEFT),
        label(x(0), height - 6, "step 0"),
        label(WIDTH - 6, height - 6, f"step {last:g}", "end"),
    ]
    for place, series in enumerate(block.series):
        class_ = "valid" if place else "loss"
        drawn.append(_path(series.points, x, y, f"way {class_}"))
        dots = series.points if place or len(series.points) == 1 else ()
        drawn += [
            dot(x(float(p.at)), y(p.value), class_, f"{series.name}, step {p.at:g}: {p.value:.3f}")
            for p in dots
        ]
    return Drawing(height, " ".join(map(_course, block.series)), drawn)


def _path(points: Sequence[Point], x: Scale, y: Scale, class_: str) -> Html | None:
    if len(points) < 2:
        return None
    way = " ".join(f"{number(x(float(p.at)))},{number(y(p.value))}" for p in points)
    return element("polyline", points=way, class_=class_)


def _course(series: Series) -> str:
    points = series.points
    if not points:
        return ""
    first, last = points[0], points[-1]
    words = f"{series.name} from {first.value:.3f} to {last.value:.3f} over {last.at:g} steps"
    if len(points) == 1:
        return f"{words}."
    rises = sum(after.value > before.value for before, after in pairwise(points))
    return f"{words}, rising {rises} times of {len(points) - 1}."


def _bars(block: Chart) -> Drawing:
    """Lying bars by name, one for each series, the last the strongest."""
    names = list(dict.fromkeys(str(p.at) for series in block.series for p in series.points))
    by_name = [{str(p.at): p for p in series.points} for series in block.series]
    top = max((point.value for points in by_name for point in points.values()), default=1) or 1
    x = Scale(0, top, 52, WIDTH - 40)
    drawn: list[Child] = []
    words = []
    y = 4.0
    for name in names:
        drawn.append(label(0, y + 10, name, class_="name"))
        y += 15
        said = []
        for place, (series, points) in enumerate(zip(block.series, by_name, strict=True)):
            value = points[name].value if name in points else 0.0
            shown = value_text(points[name], block) if name in points else "0"
            said.append(f"{shown} in {series.name}" if series.name else shown)
            age = min(len(by_name) - 1 - place, 3)
            drawn += [
                label(46, y + 8, series.name, "end", "small"),
                rect(52, y, x(value) - 52, 9, f"bar age{age}"),
                label(x(value) + 4, y + 8, shown, class_="small"),
            ]
            y += 11
        words.append(f"{name}: {', '.join(said)}")
        y += 7
    return Drawing(y, "; ".join(words), drawn)


def _gaps(block: Chart) -> Drawing:
    """Points in their intervals by name; zero is marked, and what is strong is filled."""
    points = block.series[0].points
    marks = ticks(*(block.scale or axis_of([(p.low, p.value, p.high) for p in points])))
    x = Scale(marks[0], marks[-1], 16, WIDTH - 16)
    height = 34.0 * len(points) + 26
    drawn: list[Child] = [line(x(value), 4, x(value), height - 20, "grid") for value in marks]
    drawn.append(line(x(0), 2, x(0), height - 20, "zero"))
    for place, point in enumerate(points):
        drawn += _gap(block, point, x, 34.0 * place + 4)
    drawn += [
        label(x(value), height - 6, text, "middle")
        for value, text in zip(marks, tick_labels(marks), strict=True)
    ]
    words = (f"{point.at}: {value_text(point, block)}" for point in points)
    return Drawing(height, "; ".join(words), drawn)


def _gap(block: Chart, point: Point, x: Scale, y: float) -> list[Child]:
    tone = "clear" if point.strong else "unclear"
    middle = y + 22
    drawn: list[Child] = [label(0, y + 11, str(point.at), class_="name halo")]
    if point.low is not None and point.high is not None:
        a, b = x(point.low), x(point.high)
        drawn += [
            line(a, middle, b, middle, f"whisker {tone}"),
            line(a, middle - 4, a, middle + 4, f"whisker {tone}"),
            line(b, middle - 4, b, middle + 4, f"whisker {tone}"),
        ]
    tip = f"{value_text(point, block)}{f' on {point.tip}' if point.tip else ''}"
    drawn.append(dot(x(point.value), middle, f"point {tone}", tip, 4.5))
    return drawn


def _histogram(block: Chart) -> Drawing:
    """Standing bars, and the second series as an outline."""
    height = 130.0
    bars, outline = block.series[0].points, block.series[1].points if block.series[1:] else ()
    top = block.scale[1] if block.scale else max(p.value for p in (*bars, *outline))
    marks = ticks(0.0, top, 4)
    y = Scale(0.0, marks[-1], height - 22, 10)
    x = Scale(0, len(bars), _LEFT + 2, WIDTH - 6)
    width = x(1) - x(0)
    scale, unit = (100, " %") if block.unit == "%" else (1, "")
    drawn: list[Child] = [
        [line(_LEFT, y(mark), WIDTH - 4, y(mark), "grid") for mark in marks],
        [label(_LEFT - 5, y(m) + 3.5, f"{scale * m:.3g}{unit}", "end") for m in marks],
    ]
    words = []
    for place, point in enumerate(bars):
        tips = [point.tip or value_text(point, block)]
        beside = outline[place] if place < len(outline) else None
        tips += [beside.tip or value_text(beside, block)] if beside else []
        drawn.append(
            rect(x(place) + 1, y(point.value), width - 2, y(0) - y(point.value), "bar", tips[0])
        )
        if point.value or (beside and beside.value):
            words.append(f"{point.at}: {', '.join(tips)}")
    if outline:
        drawn.append(_outline([point.value for point in outline], x, y))
    stride = -(-len(bars) // 7)
    drawn += [
        label(x(place) + width / 2, height - 6, str(point.at), "middle", "small")
        for place, point in enumerate(bars) if place % stride == 0
    ]  # fmt: skip
    return Drawing(height, "; ".join(words), drawn)


def _outline(values: Sequence[float], x: Scale, y: Scale) -> Html:
    corners = [(x(0), y(0))]
    for place, value in enumerate(values):
        corners += [(x(place), y(value)), (x(place + 1), y(value))]
    corners.append((x(len(values)), y(0)))
    way = " ".join(f"{number(a)},{number(b)}" for a, b in corners)
    return element("polyline", points=way, class_="way outline")


_KINDS: Mapping[str, Callable[[Chart], Drawing]] = {
    "rounds": _rounds, "curve": _curve, "bars": _bars, "shares": _bars, "gaps": _gaps,
    "histogram": _histogram, "scatter": scatter, "parallel": parallel,
}  # fmt: skip
