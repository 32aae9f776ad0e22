"""What a run does now, or how its last command ended, as blocks and a bar."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import harness
from harness.kit.blocks import (
    Block,
    Chart,
    Code,
    Column,
    Heading,
    Note,
    Paragraph,
    Point,
    Series,
    Table,
)
from harness.kit.html.markup import Html, element, joined
from harness.kit.html.sections import PageSection, sections
from harness.kit.numbers import amount, counted, duration, interval, moment, number
from harness.records.live import LiveCurve
from harness_view.links import Links

WORDS = {
    "running": "at work",
    "finished": "finished",
    "waiting": "waits for people",
    "interrupted": "was interrupted",
    "failed": "failed",
    "gone": "ended without a word: its process was killed, or the machine went down",
}
"""What is said of each state, behind the run's name."""


def draw_now(
    live: harness.Live | None, verdict: PageSection | None, finished: bool, links: Links
) -> Html:
    """The part of the page that shows what is happening.

    Args:
        live: what the run's ``live.json`` says; None where there is none.
        verdict: the first section of its report, where there is one.
        finished: whether its report tells of the end of the command that has written ``live``.
    """
    if live is not None and finished and live.state == "gone":
        # Killed after its end was written, which is all that there was to do.
        live = None
    drawn = [part.html for part in sections(_blocks(live, finished))]
    report = element("p", element("a", "The report, round by round", href=links.part("rounds")))
    return joined(
        drawn[:1],
        _bar(live) if live is not None and live.state == "running" else None,
        [verdict.html, report] if verdict is not None else None,
        drawn[1:],
    )


def _bar(live: harness.Live) -> Html:
    left = f", about {duration(live.left)} left" if live.left is not None else ""
    done = f"{live.done:.0%} of the run"
    return element(
        "p",
        element("progress", value=live.done, max=1, aria_label="share of the run that is done"),
        " ", element("span", done + left), class_="bar-of-run",
    )  # fmt: skip


def _blocks(live: harness.Live | None, finished: bool) -> Iterator[Block]:
    if live is None:
        yield Heading("Now", "finished" if finished else "")
        if not finished:
            yield Note("No command has left word of what it does here.")
        return
    yield Heading("Now", WORDS[live.state])
    yield from _end(live)
    yield from _stages(live)
    yield from _curves(live)
    yield from _scores(live)
    yield from _lines(live)
    yield from _costs(live)


def _end(live: harness.Live) -> Iterator[Block]:
    """What the last command ended by, and what goes on."""
    at = moment(live.updated)
    began = f"began {moment(live.started)}, last word {at}, process {live.pid} on {live.host}"
    if live.why:
        yield Paragraph(live.why)
    for command in live.commands:
        yield Code(command, "To be done:")
    if live.state in ("gone", "interrupted", "failed", "waiting"):
        lead = "Then go on with:" if live.commands else "Go on with:"
        yield Code(live.command, lead)
    yield Note(began)


def _stages(live: harness.Live) -> Iterator[Block]:
    if not live.stages:
        return
    yield Heading("At work" if live.state == "running" else "It was at")
    columns = (Column("stage"), Column("step"), Column("done", "number"), Column("for", "number"),
               Column("left", "number"))  # fmt: skip
    rows = tuple(
        (
            stage.label, stage.what,
            f"{stage.done:,} of {stage.total:,}" if stage.total else None,
            duration(stage.seconds),
            duration(stage.left) if stage.left is not None else None,
        )
        for stage in live.stages
    )  # fmt: skip
    yield Table(columns, rows, "Stages at work", ordered=True)


def _curves(live: harness.Live) -> Iterator[Block]:
    """A drawing for each training, the latest first; its losses on valid are a second series."""
    charts = []
    for label, group in itertools.groupby(live.curves, key=lambda curve: curve.label):
        curves = {curve.name: curve for curve in group if curve.points}
        trained = [curves.pop(name) for name in ("loss", "eval_loss") if name in curves]
        if trained:
            charts.append(_chart(label, trained))
        charts += [_chart(f"{label}, {name}", [curve]) for name, curve in curves.items()]
    if charts:
        yield Heading("Losses")
        yield from reversed(charts)


def _chart(title: str, curves: Sequence[LiveCurve]) -> Chart:
    named = {"eval_loss": "on valid"}
    series = [
        Series(named.get(curve.name, curve.name),
               tuple(Point(step, value) for step, value in curve.points))
        for curve in curves
    ]  # fmt: skip
    if curves[0].name == "eval_loss":
        series.insert(0, Series("loss", ()))
    last = ", ".join(f"{s.name} {number(s.points[-1].value)}" for s in series if s.points)
    return Chart("curve", title, tuple(series), remark=last)


def _scores(live: harness.Live) -> Iterator[Block]:
    if not live.scores:
        return
    yield Heading("Scores", "of dev, with 95 % intervals")
    columns = (Column("of"), Column("score"), Column("value", "number", strong=True),
               Column("interval", "word"), Column("rows", "number"))  # fmt: skip
    rows = tuple(
        (score.label, score.name, number(score.value) if score.value is not None else None,
         interval(score.low, score.high) if score.low is not None else None, score.n)
        for score in reversed(live.scores)
    )  # fmt: skip
    yield Table(columns, rows, "Scores of dev so far", ordered=True)


def _lines(live: harness.Live) -> Iterator[Block]:
    if not live.lines:
        return
    yield Heading("What was said", "the last first")
    rows = tuple((moment(line.at), line.text) for line in reversed(live.lines))
    yield Table((Column("at", "word"), Column("sentence")), rows, "Sentences", ordered=True)


def _costs(live: harness.Live) -> Iterator[Block]:
    if not live.requests:
        return
    yield Heading("Requests to servers")
    cost = "no price is known" if live.money is None else f"{amount(live.money)} spent"
    yield Paragraph(f"{counted(live.requests, 'request')}, {cost}")
