"""What was added to the training data, what was refused, and how training went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from harness import Analysis
from harness.kit import terms
from harness.kit.blocks import (
    Block,
    Bullets,
    Cell,
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
from harness.kit.numbers import interval, number, signed
from harness.kit.text import one_line
from harness.records.analysis import AddedRows
from harness.records.summary import MainRound, NearPair, ShownPlanItem
from harness_reports import figures, findings
from harness_reports.sections.common import ReportSection, headed
from harness_reports.targets import came
from harness_reports.terms import in_words

NEAR = (
    "Rows of train or pool, each with the most similar row of dev or test. They are trained on "
    "unless filters.source is refuse. Where prompts ask the same, scores are inflated by it."
)
SEALED = "(test is sealed)"


class NearSection(ReportSection):
    """The rows of the source that are nearest to dev or test."""

    name = "near"
    title = "Training rows similar to dev or test"
    order = 1700

    def blocks(self, document: Analysis) -> Iterator[Block]:
        screening = document.data.screening
        if screening and screening.pairs:  # the most alike first
            yield Heading(self.title, "the most similar pairs")
            yield Note(NEAR)
            yield Bullets(tuple(map(_near_pair, screening.pairs)))


def _near_pair(pair: NearPair) -> Paragraph:
    """A row, and the row of dev or test that it nearly repeats."""
    held_out = SEALED if pair.held_out_text is None else pair.held_out_text
    return Paragraph(
        f"{pair.split} {pair.row}: {pair.text}",
        lead=number(pair.similarity, 2),
        detail=f"{pair.held_out_split} {pair.held_out}: {held_out}",
    )


class AddedSection(ReportSection):
    """What was planned, added and refused after each round, the latest first."""

    name = "added"
    title = "Training data added"
    order = 1800

    def blocks(self, document: Analysis) -> Iterator[Block]:
        document = in_words(document)
        grown = [e for e in document.rounds if e.plan or e.added or e.refused]
        heading = Heading(self.title, "and refused, after each round")
        yield from headed(document, heading, grown, "added", "refused")
        if grown and not any(_says_more(entry) for entry in grown):
            yield Paragraph(_untargeted(grown, document.rounds[-1].round))
        elif grown:
            columns = (
                Column("after round", "word"), Column("added", "number"), Column("by"),
                Column("planned"), Column("refused", "number"), Column("why"),
            )  # fmt: skip
            rows = tuple(
                (
                    str(entry.round), entry.added, _counts(entry.added_by),
                    ", ".join(_planned(entry.plan, came(document, entry))),
                    sum(entry.refused.values()),
                    _counts(entry.refused),
                )
                for entry in reversed(grown)
            )  # fmt: skip
            caption, rest = "Training data added and refused", "of earlier rounds"
            yield Table(columns, rows, caption, findings.SHOWN, rest)
        yield from _by_slice(document)


def _says_more(entry: MainRound) -> bool:
    """Whether rows were planned for a slice, or refused."""
    return bool(entry.refused) or any(item.slice != "everywhere" for item in entry.plan)


def _untargeted(grown: list[MainRound], last: int) -> str:
    counts = ", ".join(
        f"{entry.added} after round {entry.round}"
        + (" (which no round was trained on)" if entry.round == last else "")
        for entry in grown
    )  # fmt: skip
    source = terms.shown("key", "everywhere")
    return f"All rows were drawn from {source}, and none was refused: {counts}."


def _by_slice(document: Analysis) -> Iterator[Block]:
    untargeted = terms.shown("key", "everywhere")
    rows = tuple(
        (str(row.round), row.made_by, row.slice or untargeted, row.rows)
        for row in document.rows(AddedRows)
    )
    if rows:
        columns = (
            Column("after round", "word"), Column("augmenter"), Column("for the slice"),
            Column("rows", "number"),
        )  # fmt: skip
        summary = "Rows added by round, augmenter and slice"
        yield Details(summary, (Table(columns, rows, summary),))


SAME = "same number of rows in both arms"
CONTRASTS = {
    "random": ("targeted minus random", SAME),
    "real": ("written minus real rows", SAME),
    "none": ("with minus without added rows", "other numbers of rows in the two arms"),
}


class ControlSection(ReportSection):
    """The added rows against what the control arm got in their place."""

    name = "control"
    title = "What the added rows brought"
    order = 1900

    def blocks(self, document: Analysis) -> Iterator[Block]:
        control = document.control
        if not control:
            return
        compared = control.difference is not None
        contrast, remark = CONTRASTS[control.instead]
        bounds = interval(control.low, control.high, plus=True)
        lead = f"{contrast}: {signed(control.difference)} {bounds}".rstrip()
        yield Heading(self.title, remark if compared else "not compared")
        yield Paragraph(control.sentence, lead=lead if compared else "")


class TrainingSection(ReportSection):
    """Training and validation loss of each trained round, on one scale, and what they show."""

    name = "training"
    title = "Training loss"
    order = 2000

    def blocks(self, document: Analysis) -> Iterator[Block]:
        logged = [entry for entry in document.rounds if any(_losses(entry))]
        if not logged:
            return
        validated = any(_losses(entry)[1] for entry in logged)
        about = ", then on the validation rows" if validated else ""
        yield Heading(self.title, f"first to last step{about}")
        values = [value for entry in logged for side in _losses(entry) for value in side]
        for entry in logged:
            series = (
                Series("training loss", _points((p.step, p.loss) for p in entry.log)),
                Series("validation loss", _points((p.step, p.eval_loss) for p in entry.log)),
            )
            title, scale = f"Loss in round {entry.round}", (min(values), max(values))
            dots = f"dots: {_validation_rows(entry)}" if _losses(entry)[1] else ""
            yield Chart("curve", title, series, scale, redundant=True, remark=dots)
        columns = (
            Column("round", "word"), Column("loss", "word"), Column("", "trend", spare=1),
            *([Column("validation", "word")] if validated else []),
        )  # fmt: skip
        rows: list[tuple[Cell, ...]] = []
        for entry in logged:
            learned, validation = _losses(entry)
            name = figures.round_name(entry.round, document)
            measured = f"{_ends(validation)} ({_validation_rows(entry)})" if validation else ""
            rows.append((name, _ends(learned), tuple(learned), measured)[: len(columns)])
        caption = "Training and validation loss" if validated else "Training loss"
        yield Table(columns, tuple(rows), caption, ordered=True)
        yield from _scored(logged, document)
        if len({_validation_rows(entry) for entry in logged if _losses(entry)[1]}) > 1:
            yield Note(UNLIKE)
        sentences = tuple(
            Paragraph(
                entry.course.sentence,
                lead=f"Round {entry.round}:", detail=entry.course.advice,
            )
            for entry in reversed(logged)
            if entry.course
        )  # fmt: skip
        if sentences:
            yield Bullets(sentences)


def _scored(logged: Sequence[MainRound], document: Analysis) -> Iterator[Block]:
    """How the checkpoints of a training answered valid, where one was chosen by that."""
    of_rounds = {
        entry.round: [(point.step, point.score) for point in entry.log if point.score is not None]
        for entry in logged
    }
    of_rounds = {number: points for number, points in of_rounds.items() if points}
    if not of_rounds:
        return
    primary = one_line(document.primary, 60)
    values = [score for points in of_rounds.values() for _, score in points]
    rows: list[tuple[Cell, ...]] = []
    for round_, points in of_rounds.items():
        title = f"{primary} on valid in round {round_}"
        series = (Series(f"{primary} on valid", _points(points)),)
        yield Chart("curve", title, series, (min(values), max(values)), redundant=True)
        scores = [score for _, score in points]
        steps = ", ".join(str(step) for step, _ in points)
        rows.append((figures.round_name(round_, document), _ends(scores), tuple(scores), steps))
    columns = (
        Column("round", "word"), Column(f"{primary} on valid", "word"),
        Column("", "trend", spare=1), Column("after steps"),
    )  # fmt: skip
    yield Table(columns, tuple(rows), f"{primary} of checkpoints on valid", ordered=True)


UNLIKE = (
    "The rounds measured other validation rows, so their validation losses begin at other values "
    "for the same base model. Compare each with its own beginning."
)


def _validation_rows(entry: MainRound) -> str:
    """``3 of 10 validation rows``: those that were measured all along, as far as it is known."""
    course = entry.course
    if course is None or not course.valid_rows:
        return "the validation rows"
    rows, of = course.valid_rows, course.valid_of
    return f"{rows} of {of} validation rows" if of and of != rows else f"{rows} validation rows"


def _ends(values: list[float]) -> str:
    if len(values) < 2:
        return number(values[0]) if values else ""
    return f"{number(values[0])} → {number(values[-1])}"


def _points(losses: Iterable[tuple[int, float | None]]) -> tuple[Point, ...]:
    return tuple(Point(step, loss) for step, loss in losses if loss is not None)


def _losses(entry: MainRound) -> tuple[list[float], list[float]]:
    """Training and validation losses of a round, by step."""
    log = entry.log
    training = [point.loss for point in log if point.loss is not None]
    return training, [point.eval_loss for point in log if point.eval_loss is not None]


def _counts(counts: Mapping[str, int]) -> str:
    """``pool 96, paraphrase 24``, most first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{one_line(name, 60)} {n}" for name, n in ordered if n)


def _planned(plan: Sequence[ShownPlanItem], came: Mapping[str, int], most: int = 8) -> list[str]:
    """``48 for kind = class (40 came)``, … ; rows for one slice are summed.

    Args:
        came: slice (empty: all data) -> rows that were added, which are told where they differ.
    """
    rows: dict[str, int] = {}
    for item in plan:
        rows[item.slice] = rows.get(item.slice, 0) + item.rows
    listed = [
        f"{n} from {terms.shown('key', name)}{_came(n, came.get('', 0))}"
        if name == "everywhere"
        else f"{n} for {one_line(name, 120)}{_came(n, came.get(name, 0))}"
        for name, n in rows.items()
    ]
    rest = sum(list(rows.values())[most:])
    return listed[:most] + ([f"{rest} for other slices"] if rest else [])


def _came(planned: int, came: int) -> str:
    return "" if came == planned else f" ({came} came)"
