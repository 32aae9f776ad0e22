"""The section of reports on what was tried: settings, base models, more rows, other seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import harness
from harness import Analysis
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
from harness.kit.documents import score_digits, score_title, unlabelled
from harness.kit.numbers import DASH, at_least, duration, interval, number, signed
from harness.kit.text import one_line
from harness.records.summary import UNSCORED, ShownArm
from harness_levers.document import Judged, OwnTraining, ShownLevers, compared, levers_of
from harness_levers.records import Curve, ModelPair, Ranking

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

    def blocks(self, document: Analysis) -> Iterator[Block]:
        """See :meth:`harness.Section.blocks`."""
        return self._readable(document, self._whole)

    def in_short(self, document: Analysis) -> Iterator[Block]:
        """The conclusions, and the arms in a few lines."""
        return self._readable(document, self._short)

    def _readable(
        self, document: Analysis, tell: Callable[[Analysis, ShownLevers], Iterator[Block]]
    ) -> Iterator[Block]:
        try:
            levers = levers_of(document)
        except harness.DataError as error:
            yield Heading(self.title)
            yield Note(f"{error.placed}. To mend it, {error.hint}.", failed=True)
            return
        if levers is not None:
            yield from tell(document, levers)

    def _whole(self, document: Analysis, levers: ShownLevers) -> Iterator[Block]:
        reference = f"round {levers.reference}"
        yield Heading(self.title, f"each differs from {reference} in settings, model, rows or seed")
        yield from _conclusions(document, levers)
        judged = compared(document)
        if judged:
            yield _picture(document, judged)
            yield _table(document, levers, judged, None)
            yield Details("Each verdict in words", (Bullets(tuple(map(_in_words, judged))),))
        if levers.models is not None:
            yield from _models(document, levers, levers.models)
        if levers.curve is not None:
            yield from _curve(document, levers.curve)
        yield from _failed(document)
        yield Note(
            "Arms are compared on dev, which chose the round too: they help to decide what to do "
            "next, and are no results. Their bounds allow for all arms that were tried on these "
            "rows."
        )

    def _short(self, document: Analysis, levers: ShownLevers) -> Iterator[Block]:
        yield Heading(self.title)
        yield from _conclusions(document, levers)
        if judged := compared(document):
            # The latest are what was asked for.
            latest_first = [*judged[-SHORT:], *judged[:-SHORT]]
            yield _table(document, levers, latest_first, SHORT)
        yield from _failed(document)


def _name(arm: ShownArm) -> str:
    return one_line(arm.name, NAME)


def _in_words(judged: Judged) -> Paragraph:
    arm, verdict = judged
    sentence = unlabelled(verdict.words, verdict.label)
    return Paragraph(sentence, lead=f"{_name(arm)}:", label=verdict.label)


def _conclusions(document: Analysis, levers: ShownLevers) -> Iterator[Block]:
    """One sentence for each question that was asked."""
    if judged := compared(document):
        yield Paragraph(_of_arms(document, levers, judged))
    if levers.models is not None:
        yield Paragraph(levers.models.sentence, lead="Base models:")
    if levers.curve is not None:
        yield Paragraph(levers.curve.sentence, lead="Rows:")
    if levers.method is not None:
        verdict = levers.method.verdict
        yield Paragraph(
            unlabelled(verdict.words, verdict.label), lead=f"Seeds, {levers.method.name}:",
            label=verdict.label,
        )  # fmt: skip


def _of_arms(document: Analysis, levers: ShownLevers, judged: Sequence[Judged]) -> str:
    """``lower rate is better than round 2 by 0.120 (at least 0.080). r 8: no evidence.``"""
    reference = f"round {levers.reference}"
    shown = partial(number, digits=score_digits(document, document.primary))
    better = [
        (verdict.difference, verdict.low, arm)
        for arm, verdict in judged
        if verdict.label == "improved"
        and verdict.difference is not None and verdict.low is not None
    ]  # fmt: skip
    gains = ", ".join(
        f"{_name(arm)} by {shown(gain)} ({at_least(low, shown)})"
        for gain, low, arm in sorted(better, key=lambda improved: -improved[0])
    )
    count = f"{len(judged)} arm{'s' if len(judged) > 1 else ''}"
    sentence = (
        f"Better than {reference}: {gains}."
        if better
        else f"Of {count}, none is shown to be better than {reference}."
    )
    excluded = [_name(arm) for arm, _ in judged if arm.worth == "no"]
    if excluded:
        gain = shown(levers.worth)
        sentence += f" A gain of {gain}, which would matter, is excluded for {', '.join(excluded)}."
    return sentence


def _picture(document: Analysis, judged: Sequence[Judged]) -> Chart:
    """Gains in their bounds; what clears zero is filled."""
    points = tuple(
        Point(
            _name(arm), verdict.difference, verdict.low, verdict.high,
            verdict.label in ("improved", "regressed"), verdict.label,
        )
        for arm, verdict in judged
        if verdict.difference is not None
    )  # fmt: skip
    digits = score_digits(document, document.primary)
    title = f"Gain in {score_title(document, document.primary, 40)} by arm"
    return Chart("gaps", title, (Series("", points),), digits=digits, redundant=True)


def _table(
    document: Analysis, levers: ShownLevers, judged: Sequence[Judged], short: int | None
) -> Table:
    primary = document.primary
    digits = score_digits(document, primary)
    worth = levers.worth is not None
    columns = (
        Column("arm"), Column("what differs", spare=4),
        Column(score_title(document, primary, 20), "number", strong=True),
        Column("gain", "number"), Column("bounds", "number", spare=1), Column("", "label"),
        *((Column(f"gain of {number(levers.worth, digits)}", "word", spare=2),) if worth else ()),
        Column("time", "number", spare=3),
    )  # fmt: skip
    rows = []
    for arm, verdict in judged:
        score = arm.scores.get(primary, UNSCORED)
        rows.append((
            _name(arm), one_line(arm.what, 120), number(score.value, digits),
            signed(verdict.difference, digits),
            interval(verdict.low, verdict.high, digits, plus=True), verdict.label,
            *((WORTH[arm.worth] if arm.worth else "",) if worth else ()), duration(arm.seconds),
        ))  # fmt: skip
    return Table(columns, tuple(rows), "Arms against the reference round", short, ordered=True)


def _models(document: Analysis, levers: ShownLevers, ranking: Ranking) -> Iterator[Block]:
    """The ranking, what each model costs, and quality against cost."""
    primary = document.primary
    digits = score_digits(document, primary)
    arms = {arm.name: arm for arm in document.arms if arm.kind == "model"}
    reference = next(entry for entry in document.rounds if entry.round == levers.reference)
    rows, points = [], []
    for name, place in sorted(ranking.places.items(), key=lambda item: item[1]):
        arm = arms.get(name)
        training = _training(arm) if arm else levers.own
        scores = arm.scores if arm else reference.scores
        score, seconds = scores.get(primary, UNSCORED), _seconds(training)
        rows.append((
            str(place), one_line(name, NAME), number(score.value, digits),
            interval(score.low, score.high, digits), *_cost(training),
        ))  # fmt: skip
        if score.value is not None and seconds:
            points.append(Point(seconds, score.value, score.low, score.high, place == 1, name))
    yield Heading("Base models", "after the same training", level=3)
    if len(points) > 1:
        title = f"{score_title(document, primary, 40)} by seconds of training and answering"
        yield Chart(
            "scatter", title, (Series("", tuple(points)),), unit="", digits=digits, redundant=True
        )
    yield Table(
        (Column("place", "word"), Column("model"),
         Column(score_title(document, primary, 20), "number", strong=True),
         Column("95 % interval", "number", spare=1), Column("parameters", "number", spare=2),
         Column("memory", "number", spare=3), Column("time", "number"),
         Column("tokens/s", "number", spare=4)),
        tuple(rows), "Base models after the same training", ordered=True,
    )  # fmt: skip
    yield Details("Each two of them", (_pairs(ranking.pairs, digits),))


def _pairs(pairs: Sequence[ModelPair], digits: int) -> Table:
    rows = tuple(
        (f"{one_line(pair.first, NAME)} against {one_line(pair.second, NAME)}",
         signed(pair.difference, digits), interval(pair.low, pair.high, digits, plus=True),
         number(pair.p, 4), pair.label)
        for pair in pairs
    )  # fmt: skip
    columns = (
        Column("models"), Column("difference", "number"), Column("bounds", "number", spare=1),
        Column("p (Holm)", "number"), Column("", "word"),
    )  # fmt: skip
    return Table(columns, rows, "Each two base models", ordered=True)


def _training(arm: ShownArm) -> OwnTraining:
    """The first training of an arm."""
    stages = {stage: value or 0.0 for stage, value in arm.trainings[0].seconds.items()}
    return OwnTraining(arm.rows, arm.seconds, arm.tokens, arm.memory, arm.parameters, stages)


def _seconds(training: OwnTraining) -> float:
    return sum(training.seconds_by_stage.values()) or training.seconds


def _cost(training: OwnTraining) -> tuple[str, str, str, str]:
    """Parameters, memory, time, tokens in a second of training."""
    parameters, memory, seconds = training.parameters, training.memory, _seconds(training)
    train = training.seconds_by_stage.get("train")
    rate = training.tokens / train if training.tokens and train else None
    return (
        f"{parameters / 1e6:,.0f} M" if parameters else DASH,
        f"{memory / 2**20:,.0f} MiB" if memory else DASH,
        duration(seconds) if seconds else DASH,
        f"{rate:,.0f}" if rate else DASH,
    )


def _curve(document: Analysis, curve: Curve) -> Iterator[Block]:
    """The scores by share of the rows."""
    digits = score_digits(document, document.primary)
    title = score_title(document, document.primary, 40)
    seeds = max(len(point.values) for point in curve.points)
    points = tuple(
        Point(point.rows, value, tip=f"{point.rows:,} rows")
        for point in curve.points
        for value in point.values
        if value is not None
    )
    yield Heading("How much data", "shares of the training rows", level=3)
    if points:
        yield Chart(
            "scatter",
            f"{title} by training rows",
            (Series("", points),),
            digits=digits,
            redundant=True,
        )
    columns = (
        Column("share", "word"), Column("rows", "number"),
        *(Column(f"seed {seed}", "number") for seed in range(1, seeds + 1)),
    )  # fmt: skip
    rows = tuple(
        (f"{100 * point.share:g} %", f"{point.rows:,}",
         *(number(value, digits) for value in point.values),
         *("" for _ in range(seeds - len(point.values))))
        for point in curve.points
    )  # fmt: skip
    yield Table(columns, rows, "Scores by share of the training rows", ordered=True)
    yield Note(
        "The worth of more rows is forecast as a straight line over the logarithm of their number, "
        "for rows like those that are there, and no further than one doubling."
    )


def _failed(document: Analysis) -> Iterator[Block]:
    for arm in document.arms:
        if arm.failed:
            yield Note(f"{_name(arm)} failed: {one_line(arm.failed, 300)}", failed=True)
