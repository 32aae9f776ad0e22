"""Charts over rounds and steps: scores with intervals, training and validation loss."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from harness.kit import numbers
from harness_reports import figures
from harness_reports.figures import Document
from harness_reports.html.axes import WIDTH, Scale, dot, figure, label, left_axis, line, ticks
from harness_reports.html.markup import Child, Html, element, number

_LEFT, _TOP, _BOTTOM = 44.0, 10.0, 22.0
_NAMED = 12
"""Most rounds whose number fits under a chart."""


def scores_by_round(document: Document, name: str, key: str, height: float = 170.0) -> Html | None:
    """One score by round, each point in its 95 % interval; the kept round is filled.

    None where no round has that score.
    """
    points = [
        (entry["round"], entry["scores"][name])
        for entry in document["rounds"]
        if name in entry["scores"] and entry["scores"][name]["value"] is not None
    ]
    if not points:
        return None
    digits = figures.score_digits(document, name)

    def told_of(round_: int, score: Document) -> str:
        mark = figures.chosen_mark(document, {"round": round_})
        return _told(round_, score, digits) + mark

    ends = [s[end] for _, s in points for end in ("low", "value", "high") if s[end] is not None]
    marks = ticks(min(ends), max(ends))
    rounds = [entry["round"] for entry in document["rounds"]]
    x = Scale(min(rounds), max(rounds), _LEFT + 22, WIDTH - 24)
    chosen = figures.chosen_score(document, name)
    y = Scale(marks[0], marks[-1], height - _BOTTOM, _TOP + (14 if chosen else 0))
    drawn: list[Child] = [*left_axis(marks, y, _LEFT), _round_names(rounds, x, height)]
    if chosen:
        drawn.append(label(WIDTH - 4, _TOP + 2, f"● {chosen}", "end"))
    way = " ".join(f"{number(x(r))},{number(y(s['value']))}" for r, s in points)
    drawn.append(element("polyline", points=way, class_="way"))
    for round_, score in points:
        kept = round_ == document["kept_round"]
        drawn += _interval(x(round_), y, score)
        tip = told_of(round_, score)
        drawn.append(dot(x(round_), y(score["value"]), "point kept" if kept else "point", tip))
    shown = figures.score_title(document, name, 120)
    better = "" if points[0][1]["higher_is_better"] else " (lower is better)"
    told = "; ".join(told_of(round_, score) for round_, score in points)
    return figure(key, height, f"{shown} by round{better}", f"{told}.", drawn)


def _interval(x: float, y: Scale, score: Document) -> list[Html]:
    if score["low"] is None or score["high"] is None:
        return []
    low, high = y(score["low"]), y(score["high"])
    return [
        line(x, low, x, high, "whisker"),
        line(x - 4, low, x + 4, low, "whisker"),
        line(x - 4, high, x + 4, high, "whisker"),
    ]


def _told(round_: int, score: Document, digits: int) -> str:
    bounds = numbers.interval(score["low"], score["high"], digits)
    return f"round {round_}: {numbers.number(score['value'], digits)} {bounds}".rstrip()


def _round_names(rounds: Sequence[int], x: Scale, height: float) -> list[Html]:
    stride = -(-len(rounds) // _NAMED)
    return [
        label(x(round_), height - 6, f"round {round_}" if len(rounds) <= 5 else str(round_),
              "middle")
        for place, round_ in enumerate(rounds) if place % stride == 0
    ]  # fmt: skip


def losses(document: Document) -> list[Html]:
    """Training (line) and validation loss (dots) of each trained round, on one scale."""
    logged = [entry for entry in document["rounds"] if any(figures.losses(entry))]
    values = [v for entry in logged for side in figures.losses(entry) for v in side]
    if not values:
        return []
    marks = ticks(min(values), max(values))
    return [_loss(entry, marks) for entry in logged]


def _loss(entry: Document, marks: Sequence[float], height: float = 150.0) -> Html:
    log = entry["log"]
    training = [(p["step"], p["loss"]) for p in log if p["loss"] is not None]
    validation = [(p["step"], p["eval_loss"]) for p in log if p["eval_loss"] is not None]
    last = max(point["step"] for point in log)
    x = Scale(0, last, _LEFT + 2, WIDTH - 12)
    y = Scale(marks[0], marks[-1], height - _BOTTOM, _TOP)
    drawn: list[Child] = [
        *left_axis(marks, y, _LEFT),
        label(x(0), height - 6, "step 0"),
        label(WIDTH - 6, height - 6, f"step {last}", "end"),
        _path(training, x, y, "loss"),
        _path(validation, x, y, "valid"),
        [dot(x(s), y(v), "valid", f"validation, step {s}: {v:.3f}") for s, v in validation],
    ]
    if len(training) == 1:
        drawn.append(dot(x(last), y(training[0][1]), "loss", f"loss {training[0][1]:.3f}"))
    told = f"{_span('training loss', training)}{_span('validation loss', validation)}"
    return figure(f"loss-{entry['round']}", height, f"Loss in round {entry['round']}", told, drawn)


def _path(points: Sequence[tuple[int, float]], x: Scale, y: Scale, class_: str) -> Html | None:
    if len(points) < 2:
        return None
    way = " ".join(f"{number(x(step))},{number(y(value))}" for step, value in points)
    return element("polyline", points=way, class_=f"way {class_}")


def _span(what: str, points: Sequence[tuple[int, float]]) -> str:
    if not points:
        return ""
    told = f"{what} from {points[0][1]:.3f} to {points[-1][1]:.3f} over {points[-1][0]} steps"
    if len(points) == 1:
        return f"{told}. "
    rises = sum(after > before for (_, before), (_, after) in pairwise(points))
    return f"{told}, rising {rises} times of {len(points) - 1}. "
