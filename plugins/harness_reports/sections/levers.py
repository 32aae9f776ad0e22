"""What was tried beside the rounds: settings, base models, more rows, other seeds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import harness
from harness.kit.blocks import (
    Block,
    Bullets,
    Chart,
    Column,
    Details,
    Heading,
    Note,
    Paragraph,
    Point,
    Series,
    Table,
)
from harness.kit.numbers import at_least, duration, interval, number, signed
from harness.kit.text import one_line
from harness_reports import figures
from harness_reports.figures import Document

NAME = 48
"""Characters of an arm's name."""
SHORT = 4
"""Arms that a short report shows."""
WORTH = {"yes": "shown", "no": "excluded", "open": "open"}


class LeversSection(harness.Section):
    """All arms with their verdicts, the curve, the base models, the seeds."""

    name = "levers"
    title = "What else was tried"
    order = 500
    always = True

    def blocks(self, document: Document) -> Iterator[Block]:
        found = figures.levers(document)
        if found is None:
            return
        reference = f"round {found['reference']}"
        yield Heading(self.title, f"each differs from {reference} in settings, model, rows or seed")
        yield from _conclusions(document)
        judged = _judged(document)
        if judged:
            yield _picture(document, judged)
            yield _table(document, judged, None)
            yield Details(
                "Each verdict in words",
                (Bullets(tuple(Paragraph(figures.unlabelled(one["verdict"]), lead=f"{_name(one)}:",
                                         label=one["verdict"]["label"]) for one in judged)),),
            )  # fmt: skip
        yield from _models(document)
        yield from _curve(document)
        yield from _failed(document)
        yield Note(
            "Arms are compared on dev, which chose the round too: they help to decide what to do "
            "next, and are no results. Their bounds allow for all arms that were tried on these "
            "rows."
        )

    def in_short(self, document: Document) -> Iterator[Block]:
        """The conclusions, and the arms in a few lines."""
        if figures.levers(document) is None:
            return
        yield Heading(self.title)
        yield from _conclusions(document)
        if judged := _judged(document):
            # The latest are what was asked for.
            yield _table(document, [*judged[-SHORT:], *judged[:-SHORT]], SHORT)
        yield from _failed(document)


def _known(document: Document) -> Document:
    found: Document = document["experiments"]["levers"]
    return found


def _judged(document: Document) -> list[Document]:
    return [arm for arm in document["arms"] if arm["verdict"]]


def _name(arm: Document) -> str:
    return one_line(arm["name"], NAME)


def _conclusions(document: Document) -> Iterator[Block]:
    """One sentence for each question that was asked."""
    found, judged = _known(document), _judged(document)
    if judged:
        yield Paragraph(_of_arms(document, judged))
    if found["models"]:
        yield Paragraph(found["models"]["sentence"], lead="Base models:")
    if found["curve"]:
        yield Paragraph(found["curve"]["sentence"], lead="Rows:")
    if found["method"]:
        verdict = found["method"]["verdict"]
        yield Paragraph(
            figures.unlabelled(verdict), lead=f"Seeds, {found['method']['name']}:",
            label=verdict["label"],
        )  # fmt: skip


def _of_arms(document: Document, judged: list[Document]) -> str:
    """``lower rate is better than round 2 by 0.120 (at least 0.080). r 8: no evidence.``"""
    reference = f"round {_known(document)['reference']}"
    shown = partial(number, digits=figures.score_digits(document, document["primary"]))
    better = [arm for arm in judged if arm["verdict"]["label"] == "improved"]
    better.sort(key=lambda arm: -arm["verdict"]["difference"])
    told = ", ".join(
        f"{_name(arm)} by {shown(arm['verdict']['difference'])} "
        f"({at_least(arm['verdict']['low'], shown)})"
        for arm in better
    )
    count = f"{len(judged)} arm{'s' if len(judged) > 1 else ''}"
    head = (
        f"Better than {reference}: {told}."
        if better
        else f"Of {count}, none is shown to be better than {reference}."
    )
    excluded = [_name(arm) for arm in judged if arm["worth"] == "no"]
    if excluded:
        gain = shown(_known(document)["worth"])
        head += f" A gain of {gain}, which would matter, is excluded for {', '.join(excluded)}."
    return head


def _picture(document: Document, judged: list[Document]) -> Chart:
    """Gains in their bounds; what clears zero is filled."""
    points = tuple(
        Point(
            _name(arm), verdict["difference"], verdict["low"], verdict["high"],
            verdict["label"] in ("improved", "regressed"), verdict["label"],
        )
        for arm in judged
        if (verdict := arm["verdict"])["difference"] is not None
    )  # fmt: skip
    digits = figures.score_digits(document, document["primary"])
    title = f"Gain in {figures.score_title(document, document['primary'], 40)} by arm"
    return Chart("gaps", title, (Series("", points),), digits=digits, told=True)


def _table(document: Document, judged: list[Document], short: int | None) -> Table:
    primary = document["primary"]
    digits = figures.score_digits(document, primary)
    worth = _known(document)["worth"] is not None
    columns = (
        Column("arm"), Column("what differs", spare=4),
        Column(figures.score_title(document, primary, 20), "number", strong=True),
        Column("gain", "number"), Column("bounds", "number", spare=1), Column("", "label"),
        *((Column(f"gain of {number(_known(document)['worth'], digits)}", "word", spare=2),)
          if worth else ()),
        Column("time", "number", spare=3),
    )  # fmt: skip
    rows = []
    for arm in judged:
        score, verdict = arm["scores"].get(primary) or {}, arm["verdict"]
        rows.append((
            _name(arm), one_line(arm["what"], 120), number(score.get("value"), digits),
            signed(verdict["difference"], digits),
            interval(verdict["low"], verdict["high"], digits, plus=True), verdict["label"],
            *((WORTH.get(arm["worth"], ""),) if worth else ()), duration(arm["seconds"]),
        ))  # fmt: skip
    return Table(columns, tuple(rows), "Arms against the reference round", short, ordered=True)


def _models(document: Document) -> Iterator[Block]:
    """The ranking, what each model costs, and quality against cost."""
    found = _known(document)["models"]
    if not found:
        return
    primary = document["primary"]
    digits = figures.score_digits(document, primary)
    by_name = {arm["name"]: arm for arm in document["arms"] if arm["kind"] == "model"}
    places = sorted(found["places"].items(), key=lambda item: item[1])
    rows, points = [], []
    for name, place in places:
        arm = by_name.get(name)
        cost = _cost(arm) if arm else _own_cost(document)
        score = (arm or _reference(document))["scores"].get(primary) or {}
        rows.append((
            str(place), one_line(name, NAME), number(score.get("value"), digits),
            interval(score.get("low"), score.get("high"), digits), *cost[1:],
        ))  # fmt: skip
        if score.get("value") is not None and cost[0]:
            points.append(
                Point(cost[0], score["value"], score["low"], score["high"], place == 1, name)
            )
    yield Heading("Base models", "after the same training", level=3)
    if len(points) > 1:
        title = f"{figures.score_title(document, primary, 40)} by seconds of training and answering"
        yield Chart(
            "scatter", title, (Series("", tuple(points)),), unit="", digits=digits, told=True
        )
    yield Table(
        (Column("place", "word"), Column("model"),
         Column(figures.score_title(document, primary, 20), "number", strong=True),
         Column("95 % interval", "number", spare=1), Column("parameters", "number", spare=2),
         Column("memory", "number", spare=3), Column("time", "number"),
         Column("tokens/s", "number", spare=4)),
        tuple(rows), "Base models after the same training", ordered=True,
    )  # fmt: skip
    yield Details("Each two of them", (_pairs(found["pairs"], digits),))


def _pairs(pairs: list[Document], digits: int) -> Table:
    rows = tuple(
        (f"{one_line(pair['first'], NAME)} against {one_line(pair['second'], NAME)}",
         signed(pair["difference"], digits),
         interval(pair["low"], pair["high"], digits, plus=True), number(pair["p"], 4),
         pair["label"])
        for pair in pairs
    )  # fmt: skip
    columns = (
        Column("models"), Column("difference", "number"), Column("bounds", "number", spare=1),
        Column("p (Holm)", "number"), Column("", "word"),
    )  # fmt: skip
    return Table(columns, rows, "Each two base models", ordered=True)


def _reference(document: Document) -> Document:
    entry: Document = next(
        one for one in document["rounds"] if one["round"] == _known(document)["reference"]
    )
    return entry


def _own_cost(document: Document) -> tuple[float, str, str, str, str]:
    own = _known(document)["own"]
    return _cost({**own, "trainings": [{"seconds": own["seconds_by_stage"]}]})


def _cost(arm: Document) -> tuple[float, str, str, str, str]:
    """Seconds as a number, and parameters, memory, time, tokens a second as texts."""
    first = arm["trainings"][0]["seconds"]
    seconds = sum(value or 0.0 for value in first.values()) or arm["seconds"]
    rate = arm["tokens"] / first["train"] if arm["tokens"] and first.get("train") else None
    return (
        seconds,
        f"{arm['parameters'] / 1e6:,.0f} M" if arm["parameters"] else number(None, 0),
        f"{arm['memory'] / 2**20:,.0f} MiB" if arm["memory"] else number(None, 0),
        duration(seconds) if seconds else number(None, 0),
        f"{rate:,.0f}" if rate else number(None, 0),
    )


def _curve(document: Document) -> Iterator[Block]:
    """The scores by share of the rows."""
    found = _known(document)["curve"]
    if not found:
        return
    digits = figures.score_digits(document, document["primary"])
    title = figures.score_title(document, document["primary"], 40)
    seeds = max(len(point["values"]) for point in found["points"])
    points = tuple(
        Point(point["rows"], value, tip=f"{point['rows']:,} rows")
        for point in found["points"]
        for value in point["values"]
        if value is not None
    )
    yield Heading("How much data", "shares of the training rows", level=3)
    if points:
        yield Chart(
            "scatter", f"{title} by training rows", (Series("", points),), digits=digits, told=True
        )
    columns = (
        Column("share", "word"), Column("rows", "number"),
        *(Column(f"seed {seed}", "number") for seed in range(1, seeds + 1)),
    )  # fmt: skip
    rows = tuple(
        (f"{100 * point['share']:g} %", f"{point['rows']:,}",
         *(number(value, digits) for value in point["values"]),
         *("" for _ in range(seeds - len(point["values"]))))
        for point in found["points"]
    )  # fmt: skip
    yield Table(columns, rows, "Scores by share of the training rows", ordered=True)
    yield Note(
        "The worth of more rows is forecast as a straight line over the logarithm of their number, "
        "for rows like those that are there, and no further than one doubling."
    )


def _failed(document: Document) -> Iterator[Block]:
    for arm in document["arms"]:
        if arm["failed"]:
            yield Note(f"{_name(arm)} failed: {one_line(arm['failed'], 300)}", failed=True)
