"""What is shown of a run while it works."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from harness.kit.terminal.progress import Display


def shown() -> str:
    """What a terminal gets of one stage."""
    file = io.StringIO()
    with Display(Console(file=file, force_terminal=True, width=80), "run", 10.0) as display:
        display.stage("train")(1, 2, "")
        display.say("said")
    return file.getvalue()


def test_a_bar_is_drawn_over_but_for_a_cell_of_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    up = "\x1b[1A"
    assert up in shown()
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    assert shown() == "said\n"
