"""Many turns at a terminal; each side goes on with its own answers."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator, Sequence

from rich.console import Console

import harness
from harness.kit.terminal import tables
from harness.kit.terminal.progress import WEIGHTS, Display
from harness.kit.text import storable
from harness_try import prompts
from harness_try.request import Request
from harness_try.showing import show_answers, show_head
from harness_try.sides import Sides

NEW = "/new"
ASK = "you> "
HELP = f"{NEW} begins a new conversation, Ctrl-C stops an answer, Ctrl-D ends."


class Interrupts:
    """Ctrl-C while a conversation lasts: it stops what is at work, never the program.

    While an answer is made the first one asks the generator to stop, which it does at its next
    token or batch, and never within an import; the second one does not wait for that.
    """

    def __init__(self) -> None:
        self._answering = self._asked = False

    def asked(self) -> bool:
        return self._asked

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        self._answering, self._asked = True, False
        try:
            yield
        finally:
            self._answering = self._asked = False

    @contextlib.contextmanager
    def handled(self) -> Iterator[None]:
        before = signal.signal(signal.SIGINT, self._pressed)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _pressed(self, number: int, frame: object) -> None:
        if self._answering and not self._asked:
            self._asked = True
            return
        raise KeyboardInterrupt


def converse(sides: Sides, request: Request, out: Console, err: Console) -> None:
    """Ask for prompts until the end of input."""
    with contextlib.suppress(ImportError):
        import readline  # input() edits lines with it

        # So that a text of several lines can be pasted as one prompt; Python switches it off.
        readline.parse_and_bind("set enable-bracketed-paste on")
    show_head(sides, out, system_given=request.system is not None)
    tables.note(out, HELP, "dim")
    interrupts = Interrupts()
    fresh = _fresh(sides, request)
    histories = (fresh, fresh)
    with interrupts.handled():
        while True:
            try:
                out.print()
                text = storable(input(ASK)).strip()
                if text == NEW:
                    histories = (fresh, fresh)
                    tables.note(out, "a new conversation", "dim")
                elif text:
                    histories = _turn(
                        sides, histories, text, interrupts, out, err, marks=request.marks
                    )
            except EOFError:
                sys.stdout.write("\n")
                return
            except KeyboardInterrupt:
                tables.note(out, "stopped", "dim")


History = Sequence[harness.Message]


def _fresh(sides: Sides, request: Request) -> History:
    """The turns with which a conversation begins."""
    row = prompts.of_text("", request.system_turn)
    return (row if request.system is not None else sides.as_in_the_run(row)).system_turns


def _turn(
    sides: Sides, histories: tuple[History, History], text: str, interrupts: Interrupts,
    out: Console, err: Console, *, marks: bool,
) -> tuple[History, History]:  # fmt: skip
    """Both histories with this turn, or as they were where it was not answered."""
    asked = [(*history, {"role": "user", "content": text}) for history in histories]
    rows = [[harness.Example("prompt", turns, split="dev")] for turns in asked]
    try:
        with Display(err, "try", 2 * WEIGHTS["generate"]) as display, interrupts.answering():
            answers = sides.answer(rows, display, interrupts.asked)
    except harness.Cancelled:
        tables.note(out, "stopped; this turn is forgotten", "dim")
        return histories
    except harness.HarnessError as error:
        tables.block(err, f"{error}\nThis turn is forgotten; {NEW} begins a new conversation.")
        return histories
    pair = [answered.predictions[0] for answered in answers]
    show_answers(sides, pair, out, [answered.seconds for answered in answers], marks=marks)
    first, second = (
        (*turns, answer.message or {"role": "assistant", "content": answer.text})
        for turns, answer in zip(asked, pair, strict=True)
    )
    return first, second
