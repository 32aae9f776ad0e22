"""Values at numbers, such as scores by cost: a point each, with its interval and its name."""

from __future__ import annotations

from harness.kit.blocks import Chart, Point, told
from harness_reports.html.axes import (
    WIDTH,
    Drawing,
    Scale,
    dot,
    label,
    left_axis,
    line,
    tick_labels,
    ticks,
)
from harness_reports.html.markup import Child

_LEFT, _TOP, _BOTTOM, _HEIGHT = 44.0, 14.0, 22.0, 190.0
_NAMED = 8
"""Most points whose names fit into a drawing."""


def scatter(block: Chart) -> Drawing:
    """The points of the first series; filled where they are strong."""
    points = block.series[0].points
    places = [float(point.at) for point in points]
    ends = [v for p in points for v in (p.low, p.value, p.high) if v is not None]
    across, up = ticks(0.0, max(places)), ticks(*(block.scale or (min(ends), max(ends))))
    x = Scale(across[0], across[-1], _LEFT + 4, WIDTH - 14)
    y = Scale(up[0], up[-1], _HEIGHT - _BOTTOM, _TOP)
    drawn: list[Child] = [
        *left_axis(up, y, _LEFT),
        *(
            label(x(value), _HEIGHT - 6, text, "middle")
            for value, text in zip(across, tick_labels(across), strict=True)
        ),
    ]
    named = len(points) <= _NAMED and len({point.tip for point in points}) == len(points)
    for point in points:
        drawn += _point(block, point, x, y, named=named)
    words = (f"{point.tip or f'{point.at:g}'}: {told(point, block)}" for point in points)
    return Drawing(_HEIGHT, "; ".join(words), drawn)


def _point(block: Chart, point: Point, x: Scale, y: Scale, *, named: bool) -> list[Child]:
    at, height = x(float(point.at)), y(point.value)
    drawn: list[Child] = []
    if point.low is not None and point.high is not None:
        drawn.append(line(at, y(point.low), at, y(point.high), "whisker"))
    tip = f"{point.tip}: {told(point, block)}"
    drawn.append(dot(at, height, "point kept" if point.strong else "point", tip))
    if named:
        left = at > WIDTH * 0.6
        drawn.append(
            label(at + (-7 if left else 7), height - 5, point.tip, "end" if left else "start",
                  "small halo")
        )  # fmt: skip
    return drawn
