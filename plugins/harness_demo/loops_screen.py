"""What ``harness demo`` prints: one loop in full, then how often each rule finds a gain."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from harness.kit.blocks import Column, Table
from harness.kit.terminal.blocks import draw_rows
from harness.kit.terminal.comparisons import interval
from harness.kit.terminal.tables import head, item, next_command, note
from harness_demo.loops import ROUNDS, ROWS, SUCCESS, Loop
from harness_demo.outcome import GAIN, Outcome

BAR = 40
"""Columns of a bar that stands for all loops."""
NAIVE = "naive rule: a round scores above the base model"
VERDICT = "verdict: a round is improved"


def show(outcomes: tuple[Outcome, Outcome], console: Console) -> None:
    """Both kinds of loops, with a picture of each."""
    nothing, planted = outcomes
    head(console, "Equally good systems")
    note(
        console,
        f"A base model answers {ROWS} questions, {100 * SUCCESS:.0f} % of them correctly on "
        f"average, and so do {ROUNDS} trained rounds. None of them is better or worse.",
    )
    _loop(nothing.loops[0], console)
    _often(nothing, console)
    head(console, "A planted gain")
    note(console, f"Now each round is better: it answers {100 * (SUCCESS + GAIN):.0f} % correctly.")
    _loop(planted.loops[0], console)
    _often(planted, console)
    head(console, "What follows")
    note(console, _lesson(nothing, planted))
    console.print()
    next_command(console, "harness iterate")


def document(outcomes: tuple[Outcome, Outcome]) -> dict[str, Any]:
    """The same as JSON values."""
    nothing, _ = outcomes
    return {
        "rows": ROWS,
        "rounds": ROUNDS,
        "loops": len(nothing.loops),
        "outcomes": [
            {
                "true_gain": outcome.gain,
                "naive_finds": outcome.celebrated,
                "improved": outcome.improved,
                "first": _first(outcome.loops[0]),
            }
            for outcome in outcomes
        ],
    }


def _first(loop: Loop) -> dict[str, Any]:
    rounds = [
        {
            "score": round_.score,
            "difference": round_.compared.difference,
            "low": round_.compared.low,
            "high": round_.compared.high,
            "p": round_.compared.p,
            "label": round_.compared.label,
        }
        for round_ in loop.rounds
    ]
    return {"base": loop.base, "rounds": rounds}


def _loop(loop: Loop, console: Console) -> None:
    rows: list[tuple[str, ...]] = [("base model", f"{loop.base:.3f}", "", "", "", "")]
    highest = loop.base
    for number, round_ in enumerate(loop.rounds, start=1):
        compared, best = round_.compared, round_.score > highest
        highest = max(highest, round_.score)
        rows.append((
            f"round {number}",
            f"{round_.score:.3f}",
            f"{round_.score - loop.base:+.3f}",
            interval(compared.low, compared.high, 1.0, sign=True),
            "new best!" if best else "",
            compared.label,
        ))  # fmt: skip
    columns = (
        Column("", "word"), Column("score", "number"), Column("change", "number"),
        Column("95 % interval", "number"), Column("naive rule", "word"),
        Column("verdict", "label"),
    )  # fmt: skip
    draw_rows(Table(columns, tuple(rows), "the rounds of one loop"), console)


def _often(outcome: Outcome, console: Console) -> None:
    """Two bars: in how many loops either rule finds a gain."""
    note(console, f"{len(outcome.loops):,} such loops, each with answers of its own:")
    rules = ((NAIVE, outcome.celebrated, "magenta"), (VERDICT, outcome.improved, "green"))
    for words, count, colour in rules:
        bar = "█" * round(BAR * count / len(outcome.loops))
        line = Text.assemble("  ", (bar.ljust(BAR, "·"), colour), f" {_share(count, outcome)}")
        item(console, words)
        console.print(line, highlight=False)


def _lesson(nothing: Outcome, planted: Outcome) -> str:
    return (
        "The naive rule, the highest score wins, finds the planted gain in "
        f"{_share(planted.celebrated, planted)} of the loops, and a gain that is not there in "
        f"{_share(nothing.celebrated, nothing)}: the best of {ROUNDS} rounds mostly looks better "
        "by luck alone. The verdict finds the planted gain in "
        f"{_share(planted.improved, planted)}, and one that is not there in "
        f"{_share(nothing.improved, nothing)} (its promise: at most 5 %)."
    )


def _share(count: int, outcome: Outcome) -> str:
    """A share of the loops, with a decimal place where it is small."""
    share = 100 * count / len(outcome.loops)
    return f"{share:.{1 if 0 < share < 10 else 0}f} %"
