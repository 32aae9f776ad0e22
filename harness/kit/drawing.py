"""Drawings made of letters: bars, trends, points in their intervals."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

LEVELS = "▓░█·▒"
"""The parts of a whole, in their order."""
_STEPS = "▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def sparkline(values: Sequence[float | None], width: int = 24) -> str:
    """Values as a line of small bars, lowest to highest; long series are averaged."""
    if len(values) > width:
        edges = [len(values) * place // width for place in range(width + 1)]
        values = [_mean(values[a:b]) for a, b in itertools.pairwise(edges)]
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, span = min(known), max(known) - min(known)

    def level(value: float) -> str:
        return _STEPS[round((value - low) / span * 7)] if span else _STEPS[3]

    return "".join(" " if value is None else level(value) for value in values)


def bar(value: float | None, top: float, width: int) -> str:
    """A bar of up to ``width`` cells, in steps of an eighth."""
    if value is None or top <= 0:
        return ""
    eighths = round(max(0.0, min(1.0, value / top)) * width * 8)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def shares(counts: Sequence[int], width: int) -> list[int]:
    """Whole cells for each count that sum to ``width``; what is not zero gets at least one."""
    total = sum(counts)
    cells = [max(1, width * n // total) if n else 0 for n in counts]
    while total and sum(cells) != width:
        step = 1 if sum(cells) < width else -1
        owed = [step * (n / total * width - got) for n, got in zip(counts, cells, strict=True)]
        usable = [at for at, got in enumerate(cells) if counts[at] and (step > 0 or got > 1)]
        if not usable:
            break
        cells[max(usable, key=lambda at: owed[at])] += step
    return cells


Ends = tuple[float | None, float | None]


def forest(value: float | None, ends: Ends, axis: tuple[float, float], width: int) -> str:
    """A point in its interval upon an axis on which zero is marked."""
    start, end = axis

    def cell(number: float) -> int:
        share = (number - start) / (end - start) if end > start else 0.0
        return max(0, min(width - 1, round(share * (width - 1))))

    cells = [" "] * width
    cells[cell(0.0)] = "┊"
    low, high = ends
    if low is not None and high is not None:
        cells[cell(low) : cell(high) + 1] = "─" * (cell(high) + 1 - cell(low))
    if value is not None:
        cells[cell(value)] = "●"
    return "".join(cells)


def axis_of(spans: Sequence[Sequence[float | None]]) -> tuple[float, float]:
    """An axis that holds zero and every interval."""
    known = [end for span in spans for end in span if end is not None]
    return min([0.0, *known]), max([0.0, *known])


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
