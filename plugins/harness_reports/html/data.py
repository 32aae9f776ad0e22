"""Data added and refused, remedies, all scores with their signatures, training, appendix."""

from __future__ import annotations

from collections.abc import Sequence

from harness.kit import numbers
from harness.kit.numbers import interval, number
from harness_reports import figures, findings
from harness_reports.figures import Document
from harness_reports.html import charts
from harness_reports.html.errors import count, failed
from harness_reports.html.markup import Html, element, joined, long, name, table


def grown(document: Document) -> Html:
    """What was planned, added and refused after each round; rows near dev or test."""
    return joined(_grown(document), _near(document))


def _near(document: Document) -> Html | None:
    pairs = findings.near_pairs(document)
    if not pairs:
        return None
    columns = [("similarity", "n"), ("row", ""), ("text", ""), ("held out", ""), ("text", "")]
    rows = [
        (one.similarity, name(one.row), long(one.text, 400), name(one.held_out),
         long(one.held_out_text, 400))
        for one in pairs
    ]  # fmt: skip
    title = "Training rows near dev or test"
    return joined(
        element("h3", title), element("p", findings.NEAR, class_="note"),
        table(columns, rows, title),
    )  # fmt: skip


def _grown(document: Document) -> Html:
    entries = [e for e in document["rounds"] if e["plan"] or e["added"] or e["refused"]]
    notice = failed(document, "added", "refused")
    if not entries:
        return joined(notice, element("p", "No training data were added."))
    columns = [("after round", "s"), ("added", "n"), ("by", ""), ("planned", ""), ("refused", "n"),
               ("why", "")]  # fmt: skip
    rows = [
        (
            str(entry["round"]), str(entry["added"]), figures.counted(entry["added_by"]),
            element("ul", (element("li", item) for item in figures.planned(entry["plan"]))),
            str(sum(entry["refused"].values())), figures.counted(entry["refused"]),
        )
        for entry in entries
    ]  # fmt: skip
    return joined(notice, table(columns, rows, "Training data added and refused"), _added(document))


def _added(document: Document) -> Html | None:
    found = findings.table(document, "added")
    if not found:
        return None
    rows = [
        (str(r.get("round")), name(r.get("made_by")), name(r.get("slice") or "everywhere"),
         str(r.get("rows")))
        for r in found
    ]  # fmt: skip
    columns = [("after round", "s"), ("made by", ""), ("for the slice", ""), ("rows", "n")]
    summary = "Rows added by round, maker and slice"
    return element("details", element("summary", summary), table(columns, rows, summary))


def remedies(document: Document) -> Html:
    """What to do next; worth is an upper limit, and the page says so."""
    found = document["remedies"]
    if not found:
        return element("p", "No remedy is known: neither a cause nor a planned slice names one.")
    told = "In order of the wrong answers that each speaks of. That is an upper limit of what it "
    columns = [("remedy", ""), ("answers", "n"), ("new data", "s"), ("why", "")]
    rows = [
        (
            name(one.get("remedy"), 300),
            count(one.get("answers")),
            "yes" if one.get("by_data") else "no", one.get("why") or "",
        )
        for one in found
    ]  # fmt: skip
    return joined(
        element("p", f"{told}is worth: no remedy cures all that it is meant for.", class_="note"),
        table(columns, rows, "Remedies in order of expected worth"),
    )


def scores(document: Document) -> Html:
    """All scores by round, the kept round's interval, counts and signatures; small charts."""
    names = figures.score_names(document)
    if not names:
        return element("p", "Nothing was scored.")
    drawn = [
        charts.scores_by_round(document, score, f"score-{place}", 140.0)
        for place, score in enumerate(names) if score != document["primary"]
    ]  # fmt: skip
    rounds = figures.shown_rounds(document, 8)
    last = next((e for e in rounds if e["round"] == document["kept_round"]), rounds[-1])
    columns = [
        ("score", ""), *((figures.round_name(e, document), "n") for e in rounds),
        (f"95 % interval, round {last['round']}", "n"), ("scored", "n"), ("not scored", "n"),
        ("better", "s"), ("signature", ""),
    ]  # fmt: skip
    rows = [_score(document, score, rounds, last) for score in names]
    note = "Compare two numbers only if their signatures are equal."
    note = " ".join(filter(None, [note, figures.chosen_sentence(document)]))
    return joined(
        table(columns, rows, "All scores by round"), element("p", note, class_="note"),
        element("div", drawn, class_="charts"),
    )  # fmt: skip


def _score(
    document: Document, score: str, rounds: Sequence[Document], last: Document
) -> tuple[Html | str, ...]:
    digits = figures.score_digits(document, score)
    now = last["scores"].get(score, {})
    return (
        name(figures.score_title(document, score, 40), 90),
        *(number(figures.value_of(entry, score), digits) for entry in rounds),
        interval(now.get("low"), now.get("high"), digits),
        count(now.get("n")),
        str(now.get("unscored") or 0),
        "higher" if now.get("higher_is_better", True) else "lower",
        element("code", name(now.get("signature", ""), 300)),
    )


def training(document: Document) -> Html:
    """Losses by round."""
    drawn = charts.losses(document)
    if not drawn:
        return element("p", "No loss was logged.")
    rows = [
        (str(entry["round"]), *(cell for side in figures.losses(entry) for cell in _ends(side)))
        for entry in document["rounds"] if any(figures.losses(entry))
    ]  # fmt: skip
    columns = [("round", "s")]
    for side in ("training", "validation"):
        columns += [(f"{side}, first", "n"), (f"{side}, last", "n")]
    told = "Line: loss on the training rows; dots: loss on the validation rows."
    return joined(
        element("p", told, class_="note"), element("div", drawn, class_="charts"),
        table(columns, rows, "Training and validation loss"),
    )  # fmt: skip


def _ends(values: list[float]) -> tuple[str, str]:
    if not values:
        return numbers.DASH, numbers.DASH
    return number(values[0]), number(values[-1])


def appendix(document: Document) -> Html:
    """Notes, parts that failed, time spent, and the SQL behind each table."""
    notes = [element("li", note) for note in document["notes"]]
    broken = [element("li", name(part), f": {why}") for part, why in document["failed"].items()]
    seconds = sorted(document["seconds"].items(), key=lambda item: -item[1])
    spent = [(name(stage), figures.duration(took)) for stage, took in seconds]
    return joined(
        [element("h3", "Notes"), element("ul", notes)] if notes else None,
        [element("h3", "Parts that could not be made"), element("ul", broken)] if broken else None,
        _queries(document),
        [element("h3", "Time"), table([("stage", "s"), ("time", "n")], spent, "Time by stage",
                                      sortable=False)] if spent else None,
    )  # fmt: skip


def _queries(document: Document) -> Html | None:
    if not document["queries"]:
        return None
    told = 'Each of these tables is the answer of a query: harness query "SELECT …" asks it again.'
    shown = [
        element(
            "details",
            element("summary", element("b", name(query.get("name"))), ": ", query.get("what")),
            element("pre", element("code", long(query.get("sql") or "", 20_000))),
        )
        for query in document["queries"]
    ]
    return joined(element("h3", "Queries"), element("p", told, class_="note"), shown)


def next_command(document: Document) -> Html | None:
    """The last line of the page: what to type."""
    if not document["next_command"]:
        return None
    command = element("code", name(document["next_command"], 2_000))
    return element("p", "Next: ", command, class_="next")
