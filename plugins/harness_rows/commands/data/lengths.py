"""How long rows are for the model that is to be trained, and what training would say of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import harness
from harness import Example, Rendered, Report
from harness_rows.commands.data.opening import OpenedRows, model_view, named
from harness_rows.commands.data.request import Request
from harness_rows.commands.progress import counting
from harness_rows.sampling import (
    answer_characters,
    characters,
    evenly,
    is_long,
    longest,
    shortened,
)

MOST = 2_000
"""Rows at most that are measured evenly spaced, and as many of the longest others, beside the two
longest of each split."""


@dataclass(frozen=True, slots=True)
class Length:
    """A row in tokens.

    Attributes:
        prompt, answer: tokens; the answer's are those that are trained, its end of turn included.
        cut: how many training would cut off.
        problem: why training refuses it; empty where it does not.
        end: the text of the last token that is trained.
        left_out: what the chat template drops of the row; empty where it drops nothing.
        drawn: False where it was measured because it is one of the longest.
    """

    row: Example
    prompt: int
    answer: int
    cut: int
    problem: str
    end: str
    drawn: bool
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Rows in tokens.

    Attributes:
        model: what people call it.
        why: why nothing was measured; empty where it was.
        rows: those that were measured, of so many.
        own: whether the config is the user's, and not the one that is shipped.
        context: most tokens that the model takes; None where nobody says.
        room: tokens that an answer may have when it is generated; None where nobody says.
        too_long: what generation does with a prompt that leaves no room (``refuse``).
        long: the rows that are shortened to be measured, of all.
    """

    model: str
    why: str = ""
    rows: tuple[Length, ...] = ()
    of: int = 0
    own: bool = True
    context: int | None = None
    room: int | None = None
    too_long: str = ""
    long: tuple[Example, ...] = ()


def measured(data: OpenedRows, request: Request, begin: Callable[[str], Report]) -> Lengths:
    """The lengths of rows; of many, of some evenly spaced and of the longest.

    A model that is not on this machine is not fetched for this.
    """
    try:
        view = model_view(request, data)
        config = view.config()
        model = named(config["model"])
        if not view.at_hand():
            why = f"the model {model} is not on this machine; harness data preview fetches it"
            return Lengths(model, why)
        drawn, others = _taken(data.rows)
        rows = [*drawn, *others]
        report = counting(begin, "loading the tokenizer", "counting tokens")
        rendered = view.rendered([*map(shortened, rows)], report)
    except (harness.UsageError, harness.EnvironmentFailure) as error:
        return Lengths("", error.placed)
    pairs = enumerate(zip(rows, rendered, strict=True))
    generate = config["generate"]
    room = generate.get("max_new_tokens")
    return Lengths(
        model=model,
        rows=tuple(
            _length(row, rendering, place < len(drawn)) for place, (row, rendering) in pairs
        ),
        of=len(data.rows),
        own=data.sealed or request.config is not None or Path("harness.yaml").is_file(),
        context=rendered[0].context if rendered else None,
        room=room if isinstance(room, int) else None,
        too_long=str(generate.get("on_too_long", "")),
        long=tuple(filter(is_long, data.rows)),
    )


def _length(row: Example, rendered: Rendered, drawn: bool) -> Length:
    answer = sum(rendered.trained)
    return Length(
        row=row,
        prompt=len(rendered.tokens) - answer,
        answer=answer,
        cut=rendered.cut,
        problem=rendered.problem,
        end=rendered.tokens[-1] if rendered.tokens and rendered.trained[-1] else "",
        drawn=drawn,
        left_out=rendered.left_out,
    )


def _taken(rows: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """Rows evenly spaced, and the longest of the others, in each split by their answers, too."""
    drawn = evenly(rows, len(rows) if len(rows) <= 2 * MOST else MOST)
    taken = {row.id for row in drawn}
    others = [row for row in rows if row.id not in taken]
    more = {row.id: row for row in longest(others, MOST)}
    for split in dict.fromkeys(row.split for row in others):
        members = [row for row in others if row.split == split]
        for length in (characters, answer_characters):
            row = max(members, key=length)
            more[row.id] = row
    return drawn, list(more.values())
