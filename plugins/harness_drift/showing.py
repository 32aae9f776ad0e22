"""The document of a look, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from harness.kit.blocks import Column, Table
from harness.kit.numbers import counted, p_value
from harness.kit.terminal import tables
from harness.kit.terminal.blocks import draw_rows
from harness.kit.text import one_line

MOST = {"kinds": 8, "answers": 8, "ratings": 3}
"""Things that changed, and are shown, of each test; ratings of all rows come with their kinds."""
MOST_RATED = 5
NAMES = {
    "prompts": "texts of prompts",
    "kinds": "kinds of prompts",
    "answers": "answers",
    "ratings": "ratings",
}
MARKS = {"drifted": ("▲", "bold red"), "no evidence": ("◆", "bold"), "too few": ("?", "bold")}


def show(document: Mapping[str, Any], console: Console) -> None:
    mark, style = MARKS[document["verdict"]]
    rows, groups = document["rows"], document["groups"]
    line = Text.assemble((f"{mark} {document['verdict']}", style))
    console.print(line, highlight=False)
    tables.note(
        console,
        f"{document['live']}: {counted(rows['live'], 'row')} in "
        f"{counted(groups['live'], 'group')}, beside {document['reference']}: "
        f"{rows['reference']:,} in {groups['reference']:,}.",
    )
    if document["look"]:
        _show_tests(document, console)
        _show_changes(document["tests"], console)
    if document["rated"]:
        _show_rated(document["rated"], console)
    if document["examples"]:
        tables.head(console, "live rows that the reference knows least")
        for example in document["examples"]:
            tables.item(console, one_line(example["prompt"], 140))
    if document["remarks"] or document["next"]:
        console.print()
    for remark in document["remarks"]:
        tables.note(console, f"{remark}.", "yellow")
    for number, command in enumerate(document["next"]):
        if not number:
            tables.note(
                console,
                "Nothing is trained. The 50 rows that tell most are written to a file; correct "
                "their answers (or fill in their references), add them to the data, then harness "
                "iterate.",
            )
        tables.next_command(console, command)


def _show_tests(document: Mapping[str, Any], console: Console) -> None:
    look = document["look"]
    console.print()
    columns = (
        Column("compared"), Column("rows", "number"), Column("groups", "number"),
        Column("p (Holm)", "number"), Column("says"),
    )  # fmt: skip
    lines = tuple(
        (
            NAMES[test["aspect"]],
            f"{test['rows'][0]:,} / {test['rows'][1]:,}",
            f"{test['groups'][0]:,} / {test['groups'][1]:,}",
            "-" if test["adjusted"] is None else p_value(test["adjusted"]),
            "changed" if test["changed"] else test["note"] or "no evidence",
        )
        for test in document["tests"]
    )
    draw_rows(Table(columns, lines, "tests"), console)
    series = f" of series {look['series']}" if look["series"] > 1 else ""
    console.print()
    tables.note(
        console,
        f"Rows and groups are those of the reference / live. Look {look['number']} of "
        f"{look['of']}{series}: a change needs a p up to .05/{look['of']} = {look['alpha']:.2g}.",
    )


def _show_changes(tests: Sequence[Mapping[str, Any]], console: Console) -> None:
    shown = []
    for test in tests:
        holding = [change for change in test["changes"] if change["holds"]]
        for change in holding[: MOST.get(test["aspect"], 0)]:
            shown.append((test["aspect"], change))
    if shown:
        tables.head(console, "what changed")
        columns = (
            Column(""), Column("of", spare=1), Column("reference", "number"),
            Column("live", "number"), Column("p (Holm)", "number"),
        )  # fmt: skip
        lines = tuple(
            (
                one_line(change["name"], 60),
                NAMES[aspect],
                _value(change, "reference"),
                _value(change, "live"),
                p_value(change["p"]),
            )
            for aspect, change in shown
        )
        draw_rows(Table(columns, lines, "changes"), console)
    for test in tests:
        if test["aspect"] == "kinds" and (sentence := would_have_found(test["changes"])):
            console.print()
            tables.note(console, sentence)


def _show_rated(rated: Sequence[Mapping[str, Any]], console: Console) -> None:
    tables.head(console, "live ratings by kind, the lowest first; dev has none to test against")
    columns = (
        Column(""), Column("rating", "number"), Column("rated", "number"),
        Column("score on dev", "number"), Column("rows of dev", "number", spare=1),
    )  # fmt: skip
    lines = tuple(
        (
            one_line(kind["name"], 60), f"{kind['rating']:.3g}", f"{kind['rated']:,}",
            f"{kind['score']:.3g}", f"{kind['scored']:,}",
        )
        for kind in rated[:MOST_RATED]
    )  # fmt: skip
    draw_rows(Table(columns, lines, "ratings"), console)


def _value(change: Mapping[str, Any], side: str) -> str:
    value = change[side]
    if value is None:
        return "-"
    return f"{100 * value:.0f} %" if change["share"] else f"{value:.3g}"


def would_have_found(kinds: Sequence[Mapping[str, Any]]) -> str:
    """How large a change of a kind of prompt four looks in five find, of a kind of usual size."""
    usual = [
        kind
        for kind in kinds
        if kind["share"] and kind["detectable"] and 0.05 <= (kind["reference"] or 0) <= 0.5
    ]
    if not usual:
        return ""
    kind = min(usual, key=lambda kind: (abs(kind["reference"] - 0.2), kind["name"]))
    to = kind["reference"] + kind["detectable"]
    if to >= 1:
        return "So few rows would show no change of a single kind of prompt reliably."
    return (
        f"Four looks in five would find a kind such as '{one_line(kind['name'], 60)}' "
        f"({100 * kind['reference']:.0f} % of the reference) at {100 * to:.0f} % or more."
    )
