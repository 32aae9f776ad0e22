"""How long rows are for the model that is to be trained, and what training would say of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import harness
from harness import Example, Report
from harness.kit.draws import spaced
from harness_rows.cleaning.exact import prompt_text
from harness_rows.commands.data.opening import Opened, model_view, named
from harness_rows.commands.data.request import Request
from harness_rows.commands.progress import counting

MOST = 2_000
"""Rows at most that are measured evenly spaced; as many again are the longest ones."""


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
    """

    model: str
    why: str = ""
    rows: tuple[Length, ...] = ()
    of: int = 0
    own: bool = True
    context: int | None = None
    room: int | None = None
    too_long: str = ""


def measured(found: Opened, request: Request, begin: Callable[[str], Report]) -> Lengths:
    """The lengths of rows; of many, of some evenly spaced and of the longest.

    A model that is not on this machine is not fetched for this.
    """
    try:
        view = model_view(request, found)
        config = view.config()
        model = named(config["model"])
        if not view.at_hand():
            why = f"the model {model} is not on this machine; harness data preview fetches it"
            return Lengths(model, why)
        drawn, longest = _taken(found.rows)
        rows = [*drawn, *longest]
        rendered = view.rendered(rows, counting(begin, "loading the tokenizer", "counting tokens"))
    except (harness.UsageError, harness.EnvironmentFailure) as error:
        return Lengths("", error.placed)
    lengths = tuple(
        Length(
            row, len(one.tokens) - sum(one.trained), sum(one.trained), one.cut, one.problem,
            one.tokens[-1] if one.tokens and one.trained[-1] else "", place < len(drawn),
            one.left_out,
        )
        for place, (row, one) in enumerate(zip(rows, rendered, strict=True))
    )  # fmt: skip
    generate = config["generate"]
    room = generate.get("max_new_tokens")
    return Lengths(
        model, "", lengths, len(found.rows), _own(found, request),
        next((one.context for one in rendered), None),
        room if isinstance(room, int) else None, str(generate.get("on_too_long", "")),
    )  # fmt: skip


def _own(found: Opened, request: Request) -> bool:
    return found.sealed or request.config is not None or Path("harness.yaml").is_file()


def _taken(rows: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """Rows evenly spaced, and the longest of the others, in characters."""
    if len(rows) <= 2 * MOST:
        return list(rows), []
    drawn = spaced(rows, MOST)
    taken = {row.id for row in drawn}
    others = sorted((row for row in rows if row.id not in taken), key=_size)
    return drawn, others[-MOST:]


def _size(row: Example) -> int:
    return len(prompt_text(row)) + max(map(len, row.references), default=0)
