"""What all charts share: the frame with its title and description, scales, axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.kit.html.markup import Child, Html, element
from harness.kit.text import one_line

WIDTH = 360.0
"""Units across every chart. One unit is about a pixel on a telephone, so letters of 11 units
can be read there and are not huge on a desk."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Values to places: ``low`` lies at ``start``, ``high`` at ``end``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from at or below ``low`` to at or above ``high``, evenly spaced."""
    span = high - low
    if not span > 0:
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
        span = high - low
    rough = span / (most - 1)
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * times for times in (1, 2, 2.5, 5, 10) if unit * times >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [place * step for place in range(first, last + 1)]


def tick_labels(values: Sequence[float]) -> list[str]:
    """The shortest texts that tell the values apart."""
    digits = next(
        (
            places for places in range(7)
            if all(abs(value - round(value, places)) < 1e-9 for value in values)
        ),
        6,
    )  # fmt: skip
    return [f"{value:.{digits}f}" for value in values]


def label(x: float, y: float, text: str, anchor: str = "start", class_: str | None = None) -> Html:
    return element(
        "text", one_line(text, 54), x=x, y=y, class_=class_,
        text_anchor=None if anchor == "start" else anchor,
    )  # fmt: skip


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def rect(x: float, y: float, width: float, height: float, class_: str, tip: str = "") -> Html:
    inner = element("title", one_line(tip, 200)) if tip else None
    size = {"width": max(width, 0.0), "height": max(height, 0.0)}
    return element("rect", inner, x=x, y=y, class_=class_, **size)


def dot(x: float, y: float, class_: str, tip: str = "", radius: float = 3.5) -> Html:
    inner = element("title", one_line(tip, 200)) if tip else None
    return element("circle", inner, cx=x, cy=y, r=radius, class_=class_)


def left_axis(values: Sequence[float], scale: Scale, left: float) -> list[Html]:
    """Grid lines with their numbers."""
    ticks: list[Html] = []
    for value, text in zip(values, tick_labels(values), strict=True):
        y = scale(value)
        ticks += [
            line(left, y, WIDTH - 4, y, "grid"),
            label(left - 5, y + 3.5, text, "end"),
        ]
    return ticks


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn, how high it is, and the same in words, numbers included."""

    height: float
    words: str
    drawn: Sequence[Child]


def figure(key: str, title: str, drawing: Drawing, remark: str = "") -> Html:
    """A drawing with its title and, for those who do not see it, what it shows.

    Args:
        key: unique on the page.
        title: shown above the drawing.
        remark: shown beside the title.
    """
    svg = element(
        "svg",
        element("title", one_line(title, 200), id=f"{key}-t"),
        element("desc", one_line(f"{drawing.words}.", 4_000), id=f"{key}-d"),
        *drawing.drawn,
        viewBox=f"0 0 {WIDTH:g} {drawing.height:g}", role="img",
        aria_labelledby=f"{key}-t", aria_describedby=f"{key}-d",
    )  # fmt: skip
    about = [" ", element("span", one_line(remark, 300), class_="remark")] if remark else None
    return element(
        "figure", element("figcaption", one_line(title, 200), about), svg, class_="chart"
    )
