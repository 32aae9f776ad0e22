"""Scores for people: tables that fit the terminal, signatures, and what they can show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from harness.kit.blocks import Table, table
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.comparisons import (
    WIDE,
    ComparedScore,
    beside,
    draw_comparison,
    explain_marks,
    interval,
)
from harness.kit.terminal.tables import number
from harness.kit.text import one_line

NAME_WIDTH = 28
BY_WIDTH = 14

Scores = Mapping[str, Mapping[str, Any]]


def show(document: Mapping[str, Any], console: Console, *, full: bool = False) -> None:
    """Print a ``harness.score/1`` document.

    Args:
        full: with the signatures of its scores.
    """
    if not document["comparison"]:
        draw_rows(scores_table(document), console)
    for place, system in enumerate(document["comparison"]):
        head = f"{one_line(system, 60)} against {one_line(document['baseline'], 60)}"
        console.print(Text(("\n" if place else "") + head, style="bold"), highlight=False)
        _draw_comparison(document, system, console)
    if not all(score["higher_is_better"] for score in document["metrics"].values()):
        console.print(Text("↓ lower is better; differences are turned: + is better", "dim"))
    for field, slices in document["by"].items():
        if len(document["systems"]) > 1:
            console.print(Text(f"\n{one_line(document['system'], 60)}", "bold"), highlight=False)
        _draw_slices(field, slices, document, console)
    console.print()
    if full:
        _show_signatures(document["metrics"], console)
    for remark in remarks(document):
        line = Text(f"note: {one_line(remark, 600)}", style="yellow")
        console.print(line, highlight=False)
    console.print(Text(one_line(document["sentence"])), highlight=False)
    if not full:
        console.print(Text("Signatures of the scores, by which they are cited: --full", "dim"))


def _scale(scores: Scores, name: str) -> float:
    values = [scores[name][key] for key in ("value", "low", "high")]
    return max((abs(value) for value in values if value is not None), default=0.0)


def scores_table(document: Mapping[str, Any]) -> Table:
    """The scores of the document's system alone."""
    scores: Scores = document["metrics"]
    unscored = any(score["unscored"] for score in scores.values())
    numbers = ["value", "95 % interval", "n", *(["unscored"] if unscored else [])]
    rows = []
    for name, score in scores.items():
        scale = _scale(scores, name)
        rows.append((
            f"{_score_name(name, score)}{beside(score['caveat'])}",
            number(score["value"], scale),
            interval(score["low"], score["high"], scale),
            f"{score['n']:,}",
            *([f"{score['unscored']:,}"] if unscored else []),
        ))  # fmt: skip
    return table(["score", *numbers], rows, right=numbers)


def _score_name(name: str, score: Mapping[str, Any]) -> str:
    """The name, and an arrow where lower is better."""
    return one_line(name, NAME_WIDTH) + ("" if score["higher_is_better"] else " ↓")


def _draw_comparison(document: Mapping[str, Any], system: str, console: Console) -> None:
    """One system against the baseline, a row for each score."""
    p = "p (Holm)" if len(document["comparison"]) > 1 else "p"
    difference = "difference" if console.width >= WIDE else "diff."
    scores = list(compared_scores(document, system).values())
    draw_comparison(scores, ["baseline", "value", difference, p], console)


def compared_scores(document: Mapping[str, Any], system: str) -> dict[str, ComparedScore]:
    """A system's scores beside the baseline's, by name."""
    before = document["systems"][document["baseline"]]["metrics"]
    now = document["systems"][system]["metrics"]
    return {
        name: ComparedScore(
            _score_name(name, now[name]), before[name]["value"], now[name]["value"], comparison,
            now[name]["caveat"], _scale(before, name),
        )
        for name, comparison in document["comparison"][system].items()
    }  # fmt: skip


def remarks(document: Mapping[str, Any]) -> list[str]:
    """All that is to be known beside the scores, a sentence each."""
    return [*document["remarks"], *_doubts(document)]


def _doubts(document: Mapping[str, Any]) -> list[str]:
    """Why scores cannot be compared, or on which rows they are, each reason once."""
    reasons: dict[str, list[str]] = {}
    for scores in document["comparison"].values():
        for name, comparison in scores.items():
            if comparison["doubt"]:
                reasons.setdefault(comparison["doubt"], []).append(name)
            elif comparison["n"] < document["n"]:
                part = f"compared on {comparison['n']:,} of {document['n']:,} rows"
                reasons.setdefault(part, []).append(name)
            if comparison["note"]:
                reasons.setdefault(comparison["note"], []).append(name)
    return [f"{', '.join(dict.fromkeys(names))}: {reason}" for reason, names in reasons.items()]


def _draw_slices(field: str, slices: Any, document: Mapping[str, Any], console: Console) -> None:
    """Scores for each value of a field, in as many tables as the terminal needs."""
    names = list(document["metrics"])
    values = [value_text(row["value"]) for row in slices]
    counts = [f"{row['n']:,}" for row in slices]
    head = max(len(one_line(field, NAME_WIDTH)), *map(len, values))
    room = max(1, (console.width - head - max(map(len, ["n", *counts])) - 4) // BY_WIDTH)
    for start in range(0, len(names), room):
        shown = names[start : start + room]
        doubts = {name: document["metrics"][name]["caveat"] for name in shown}
        marks = {name: beside(doubts[name], short=True) for name in shown}
        numbers = [one_line(n, BY_WIDTH - 2 - len(marks[n])) + marks[n] for n in shown]
        rows = [
            (value, count, *(
                number(row["metrics"][name]["value"], _scale(document["metrics"], name))
                for name in shown
            ))
            for value, count, row in zip(values, counts, slices, strict=True)
        ]  # fmt: skip
        console.print()
        titles = [one_line(field, NAME_WIDTH), "n", *numbers]
        draw_rows(table(titles, rows, right=titles[1:]), console)
        explain_marks(doubts.values(), console)


def value_text(value: Any) -> str:
    """A field's value as it is told apart from others: texts that look like numbers are quoted."""
    if value is None:
        return "(none)"
    text = one_line(str(value), NAME_WIDTH)
    return repr(text) if isinstance(value, str) and text.replace(".", "").isdigit() else text


def _show_signatures(scores: Scores, console: Console) -> None:
    console.print(Text("signatures", style="bold"))
    for signature, names in _signatures(scores).items():
        console.print(Text(", ".join(names)), highlight=False)
        console.print(Padding(Text(one_line(signature), style="dim"), (0, 0, 0, 2)))
    console.print()


def _signatures(scores: Scores) -> dict[str, list[str]]:
    """Signature -> the scores that bear it."""
    names_of: dict[str, list[str]] = {}
    for name, score in scores.items():
        names_of.setdefault(score["signature"], []).append(one_line(name, NAME_WIDTH))
    return names_of
