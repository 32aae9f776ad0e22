"""What raters said of the answers: how far they are, scores, preferences, agreement, errors.

Batches are numbered; where there is more than one, a row says by number which it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import harness
from harness import Analysis
from harness.kit.blocks import (
    Block,
    Bullets,
    Cell,
    Column,
    Details,
    Heading,
    Note,
    Paragraph,
    Table,
)
from harness.kit.numbers import DASH, estimate, number, percent
from harness.kit.text import one_line

Row = Mapping[str, Any]
"""Of a table that :mod:`harness_rating.tables` makes."""

TABLES = (
    "rated", "rating_scores", "win_rates", "agreement", "raters", "validity", "named_errors",
)  # fmt: skip
SHORT = 12
"""Rows of a table in a short report."""
MOST_ROUNDS = 8
ALPHA = (
    "Alpha: 1 = raters always agree, 0 = no better than chance; from 0.80 on good, below 0.67 too "
    "little to rely on. Kappa is the mean of all pairs of raters, equal the share of equal pairs "
    "of ratings."
)
SEVERITY = (
    "Severity: points above (+) or below (-) the others on the same items. Same again: of hidden "
    "repeats."
)
CLASH = "Several batches rated the same round: the largest is shown."
MANY = "The overall score decides; among many criteria some seem changed by chance."
NO_SAMPLE = "chosen for finding errors: no intervals, no verdict, not among the scores here"
NOT_DEV = "not of dev, so it is for new training rows: not among the scores here"
BY_BATCH = (
    "Answers of which at least one rater said so, of the answers in each round's own batches; "
    '"Error categories on dev" matches what raters chose by an answer\'s text, in whatever batch '
    "it was rated."
)


class PeopleSection(harness.Section):
    """What raters say of the answers that they rated."""

    name = "people"
    title = "What raters say"
    order = 1550
    always = True

    def blocks(self, document: Analysis) -> Iterator[Block]:
        """Nothing where nobody has rated."""
        rated, notices = batches(document), list(_notices(document))
        if not rated and not notices:
            return
        yield Heading(self.title, extent(document) if rated else "")
        yield from notices
        if rated:
            yield from _batches(rated)
        for part in (_scores, _compared, _agreement, _raters, _named, _metrics):
            yield from part(document)


def _notices(document: Analysis) -> Iterator[Block]:
    """What of this section could not be found out."""
    questions = {query.name: query.what for query in document.queries}
    for name, why in sorted(document.failed.items()):
        if name in TABLES:
            what = questions.get(name, name)
            text = f"This part is incomplete. It could not be found out: {what}. {why}"
            yield Note(text, failed=True)


def rows_of(document: Analysis, name: str) -> Sequence[Row]:
    """The rows of one table of the analysis, or none."""
    return document.tables.get(name, ())


def batches(document: Analysis) -> list[Row]:
    """All batches, each with its ``number``; none where nobody has rated."""
    rated = rows_of(document, "rated")
    numbered: list[Row] = [{**row, "number": n} for n, row in enumerate(rated, 1)]
    results = any(rows_of(document, name) for name in ("rating_scores", "win_rates", "agreement"))
    return numbered if results or any(row["rated"] for row in numbered) else []


def extent(document: Analysis) -> str:
    """``90 of 120 items rated``."""
    rated = rows_of(document, "rated")
    done, total = sum(row["rated"] for row in rated), sum(row["items"] for row in rated)
    return f"{done} of {total} items rated"


def _batches(rated: Sequence[Row]) -> Iterator[Block]:
    columns = (
        Column("", "number"), Column("rubric"), Column("rounds", "text"), Column("sample", "word"),
        Column("rated", "number"), Column("raters"), Column("batch", "word", spare=1),
    )  # fmt: skip
    rows = tuple(
        (
            row["number"], _rubric(row), ", ".join(str(at) for at in row["rounds"]) or DASH,
            _sample(row), f"{row['rated']} of {row['items']}",
            ", ".join(one_line(rater, 40) for rater in row["raters"][:20]),
            one_line(row["batch"], 60),
        )
        for row in rated
    )  # fmt: skip
    yield Table(columns, rows, "Batches of ratings", SHORT)
    if any(row["split"] == "dev" and not row["verdicts"] for row in rated):
        yield Note(f"* {NO_SAMPLE}")
    if any(row["split"] != "dev" for row in rated):
        yield Note(f"† {NOT_DEV}")


def _rubric(row: Row) -> str:
    """``Support answers, version 2``."""
    return f"{one_line(row['title'] or row['rubric'], 60)}, version {row['version']}"


def _sample(row: Row) -> str:
    """How its answers were chosen, with a mark where they tell nothing of a round."""
    if row["split"] != "dev":
        return f"{one_line(row['split'], 20)}: {one_line(row['strategy'], 30)} †"
    return one_line(row["strategy"], 30) + ("" if row["verdicts"] else " *")


Rows = Iterable[tuple[Row, tuple[Cell, ...]]]
"""What a row of a table is made from, and its cells."""


def _table(document: Analysis, columns: Sequence[Column], rows: Rows, caption: str) -> Table:
    """A table whose rows begin with the number of their batch, where there are several."""
    names = [batch["batch"] for batch in rows_of(document, "rated")]
    if len(names) < 2:
        return Table(tuple(columns), tuple(cells for _, cells in rows), caption, SHORT)
    numbered = tuple(
        (names.index(row["batch"]) + 1 if row["batch"] in names else "?", *cells)
        for row, cells in rows
    )
    return Table((Column("batch", "number"), *columns), numbered, caption, SHORT)


def _scores(document: Analysis) -> Iterator[Block]:
    criteria, clash = _largest_scores(document)
    if not criteria:
        return
    rounds = _shown_rounds(document, {at for _, by_round in criteria for at in by_round})
    rows = tuple(
        (name, *(_value(by_round.get(at)) for at in rounds)) for name, by_round in criteria
    )
    yield Heading("Scores by round", "means of the rated answers, 0 to 1, with 95 % intervals", 3)
    columns = (Column("criterion"), *_columns(document, rounds))
    yield Table(columns, rows, "Scores by round, from ratings", SHORT)
    if clash:
        yield Note(CLASH)


def _largest_scores(document: Analysis) -> tuple[list[tuple[str, dict[int, Row]]], bool]:
    """Criteria with round -> score, and whether batches of one round compete; the largest is
    taken."""
    scores: dict[tuple[str, int, int, str], dict[int, Row]] = {}
    clash = False
    for row in rows_of(document, "rating_scores"):
        key = (row["rubric"], row["version"], row["position"], row["title"])
        by_round = scores.setdefault(key, {})
        other = by_round.get(row["round"])
        clash = clash or other is not None
        if other is None or row["n"] > other["n"]:
            by_round[row["round"]] = row
    rubrics = {(rubric, version) for rubric, version, _, _ in scores}
    named = []
    for (rubric, version, _, title), by_round in sorted(scores.items(), key=lambda pair: pair[0]):
        name = title if len(rubrics) == 1 else f"{rubric}/{version}: {title}"
        named.append((one_line(name, 80), by_round))
    return named, clash


def _value(row: Row | None) -> str:
    return "" if row is None else estimate(row["value"], row["low"], row["high"])


def _columns(document: Analysis, rounds: Sequence[int]) -> tuple[Column, ...]:
    """A column for each round; the older ones give way first, the first and the kept never."""
    fixed = {min(rounds, default=0), document.kept_round, max(rounds, default=0)}
    return tuple(
        Column(f"round {at}", "number", spare=0 if at in fixed else 1 + max(rounds) - at)
        for at in rounds
    )


def _shown_rounds(document: Analysis, rounds: set[int]) -> list[int]:
    """The first round and the kept one, then the latest."""
    order = [min(rounds, default=0), document.kept_round, *sorted(rounds, reverse=True)]
    shown = [at for at in dict.fromkeys(order) if at in rounds]
    return sorted(at for at in shown[:MOST_ROUNDS] if at is not None)


def _estimate(row: Row, name: str, plus: bool = False) -> str:
    """A figure of three columns: value and interval."""
    return estimate(row[name], row[f"{name}_low"], row[f"{name}_high"], plus=plus)


def _compared(document: Analysis) -> Iterator[Block]:
    compared = rows_of(document, "win_rates")
    if not compared:
        return
    columns = (
        Column("criterion"), Column("rounds", "word"), Column("win-tie-loss", "word", "right"),
        Column("win rate", "number"),
        Column("difference", "number", spare=1), Column("verdict", "label"),
    )  # fmt: skip
    rows = [
        (row, (
            one_line(row["title"], 60), f"{row['round']} : {row['against']}",
            f"{row['wins']}-{row['ties']}-{row['losses']}", _estimate(row, "win_rate"),
            _estimate(row, "difference", plus=True), row["label"],
        )) for row in compared
    ]  # fmt: skip
    about = "how often raters think the later round's answer to a prompt better"
    yield Heading("Later round against earlier", about, 3)
    yield _table(document, columns, rows, "Win rates of rounds")
    places = [(row["batch"], row["round"], row["against"]) for row in compared]
    if len(places) > len(set(places)):
        yield Note(MANY)
    sentences = tuple(Paragraph(one_line(row["sentence"], 360)) for row in compared)
    yield Details("The same in words", (Bullets(sentences),))


def _agreement(document: Analysis) -> Iterator[Block]:
    agreed = rows_of(document, "agreement")
    if not agreed:
        return
    columns = (
        Column("criterion"), Column("rated twice", "number"), Column("alpha", "number"),
        Column("kappa", "number", spare=2), Column("equal", "number"),
        Column("in words", spare=1),
    )  # fmt: skip
    rows = [
        (row, (
            one_line(row["title"], 60), number(row["n"], 0), _estimate(row, "alpha"),
            _estimate(row, "kappa"), percent(row["raw"]), _reading(row),
        )) for row in agreed
    ]  # fmt: skip
    yield Heading("Agreement of raters", level=3)
    yield _table(document, columns, rows, "Agreement")
    yield Note(ALPHA)


def _reading(row: Row) -> str:
    """What alpha means, in words, without the figures that stand beside it."""
    why = one_line(row["why"] or "", 120)
    if row["alpha"] is None:
        return f"none: {why}"
    sentence = one_line(row["sentence"] or "", 200).rpartition(": ")[2].rstrip(".")
    lacking = f"no interval: {why}" if why and row["alpha_low"] is None else ""
    return "; ".join(part for part in (sentence, lacking) if part)


def _raters(document: Analysis) -> Iterator[Block]:
    per_rater = raters(document)
    if not per_rater:
        return
    columns = (
        Column("rater"), Column("done", "number"), Column("an item", "number"),
        Column("severity", "number"), Column("in"), Column("same again", "number"),
    )  # fmt: skip
    rows = [
        (row, (
            one_line(row["rater"], 40), number(row["done"], 0), _seconds(row),
            _estimate(row, "severity", plus=True), one_line(row["title"], 40), _steadiness(row),
        )) for row in per_rater
    ]  # fmt: skip
    yield Heading("Raters", level=3)
    yield _table(document, columns, rows, "Raters")
    yield Note(SEVERITY)


def raters(document: Analysis) -> list[Row]:
    """Each rater of each batch by the first criterion for which severity is known."""
    by_rater: dict[tuple[str, str], Row] = {}
    for row in rows_of(document, "raters"):
        key = (row["batch"], row["rater"])
        other = by_rater.get(key)
        if other is None or (other["severity"] is None and row["severity"] is not None):
            by_rater[key] = row
    place = {batch["batch"]: at for at, batch in enumerate(rows_of(document, "rated"))}
    return sorted(
        by_rater.values(), key=lambda row: (place.get(row["batch"], len(place)), row["rater"])
    )


def _seconds(row: Row) -> str:
    return DASH if row["seconds"] is None else f"{row['seconds']:.0f} s"


def _steadiness(row: Row) -> str:
    """``83 % of 6``, of hidden repeats."""
    return DASH if row["same"] is None else f"{percent(row['same'])} of {row['repeats']}"


def _named(document: Analysis) -> Iterator[Block]:
    """Kinds of errors, the most frequent first, and answers rated by round."""
    counts: dict[str, dict[int, int]] = {}
    rated: dict[int, int] = {}
    for row in rows_of(document, "named_errors"):
        counts.setdefault(row["category"], {})[row["round"]] = row["answers"]
        rated[row["round"]] = row["rated"]
    if not counts:
        return
    rounds = _shown_rounds(document, set(rated))
    kinds = sorted(counts.items(), key=lambda kind: (-sum(kind[1].values()), kind[0]))
    columns = (Column("kind"), *_columns(document, rounds))
    rows: list[tuple[Cell, ...]] = [("answers rated", *(rated[at] for at in rounds))]
    rows += [(one_line(name, 60), *(by.get(at, 0) for at in rounds)) for name, by in kinds]
    yield Heading("Errors that raters named", "in answers", 3)
    yield Table(columns, tuple(rows), "Errors that raters named", SHORT, "rarer", ordered=True)
    yield Note(BY_BATCH)


def _metrics(document: Analysis) -> Iterator[Block]:
    """One sentence for each automatic metric: by differences where there are any, and by the
    batch that says most.
    """
    best: dict[str, Row] = {}
    for row in rows_of(document, "validity"):
        other = best.get(row["metric"])
        if row["sentence"] and (other is None or _weight(row) > _weight(other)):
            best[row["metric"]] = row
    if not best:
        return
    about = "how often each automatic metric orders answers as raters do; a coin has 50 %"
    yield Heading("Which metric can be believed", about, 3)
    sentences = [one_line(row["sentence"], 400) for row in best.values()]
    yield Bullets(tuple(Paragraph(sentence) for sentence in sentences), short=8)


def _weight(row: Row) -> tuple[bool, bool, int]:
    return row["accuracy"] is not None, row["view"] == "differences", row["n"]
