"""A text with marked words, drawn by each of the three that draw blocks."""

from __future__ import annotations

import io
import itertools

import pytest
from rich.console import Console

from harness.kit.blocks import Passage, from_json, to_json
from harness.kit.html.blocks import draw as html
from harness.kit.markdown import draw as markdown
from harness.kit.terminal.blocks import draw as terminal
from harness.kit.worddiff import differences

WANTED, SAID = "Ask the help desk for it.", "Ask <b>the</b> desk.\nNow."
MARKED = Passage(tuple(differences(WANTED, SAID)), "round 1: fail", "f1 0.5")
CODE = Passage((("same", "def f():\n    return 1\n"),), "reference")


def screen(block: Passage, **more: object) -> str:
    console = Console(file=io.StringIO(), width=80, **more)
    terminal(block, console)
    return console.file.getvalue()


def test_marks_of_a_terminal() -> None:
    plain = screen(MARKED)
    assert plain.splitlines()[0] == "  round 1: fail  f1 0.5"
    assert "    Ask " in plain and "[-" in plain and "{+" in plain
    coloured = screen(MARKED, force_terminal=True, color_system="truecolor", no_color=False)
    assert "[-" not in coloured and "\x1b[" in coloured
    lines = [line.rstrip() for line in screen(CODE).splitlines()]
    assert lines == ["  reference", "    def f():", "        return 1"]


def test_marks_of_a_page() -> None:
    page = html([MARKED, CODE], itertools.count())
    assert "<del>" in page and "<ins>" in page and "&lt;" in page and "<b>" not in page
    assert "text words code" in page


def test_marks_of_markdown() -> None:
    title, text = markdown(MARKED)
    assert title == "**round 1: fail** f1 0.5"
    assert "~~" in text and "**" in text and "\\<b>" in text
    assert list(markdown(CODE))[1] == "```text\ndef f():\n    return 1\n\n```"


@pytest.mark.parametrize("pieces", [(), (("same", " \n"),), (("extra", ""),)])
def test_an_empty_text_is_said_to_be_empty(pieces: tuple[tuple[str, str], ...]) -> None:
    block = Passage(pieces)  # type: ignore[arg-type]
    drawn = (screen(block), html([block], itertools.count()), "".join(markdown(block)))
    assert all("(empty)" in text for text in drawn)


def test_a_passage_is_kept_as_json() -> None:
    assert from_json(to_json(MARKED)) == MARKED
