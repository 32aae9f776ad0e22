"""Charts of counts and gaps: errors by round, lengths, and slices with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.kit import numbers
from harness_reports import figures
from harness_reports.figures import Document
from harness_reports.findings import Kind, holds
from harness_reports.html.axes import (
    WIDTH,
    Scale,
    dot,
    figure,
    label,
    line,
    rect,
    tick_labels,
    ticks,
)
from harness_reports.html.markup import Child, Html, element, number

BIN = 10
"""Words in a bin of the histograms; the last is open."""
LAST_BIN = 200

Lengths = Mapping[int, Mapping[int, int]]


def categories(document: Document, kinds: Sequence[Kind]) -> Html | None:
    """Answers that show each kind of error: one bar per round, the latest the strongest."""
    rounds = [entry["round"] for entry in figures.shown_rounds(document, 6)]
    if not kinds:
        return None
    top = max(1, *(kind.by_round.get(at, 0) for kind in kinds for at in rounds))
    x = Scale(0, top, 52, WIDTH - 40)
    drawn: list[Child] = []
    y = 4.0
    for kind in kinds:
        drawn.append(label(0, y + 10, kind.name, class_="name"))
        y += 15
        for place, at in enumerate(rounds):
            n = kind.by_round.get(at, 0)
            drawn += [
                label(46, y + 8, f"round {at}", "end", "small"),
                rect(52, y, x(n) - 52, 9, f"bar age{min(len(rounds) - 1 - place, 3)}"),
                label(x(n) + 4, y + 8, str(n), class_="small"),
            ]
            y += 11
        y += 7
    told = "; ".join(
        f"{kind.name}: " + ", ".join(f"{kind.by_round.get(at, 0)} in round {at}" for at in rounds)
        for kind in kinds
    )
    return figure("categories", y, "Answers on dev with each kind of error", f"{told}.", drawn)


def forest(slices: Sequence[Document], primary: str, digits: int) -> Html | None:
    """Each slice's gap in its 95 % interval, upon an axis on which "no gap" is marked.

    Slices that hold are filled, others hollow: an interval of one slice says nothing of how many
    were looked at.
    """
    known = [found for found in slices if found["gap"] is not None]
    if not known:
        return None
    low, high = figures.gap_axis(known)
    marks = ticks(low, high)
    x = Scale(marks[0], marks[-1], 16, WIDTH - 16)
    height = 34.0 * len(known) + 26
    drawn: list[Child] = [line(x(value), 4, x(value), height - 20, "grid") for value in marks]
    drawn.append(line(x(0), 2, x(0), height - 20, "zero"))
    for place, found in enumerate(known):
        drawn += _row(found, x, 34.0 * place + 4, digits)
    drawn += [
        label(x(value), height - 6, text, "middle")
        for value, text in zip(marks, tick_labels(marks), strict=True)
    ]
    told = "; ".join(
        f"{found['slice']}: {numbers.signed(found['gap'], digits)} "
        f"{numbers.interval(found['low'], found['high'], digits)}"
        for found in known
    )
    title = f"How far {primary} lies below all other rows"
    return figure("forest", height, title, f"{told}.", drawn)


def _row(found: Document, x: Scale, y: float, digits: int) -> list[Child]:
    tone = "clear" if holds(found) else "unclear"
    middle = y + 22
    drawn: list[Child] = [label(0, y + 11, found["slice"], class_="name halo")]
    if found["low"] is not None and found["high"] is not None:
        a, b = x(found["low"]), x(found["high"])
        drawn += [
            line(a, middle, b, middle, f"whisker {tone}"),
            line(a, middle - 4, a, middle + 4, f"whisker {tone}"),
            line(b, middle - 4, b, middle + 4, f"whisker {tone}"),
        ]
    tip = f"{numbers.signed(found['gap'], digits)} on {found['n']} rows"
    drawn.append(dot(x(found["gap"]), middle, f"point {tone}", tip, 4.5))
    return drawn


def lengths(answers: Lengths, references: Mapping[int, int]) -> list[Html]:
    """Histograms of the answers' lengths (bars) against the references' (outline), by round.

    Args:
        answers: round -> first number of words of a bin -> texts.
        references: the same of the references. All are drawn as shares upon one scale, since
            rows without a reference make the totals differ.
    """
    last = max([*(words for found in answers.values() for words in found), *references, 3 * BIN])
    bins = range(0, last + BIN, BIN)
    outline = _shares(references, bins)
    top = max([*outline, *(max(_shares(found, bins)) for found in answers.values())])
    return [_histogram(at, found, references, bins, top) for at, found in answers.items()]


def _histogram(
    at: int, answers: Mapping[int, int], references: Mapping[int, int], bins: range, top: float
) -> Html:
    height, left = 130.0, 44.0
    marks = ticks(0.0, top, 4)
    y = Scale(0.0, marks[-1], height - 22, 10)
    x = Scale(0, len(bins), left + 2, WIDTH - 6)
    width = x(1) - x(0)
    drawn: list[Child] = [
        [line(left, y(mark), WIDTH - 4, y(mark), "grid") for mark in marks],
        [label(left - 5, y(mark) + 3.5, f"{100 * mark:.0f} %", "end") for mark in marks],
    ]
    for place, (words, share) in enumerate(zip(bins, _shares(answers, bins), strict=True)):
        tip = f"{bin_name(words)} words: {answers.get(words, 0)} answers"
        drawn.append(rect(x(place) + 1, y(share), width - 2, y(0) - y(share), "bar", tip))
    if references:
        drawn.append(_outline(_shares(references, bins), x, y))
    stride = -(-len(bins) // 7)
    drawn += [
        label(x(place) + width / 2, height - 6, bin_name(words), "middle", "small")
        for place, words in enumerate(bins) if place % stride == 0
    ]  # fmt: skip
    told = "; ".join(
        f"{bin_name(words)} words: {answers.get(words, 0)} answers, "
        f"{references.get(words, 0)} references"
        for words in bins if answers.get(words) or references.get(words)
    )  # fmt: skip
    return figure(f"lengths-{at}", height, f"Lengths in round {at}", f"{told}.", drawn)


def _shares(counts: Mapping[int, int], bins: Sequence[int]) -> list[float]:
    total = sum(counts.values()) or 1
    return [counts.get(words, 0) / total for words in bins]


def bin_name(words: int) -> str:
    """The bin that begins with so many words."""
    return f"{words}+" if words >= LAST_BIN else f"{words}–{words + BIN - 1}"


def _outline(shares: Sequence[float], x: Scale, y: Scale) -> Html:
    corners = [(x(0), y(0))]
    for place, share in enumerate(shares):
        corners += [(x(place), y(share)), (x(place + 1), y(share))]
    corners.append((x(len(shares)), y(0)))
    way = " ".join(f"{number(a)},{number(b)}" for a, b in corners)
    return element("polyline", points=way, class_="way outline")
