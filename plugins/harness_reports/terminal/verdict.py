"""Whether it helped: the verdict, what may contradict it, and the scores behind it."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from harness.kit.numbers import interval, number, signed
from harness.kit.text import one_line
from harness_reports import drawing, figures, findings
from harness_reports.figures import Document
from harness_reports.terminal.pieces import (
    STYLES,
    Column,
    columns,
    heading,
    indented,
    is_wide,
    label,
    more,
    out,
    text,
)

GUARDS = 3
"""Guards of each state that are shown."""
GUARD_STYLES = {"broken": "bold red", "cannot be judged": "bold yellow", "held": "green"}


def render(document: Document, console: Console) -> None:
    _verdict(document, console)
    _rounds(document, console)
    _scores(document, console)
    _test(document, console)


def _verdict(document: Document, console: Console) -> None:
    verdict, where = figures.headline(document)
    name = one_line(verdict["label"], 20)
    badge = Text(f" {figures.MARKS.get(name, '?')} {name.upper()} ", STYLES.get(name, ""))
    badge.stylize("reverse")
    out(console, Text.assemble(badge, f"  on {where}"))
    out(console, text(verdict["sentence"], 600))
    if document.get("objective"):
        out(console, text(document["objective"]["sentence"], 600))
    _guards(document, console)
    out(console, text(figures.facts(document), 300, "dim"))


def _guards(document: Document, console: Console) -> None:
    found = findings.guards(document)
    for state, style in GUARD_STYLES.items():
        shown = [guard for guard in found if guard.state == state]
        for guard in shown[-GUARDS:]:
            title = figures.guard_title(document, guard.name)
            head = f"{guard.mark} guard {title} {state}, round {guard.round}"
            out(console, Text.assemble((head, style), f": {one_line(guard.sentence, 600)}"))
        if len(shown) > GUARDS:
            more(console, f"and {len(shown) - GUARDS} more {state}")


def _rounds(document: Document, console: Console) -> None:
    primary, wide = document["primary"], is_wide(console)
    digits = figures.score_digits(document, primary)
    top = max((figures.value_of(e, primary) or 0.0 for e in document["rounds"]), default=0.0)
    level = figures.bounds_level(document) if wide else ""
    doubt = figures.caveat(document, primary)
    kept = figures.chosen_mark(document, findings.kept_round(document), ": ")
    remark = [
        f"● kept{kept}",
        "change: against the round kept until then",
        *([level] if level else []),
    ]
    remark += [f"* {doubt}"] if doubt else []
    heading(console, "Rounds", " · ".join(remark))
    bounds: list[Column] = [("bounds", "left")] if wide else []
    table = columns(
        ("round", "left"), ("verdict", "left"), ("rows", "right"),
        (one_line(primary, 38) + (" *" if doubt else ""), "right"),
        ("95 % interval", "left"), ("", "left"), ("change", "right"),
        *bounds,
    )  # fmt: skip
    for entry in document["rounds"]:
        score, verdict = entry["scores"].get(primary) or {}, entry["verdict"]
        kept = entry["round"] == document["kept_round"]
        cells = [
            Text(figures.round_name(entry, document), style="bold" if kept else ""),
            label(verdict["label"]),
            Text(str(entry["train_rows"])),
            Text(number(score.get("value"), digits), style="bold"),
            Text(interval(score.get("low"), score.get("high"), digits)),
            Text(drawing.bar(score.get("value"), top, 16 if wide else 8), style="blue"),
            Text(signed(verdict["difference"], digits)),
            Text(interval(verdict["low"], verdict["high"], digits, plus=True)),
        ]
        table.add_row(*cells[: len(table.columns)])
    indented(console, table)
    if sentence := figures.chosen_sentence(document):
        more(console, sentence)
    if document.get("by_people"):
        more(console, figures.BY_PEOPLE)
    if sentence := figures.latest_sentence(document):
        indented(console, text(f"latest: {sentence}", 600))


def _scores(document: Document, console: Console) -> None:
    names = [name for name in figures.score_names(document) if name != document["primary"]]
    if not names:
        return
    shown = figures.shown_rounds(document, 6 if is_wide(console) else 4)
    last = next((e for e in shown if e["round"] == document["kept_round"]), shown[-1])
    chosen = figures.chosen_mark(document, last, " · ● ")
    heading(console, "Other scores", f"interval: of round {last['round']}{chosen}")
    table = columns(
        ("score", "left"), *((figures.round_name(e, document), "right") for e in shown),
        ("95 % interval", "left"), ("trend", "left"), ("not scored", "right"),
    )  # fmt: skip
    for name in names[: findings.SHOWN]:
        digits = figures.score_digits(document, name)
        score = last["scores"].get(name) or {}
        series = [figures.value_of(entry, name) for entry in document["rounds"]]
        table.add_row(
            Text(figures.score_title(document, name, 30)),
            *(Text(number(figures.value_of(entry, name), digits)) for entry in shown),
            Text(interval(score.get("low"), score.get("high"), digits)),
            Text(drawing.sparkline(series, 12), style="blue"),
            Text(str(score["unscored"]) if score.get("unscored") else ""),
        )
    indented(console, table)
    if rest := names[findings.SHOWN :]:
        names = [figures.score_title(document, name, 30) for name in rest]
        more(console, f"and {len(rest)} more: {', '.join(names)}")


def _test(document: Document, console: Console) -> None:
    test = document.get("test")
    if not test:
        if sealed := document.get("sealed"):
            heading(console, "Test set", "not opened")
            out(console, text(sealed["sentence"], 600))
        return
    looks = test["looks"]
    times = "opened once so far" if looks == 1 else f"opened {looks} times so far, over all runs"
    heading(console, "Test set", times)
    table = columns(
        ("score", "left"), ("baseline", "right"), ("95 % interval", "left"),
        (f"round {document['kept_round']}", "right"), ("95 % interval", "left"),
    )  # fmt: skip
    for name in figures.score_names(document)[: findings.SHOWN + 1]:
        digits = figures.score_digits(document, name)
        cells: list[Text] = []
        for side in (test["baseline"], test["kept"]):
            score = side.get(name) or {}
            cells += [
                Text(number(score.get("value"), digits)),
                Text(interval(score.get("low"), score.get("high"), digits)),
            ]
        style = "bold" if name == document["primary"] else ""
        table.add_row(Text(figures.score_title(document, name, 30), style), *cells)
    indented(console, table)
    if test.get("counting"):
        out(console, text(test["counting"], 600, "dim"))
