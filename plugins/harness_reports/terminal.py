"""The report in a terminal. Everything is a ``Text``: nothing from data is read as markup."""

from __future__ import annotations

from typing import Any, Literal

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.text import one_line
from harness_reports import figures
from harness_reports.figures import Document, interval, number, signed

WIDE = 110
STYLES = {
    "improved": "bold green",
    "no evidence": "bold yellow",
    "regressed": "bold red",
    "baseline": "cyan",
}


def render(document: Document, console: Console, examples: int = 3) -> None:
    """Print the report of a run; the last line is the next command."""
    _verdict(document, console)
    _rounds(document, console)
    _scores(document, console)
    _test(document, console)
    _control(document, console)
    _errors(document, console)
    _slices(document, console)
    _data(document, console)
    _training(document, console)
    _examples(document, console, examples)
    _notes(document, console)
    _next(document, console)


def text(value: Any, limit: int = 200, style: str = "") -> Text:
    """Something from the document as harmless text."""
    return Text(one_line(str(value), limit), style=style)


def _print(console: Console, thing: Any) -> None:
    console.print(thing, highlight=False)


def _indented(console: Console, thing: Any) -> None:
    _print(console, Padding(thing, (0, 0, 0, 2), expand=False))


def _heading(console: Console, title: str, remark: str = "") -> None:
    console.print()
    line = Text.assemble((title, "bold"), (f"  {one_line(remark, 200)}" if remark else "", "dim"))
    _print(console, line)


def _table(*columns: tuple[str, Literal["left", "right"]]) -> Table:
    """A table without lines; a column is (heading, justification). Only the first gives way."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for place, (heading, justify) in enumerate(columns):
        table.add_column(Text(one_line(heading, 40)), justify=justify, no_wrap=place > 0)
    return table


def _label(label: str) -> Text:
    return Text(f"{figures.MARKS.get(label, '?')} {label}", style=STYLES.get(label, ""))


def _verdict(document: Document, console: Console) -> None:
    verdict, where = figures.headline(document)
    label = one_line(verdict["label"], 20)
    badge = Text(f" {figures.MARKS.get(label, '?')} {label.upper()} ", STYLES.get(label, ""))
    badge.stylize("reverse")
    _print(console, Text.assemble(badge, f"  on {where}"))
    _print(console, text(verdict["sentence"], 600))
    if document["objective"]:
        _print(console, text(document["objective"]["sentence"], 600))
    rows = document["data"]["rows"].get("dev")
    groups = document["data"]["dev_groups"]
    size = f"{rows} dev rows" + (f" in {groups} groups" if groups else "") if rows else ""
    facts = [document["run"], document["model"], size, f"{document['primary']} decides"]
    _print(console, text(" · ".join(fact for fact in facts if fact), 300, "dim"))


def _rounds(document: Document, console: Console) -> None:
    primary, wide = document["primary"], console.width >= WIDE
    digits = figures.score_digits(document, primary)
    top = max((figures.value_of(e, primary) or 0.0 for e in document["rounds"]), default=0.0)
    level = figures.bounds_level(document) if wide else ""
    remark = ["● kept", "change: against the round kept until then", *([level] if level else [])]
    _heading(console, "Rounds", " · ".join(remark))
    table = _table(
        ("round", "left"), ("verdict", "left"), ("rows", "right"), (primary, "right"),
        ("95 % interval", "left"), ("", "left"), ("change", "right"),
        *([("bounds", "left")] if wide else []),
    )  # fmt: skip
    for entry in document["rounds"]:
        score, verdict = entry["scores"].get(primary) or {}, entry["verdict"]
        kept = entry["round"] == document["kept_round"]
        cells = [
            Text(figures.round_name(entry, document), style="bold" if kept else ""),
            _label(verdict["label"]),
            Text(str(entry["train_rows"])),
            Text(number(score.get("value"), digits), style="bold"),
            Text(interval(score.get("low"), score.get("high"), digits)),
            Text(figures.bar(score.get("value"), top, 16 if wide else 8), style="blue"),
            Text(signed(verdict["difference"], digits)),
            Text(interval(verdict["low"], verdict["high"], digits, plus=True)),
        ]
        table.add_row(*cells[: len(table.columns)])
    _indented(console, table)
    if sentence := figures.latest_sentence(document):
        _indented(console, text(f"latest: {sentence}", 600))


def _scores(document: Document, console: Console) -> None:
    names = [name for name in figures.score_names(document) if name != document["primary"]]
    if not names:
        return
    shown = figures.shown_rounds(document, 6 if console.width >= WIDE else 4)
    last = next((e for e in shown if e["round"] == document["kept_round"]), shown[-1])
    _heading(console, "Other scores", f"interval: of round {last['round']}")
    table = _table(
        ("score", "left"), *((figures.round_name(e, document), "right") for e in shown),
        ("95 % interval", "left"), ("trend", "left"), ("not scored", "right"),
    )  # fmt: skip
    for name in names:
        digits = figures.score_digits(document, name)
        score = last["scores"].get(name) or {}
        series = [figures.value_of(entry, name) for entry in document["rounds"]]
        table.add_row(
            text(name, 30),
            *(Text(number(figures.value_of(entry, name), digits)) for entry in shown),
            Text(interval(score.get("low"), score.get("high"), digits)),
            Text(figures.sparkline(series, 12), style="blue"),
            Text(str(score["unscored"]) if score.get("unscored") else ""),
        )
    _indented(console, table)


def _test(document: Document, console: Console) -> None:
    test = document.get("test")
    if not test:
        return
    looks = test["looks"]
    times = "opened once so far" if looks == 1 else f"opened {looks} times so far, over all runs"
    _heading(console, "Test set", times)
    table = _table(
        ("score", "left"), ("baseline", "right"), ("95 % interval", "left"),
        (f"round {document['kept_round']}", "right"), ("95 % interval", "left"),
    )  # fmt: skip
    for name in figures.score_names(document):
        digits = figures.score_digits(document, name)
        cells: list[Text] = []
        for side in (test["baseline"], test["kept"]):
            score = side.get(name) or {}
            cells += [
                Text(number(score.get("value"), digits)),
                Text(interval(score.get("low"), score.get("high"), digits)),
            ]
        table.add_row(text(name, 30, "bold" if name == document["primary"] else ""), *cells)
    _indented(console, table)


def _control(document: Document, console: Console) -> None:
    control = document.get("control")
    if control:
        bounds = interval(control["low"], control["high"], plus=True)
        _heading(console, "Targeted or random rows", "same number of rows in both arms")
        line = f"targeted minus random: {signed(control['difference'])} {bounds}"
        _indented(console, Text(line, style="bold"))
        _indented(console, text(control["sentence"], 600))


def _errors(document: Document, console: Console) -> None:
    kinds = figures.error_table(document)
    if not kinds:
        return
    shown = figures.shown_rounds(document, 6 if console.width >= WIDE else 4)
    _heading(console, "Errors on dev", "answers that show each kind, by round")
    table = _table(
        ("kind", "left"), *((figures.round_name(e, document), "right") for e in shown),
        ("latest", "left"),
    )  # fmt: skip
    top = max(entry["errors"].get(kind, 0) for entry in shown for kind in kinds)
    for kind in kinds:
        counts = [entry["errors"].get(kind, 0) for entry in shown]
        table.add_row(
            text(kind, 40),
            *(Text(str(n), style="" if n else "dim") for n in counts),
            Text(figures.bar(counts[-1], top, 20), style="red"),
        )
    _indented(console, table)


def _slices(document: Document, console: Console) -> None:
    number_, slices = figures.weak_slices(document, 6)
    if not slices:
        return
    wide = console.width >= WIDE
    primary = document["primary"]
    digits = figures.score_digits(document, primary)
    axis = figures.gap_axis(slices)
    _heading(console, "Weak places", f"round {number_} · gap: {primary} below all other rows")
    table = _table(
        ("slice", "left"), ("rows", "right"), ("gap", "right"), ("95 % interval", "left"),
        ("", "left"),
    )  # fmt: skip
    for found in slices:
        clear = (found["low"] or 0) > 0
        table.add_row(
            text(found["slice"] + ("" if found.get("from_prompt", True) else " (reply)"), 80),
            Text(number(found["n"], 0)),
            Text(number(found["gap"], digits), style="bold" if clear else ""),
            Text(interval(found["low"], found["high"], digits)),
            Text(
                figures.forest(found["gap"], found["low"], found["high"], axis, 32 if wide else 14),
                style="red" if clear else "dim",
            ),
        )
    _indented(console, table)


def _data(document: Document, console: Console) -> None:
    grown = [e for e in document["rounds"] if e["plan"] or e["added"] or e["refused"]]
    if not grown:
        return
    _heading(console, "Training data added")
    grid = _grid()
    for entry in grown:
        by = figures.counted(entry["added_by"])
        refused = figures.counted(entry["refused"])
        total = sum(entry["refused"].values())
        plan = ", ".join(figures.planned(entry["plan"]))
        grid.add_row(
            Text(f"after {entry['round']}", style="dim"),
            Text.assemble(
                (f"+{entry['added']} rows", "bold"),
                f" ({by})" if by else "",
                (f" · {total} refused: {refused}" if total else " · none refused", "dim"),
                f"\n{plan}" if plan else "",
            ),
        )
    _indented(console, grid)


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _training(document: Document, console: Console) -> None:
    logged = [entry for entry in document["rounds"] if entry["log"]]
    if not logged:
        return
    _heading(console, "Training loss", "first to last step, then on the validation rows")
    table = _table(("round", "left"), ("loss", "left"), ("", "left"), ("validation", "left"))
    for entry in logged:
        training, validation = figures.losses(entry)
        table.add_row(
            Text(figures.round_name(entry, document)),
            Text(_span(training)),
            Text(figures.sparkline(training, 40 if console.width >= WIDE else 24), style="blue"),
            Text(_span(validation)),
        )
    _indented(console, table)


def _span(values: list[float]) -> str:
    if len(values) < 2:
        return number(values[0], 2) if values else ""
    return f"{values[0]:.2f} → {values[-1]:.2f}"


def _examples(document: Document, console: Console, most: int) -> None:
    rows = document["examples"][:most]
    if not rows:
        return
    _heading(console, "Among the worst answers", f"dev, round {document['kept_round']}")
    for place, row in enumerate(rows):
        if place:
            console.print()
        line = text(row["id"], 60, "bold")
        line.append(f"  {one_line(document['primary'], 40)} {number(row['score'], 2)}", "dim")
        line.append("".join(f"  [{one_line(kind, 40)}]" for kind in row["errors"][:3]), "yellow")
        _indented(console, line)
        expected, given = figures.differences(row["reference"], row["answer"])
        grid = _grid()
        room = 2 * max(console.width - 14, 40)
        grid.add_row(Text("prompt", "dim"), text(row["prompt"], room - 8, "dim"))
        grid.add_row(Text("expected", "dim"), _words(expected, "bold green"))
        grid.add_row(Text("answer", "dim"), _words(given, "bold red"))
        _indented(console, grid)


def _words(words: figures.Words, style: str) -> Text:
    if not words:
        return Text("(empty)", style="italic dim")
    line = Text()
    for place, (word, differs) in enumerate(words):
        line.append((" " if place else ""), "")
        line.append(word, style if differs else "")
    return line


def _notes(document: Document, console: Console) -> None:
    notes, seconds = document["notes"], document["seconds"]
    if notes:
        _heading(console, "Notes")
        for note in notes:
            grid = _grid()
            grid.add_row(Text("·"), text(note, 600))
            _indented(console, grid)
    if seconds:
        longest = sorted(seconds.items(), key=lambda item: -item[1])[:4]
        stages = ", ".join(f"{name} {figures.duration(took)}" for name, took in longest)
        cached = len(document["cached"])
        reused = f" · {cached} stages from the store" if cached else ""
        console.print()
        took = figures.duration(sum(seconds.values()))
        _print(console, text(f"Time {took}: {stages}{reused}", 400, "dim"))


def _next(document: Document, console: Console) -> None:
    command = one_line(document["next_command"], 2_000)
    if command:
        console.print()
        line = Text.assemble(("Next: ", "dim"), (command, "bold"))
        console.print(line, highlight=False, soft_wrap=True)
