"""Two answers at a terminal: side by side where it is wide, else one below the other."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import harness
from harness.kit.shown_calls import readable_pair
from harness.kit.terminal import tables
from harness.kit.text import one_line, plain
from harness.kit.worddiff import differences
from harness_try.sides import Answered, Sides

LONGEST = 100_000
"""Characters of an answer that are shown."""
SYSTEM = 200
"""Characters of the system turn that are shown."""
STYLES, MARKS = ("red", "green"), (("[-", "-]"), ("{+", "+}"))
"""Of words that only one side has: base model, round. Marks stand where there is no colour."""
CUT = {"length": "truncated at max_new_tokens", "context": "no room in the model's context"}


def show_prompt(row: harness.Example, console: Console) -> None:
    """The user's last turn, under its name."""
    tables.head(console, f"prompt {row.id}")
    tables.block(console, row.prompt)


def show_answers(
    sides: Sides, pair: Sequence[harness.Prediction], console: Console,
    seconds: Sequence[float] | None = None, *, marks: bool,
) -> None:  # fmt: skip
    """Both answers to a prompt.

    Args:
        marks: whether words that only one of them has are marked.
        seconds: of each side, where they are of this prompt alone.
    """
    took = [f"{each:.1f} s" for each in seconds] if seconds else ["", ""]
    heads = [
        _head(title, each, time) for title, each, time in zip(sides.titles, pair, took, strict=True)
    ]
    answer, other = readable_pair(*(each.text for each in pair))
    texts = [Text(plain(text, LONGEST)) for text in (answer, other)]
    if marks:
        coloured = console.is_terminal and not console.no_color
        sides_of = enumerate(((answer, other), (other, answer)))
        texts = [_marked(theirs, own, side, coloured) for side, (own, theirs) in sides_of]
    console.print()
    if answer == other:
        console.print(Text.assemble(heads[0], ", ", heads[1], ": the same"), highlight=False)
        tables.block(console, texts[0])
    elif console.width >= tables.WIDE:
        _side_by_side(heads, texts, console)
    else:
        for head, text in zip(heads, texts, strict=True):
            console.print(head, highlight=False)
            tables.block(console, text)


def show_times(answers: tuple[Answered, Answered], sides: Sides, console: Console) -> None:
    """How long each side took for all prompts together."""
    times = (
        f"{title} {answered.seconds:.1f} s"
        for title, answered in zip(sides.titles, answers, strict=True)
    )
    number = len(answers[0].predictions)
    console.print()
    tables.note(console, f"{number} prompts: {', '.join(times)}", "dim")


def show_head(sides: Sides, console: Console, *, system_given: bool) -> None:
    """Whose answers these are, and below which system turn.

    Args:
        system_given: whether ``--system`` says that.
    """
    best = " (the best so far)" if sides.best and sides.open else " (best)" if sides.best else ""
    name = one_line(sides.models.base.name) or "the base model"
    head = Text(one_line(f"run {sides.run}:", tables.ID_LIMIT), "bold")
    head.append(f" {name} and round {sides.round}{best}", "default not bold")
    console.print(head, highlight=False)
    if not system_given and (note := _system_note(sides)):
        tables.note(console, note, "dim")


def _system_note(sides: Sides) -> str:
    """Below which system turn prompts without one are put; empty where dev has none."""
    if len(sides.system_turns) > 1:
        return (
            f"the rows of dev begin with {len(sides.system_turns)} different system turns, so none "
            "is put before your prompts: --system TEXT gives one"
        )
    text = one_line("; ".join(str(turn.get("content")) for turn in sides.system_turns[0]), SYSTEM)
    return f"system turn, as in dev (--system TEXT gives another): {text}" if text else ""


def _head(title: str, answer: harness.Prediction, took: str) -> Text:
    tokens = answer.completion_tokens
    facts = [took, "" if tokens is None else f"{tokens:,} token{'' if tokens == 1 else 's'}"]
    shown = Text.assemble((title, "bold"), ("  " + ", ".join(filter(None, facts)), "dim"))
    if answer.finish_reason in CUT:
        shown.append(f"  {CUT[answer.finish_reason]}", "yellow")
    return shown


def _marked(theirs: str, own: str, side: int, coloured: bool) -> Text:
    """One side's answer, the words that the other's lacks marked."""
    shown, (left, right) = Text(), ("", "") if coloured else MARKS[side]
    for kind, raw in differences(theirs, own):
        text = plain(raw, LONGEST)
        word = text.rstrip()
        if kind == "extra" and word:
            shown.append(f"{left}{word}{right}", f"bold {STYLES[side]}").append(text[len(word) :])
        elif kind != "missing":
            shown.append(text)
    return shown


def _side_by_side(heads: Sequence[Text], texts: Sequence[Text], console: Console) -> None:
    grid = Table.grid(padding=(0, 2), expand=True)
    for _ in heads:
        grid.add_column(ratio=1, overflow="fold")
    grid.add_row(*heads)
    grid.add_row(*(text if text.plain.strip() else Text("(empty)", "dim") for text in texts))
    console.print(Padding(grid, 0), highlight=False)
