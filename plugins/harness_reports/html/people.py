"""What people said: how far they are, scores, preferences, agreement, errors, metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness_reports import people
from harness_reports.figures import DASH, Document, number
from harness_reports.html.errors import count, failed
from harness_reports.html.markup import Child, Column, Html, element, joined, name, table
from harness_reports.html.verdict import label

TABLES = (
    "rated", "rating_scores", "win_rates", "agreement", "raters", "validity", "named_errors",
)  # fmt: skip


def section(document: Document) -> Html | None:
    """The section, or None where nobody has rated."""
    found = people.batches(document)
    notice = failed(document, *TABLES)
    if not found and notice is None:
        return None
    return joined(
        notice, _batches(document, found), _scores(document), _compared(document),
        _agreement(document), _raters(document), _named(document), _metrics(document),
    )  # fmt: skip


def _batches(document: Document, found: list[Document]) -> Html | None:
    if not found:
        return None
    columns = [("", "n"), ("rubric", ""), ("rounds", "s"), ("sample", "s"), ("rated", "n"),
               ("raters", ""), ("batch", "s")]  # fmt: skip
    rows = [
        (
            str(row["number"]), name(people.rubric(row)), name(people.rounds(row)),
            name(people.sample(row)), f"{row['rated']} of {row['items']}",
            name(", ".join(row["raters"]), 120), name(row["batch"], 60),
        )
        for row in found
    ]  # fmt: skip
    notes = [element("p", f"{mark} {told}", class_="note") for mark, told in people.purposes(found)]
    return joined(
        element("p", f"{people.extent(document)}."),
        table(columns, rows, "Batches that people rate"),
        joined(notes),
    )


def _part(title: str, about: str, *shown: Child) -> Html:
    note = element("p", about, class_="note") if about else None
    return joined(element("h3", title), note, *shown)


Rows = Iterable[tuple[Document, tuple[Child, ...]]]
"""What a row of a table is made from, and its cells."""


def _table(document: Document, columns: Sequence[Column], rows: Rows, caption: str) -> Html:
    """A table whose rows say which batch they are about, where there are several."""
    if not people.several(document):
        return table(columns, [cells for _, cells in rows], caption)
    first, *rest = columns
    found = [(cells[0], people.number_of(document, row), *cells[1:]) for row, cells in rows]
    return table([first, ("batch", "n"), *rest], found, caption)


def _scores(document: Document) -> Html | None:
    rounds, found, clash = people.scores(document, 8)
    if not found:
        return None
    named = people.several_rubrics(found)
    rows = [
        (
            name(f"{one.rubric}: {one.title}" if named else one.title, 80),
            *(people.value(one.by_round.get(at)) for at in rounds),
        )
        for one in found
    ]
    columns = [("criterion", ""), *((f"round {at}", "n") for at in rounds)]
    about = "Means of the rated answers, 0 to 1, with 95 % intervals; raters are averaged."
    clashes = element("p", f"Note: {people.CLASH}.", class_="note") if clash else None
    caption = "Scores by round, from ratings"
    return _part("Scores by round", about, table(columns, rows, caption), clashes)


def _compared(document: Document) -> Html | None:
    found = people.compared(document)
    if not found:
        return None
    columns = [("criterion", ""), ("rounds", "s"), ("better", "n"), ("equal", "n"), ("worse", "n"),
               ("win rate", "n"), ("difference", "n"), ("verdict", "s")]  # fmt: skip
    rows = [
        (
            row,
            (
                name(row["title"], 60), f"{row['round']} against {row['against']}",
                count(row["wins"]), count(row["ties"]), count(row["losses"]),
                people.span(row, "win_rate"), people.span(row, "difference", plus=True),
                label(row["label"]),
            ),
        )
        for row in found
    ]  # fmt: skip
    about = "Of two answers to one prompt, how often people think the later round's better"
    about += f"; {people.MANY}." if people.many(document) else "."
    told = element("ul", [element("li", name(row["sentence"], 360)) for row in found])
    return _part(
        "Later round against earlier", about,
        _table(document, columns, rows, "Win rates of rounds"),
        element("details", element("summary", "The same in words"), told),
    )  # fmt: skip


def _agreement(document: Document) -> Html | None:
    found = people.agreement(document)
    if not found:
        return None
    columns = [("criterion", ""), ("rated twice", "n"), ("alpha", "n"), ("kappa", "n"),
               ("equal", "n"), ("in words", "")]  # fmt: skip
    rows = [
        (
            row,
            (
                name(row["title"], 60), count(row["n"]), people.span(row, "alpha"),
                people.span(row, "kappa"),
                DASH if row["raw"] is None else f"{100 * row['raw']:.0f} %",
                people.reading(row),
            ),
        )
        for row in found
    ]  # fmt: skip
    about = f"{people.ALPHA.capitalize()}. Kappa is the mean of all pairs of raters, equal the "
    about += "share of equal pairs of ratings."
    return _part("Agreement of raters", about, _table(document, columns, rows, "Agreement"))


def _raters(document: Document) -> Html | None:
    found = people.raters(document)
    if not found:
        return None
    columns = [("rater", ""), ("done", "n"), ("an item", "n"), ("severity", "n"), ("in", ""),
               ("same again", "n")]  # fmt: skip
    rows = [
        (
            row,
            (
                name(row["rater"], 40), number(row["done"], 0), people.seconds(row),
                people.span(row, "severity", plus=True), name(row["title"], 60),
                people.steadiness(row),
            ),
        )
        for row in found
    ]  # fmt: skip
    about = f"Severity: {people.SEVERITY}. Same again: share of hidden repeats."
    return _part("Raters", about, _table(document, columns, rows, "Raters"))


def _named(document: Document) -> Html | None:
    rounds, kinds, rated = people.named(document, 8)
    if not kinds:
        return None
    rows = [
        (name(kind.name, 60), *(str(kind.by_round.get(at, 0)) for at in rounds)) for kind in kinds
    ]
    rows.append(("of so many rated", *(str(rated[at]) for at in rounds)))
    columns = [("kind", ""), *((f"round {at}", "n") for at in rounds)]
    about = f"Answers of which at least one rater said so, {people.BY_BATCH}."
    shown = table(columns, rows, "Errors that people named", sortable=False)
    return _part("Errors that people named", about, shown)


def _metrics(document: Document) -> Html | None:
    found = people.metrics(document)
    if not found:
        return None
    about = "How often each automatic metric orders answers as people do; a coin has 50 %."
    told = element("ul", [element("li", name(sentence, 400)) for sentence in found])
    return _part("Which metric can be believed", about, told)
