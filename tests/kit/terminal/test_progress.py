"""What is shown of a run while it works."""

from __future__ import annotations

import io
import threading

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


def test_parts_of_a_training_count_until_it_is_done() -> None:
    display = Display(Console(file=io.StringIO()), "run", 24.0)
    display.stage("round 1: train steps")(1, 2, "")
    assert display.share_and_left()[0] == 4.5 / 24
    shares = []
    for stage in ("train steps", "generate valid", "generate valid", "train", "train"):
        display.stage_done(stage, stage, 0.1, cached=False)
        shares.append(round(24 * display.share_and_left()[0], 6))
    assert shares == [9, 9.4, 9.8, 12, 24]


def test_stages_at_work_and_the_share_of_all_are_known_without_a_terminal() -> None:
    display = Display(Console(file=io.StringIO()), "run", 24.0)
    report = display.stage("round 1: train")
    report(5, 10, "steps")
    began, go_on = threading.Event(), threading.Event()

    def beside() -> None:
        display.stage("round 1: train (random)")(1, 4, "")
        began.set()
        go_on.wait()

    thread = threading.Thread(target=beside)
    thread.start()
    began.wait()
    assert [(step.label, step.done, step.total) for step in display.at_work()] == [
        ("round 1: train", 5, 10), ("round 1: train (random)", 1, 4),
    ]  # fmt: skip
    assert display.share_and_left() == ((6 + 3) / 24, None)
    go_on.set()
    thread.join()
    display.stage_done("train", "round 1: train", 0.1, cached=False)
    assert display.at_work() == [] and display.share_and_left()[0] == 0.5
    report(9, 10, "steps")  # of a stage that is over
    assert display.share_and_left()[0] == 0.5
