"""Values at numbers, such as scores by cost: a point each, with its interval and its name."""

from __future__ import annotations

from collections.abc import Sequence

from harness.kit.blocks import Chart, Point, value_text
from harness.kit.html.axes import (
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
from harness.kit.html.markup import Child

_LEFT, _TOP, _BOTTOM, _HEIGHT = 44.0, 14.0, 22.0, 190.0
_NAMED = 12
"""Most points whose names are written."""
_LINE = 12.0
"""Height of a name."""


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
            label(x(value), _HEIGHT - 6, text, "end" if value == across[-1] else "middle")
            for value, text in zip(across, tick_labels(across), strict=True)
        ),
    ]
    for point in points:
        drawn += _point(block, point, x, y)
    drawn += _names(points, x, y)
    words = (f"{point.tip or f'{point.at:g}'}: {value_text(point, block)}" for point in points)
    return Drawing(_HEIGHT, "; ".join(words), drawn)


def _point(block: Chart, point: Point, x: Scale, y: Scale) -> list[Child]:
    at, height = x(float(point.at)), y(point.value)
    drawn: list[Child] = []
    if point.low is not None and point.high is not None:
        drawn.append(line(at, y(point.low), at, y(point.high), "whisker"))
    tip = f"{point.tip}: {value_text(point, block)}"
    return [*drawn, dot(at, height, "point kept" if point.strong else "point", tip)]


def _names(points: Sequence[Point], x: Scale, y: Scale) -> list[Child]:
    """The points' names, to the side that has room; one that would lie upon another is left out."""
    drawn: list[Child] = []
    taken: list[tuple[float, float]] = []
    for point in points[:_NAMED]:
        at, height = x(float(point.at)), y(point.value)
        if any(
            abs(height - other) < _LINE and abs(at - there) < WIDTH / 3 for there, other in taken
        ):
            continue
        taken.append((at, height))
        to_the_left = at > WIDTH * 0.6
        place, anchor = (at - 7, "end") if to_the_left else (at + 7, "start")
        drawn.append(label(place, height - 5, point.tip, anchor, "small halo"))
    return drawn
