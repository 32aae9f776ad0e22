"""The part that says what a run does now: each state, and what goes on from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.records.live import LIVE_SCHEMA, Live, LiveCurve, LiveLine, LiveScore, LiveStage
from harness_view.links import ServedLinks
from harness_view.now import draw_now
from tests.plugins.view.served import words

AT = "2026-12-03T08:00:00Z"
LIVE = Live(
    LIVE_SCHEMA, "desk", "running", "", (), "harness iterate -c desk.yaml", AT, AT, "host", 4711,
    0.25, 95.0,
    (LiveStage("round 2: train", "steps, loss 0.83", 30, 120, 61.0, 180.0),
     LiveStage("round 1: generate (random)", "", 0, 0, 3.0, None)),
    (LiveCurve("round 1: train", "loss", ((1, 2.0), (2, 1.0))),
     LiveCurve("round 1: train", "eval_loss", ((2, 1.5),)),
     LiveCurve("round 2: train", "reward", ((1, 0.25), (2, 0.5)))),
    (LiveScore("round 1: dev", "rouge", 0.41, 0.38, 0.44, 300),
     LiveScore("round 1: dev", "rated", None, None, None, 0)),
    (LiveLine(AT, "first <b>said</b>"), LiveLine(AT, "then said")), 1_200, 3.5,
)  # fmt: skip
LINKS = ServedLinks("desk")


def shown(live: Live | None, finished: bool = False) -> str:
    return words(f"<main>{draw_now(live, None, finished, LINKS)}</main>")


def test_a_run_at_work_says_what_it_does_and_how_long_it_takes() -> None:
    text = shown(LIVE)
    for part in (
        "at work", "25% of the run, about 1 min 35 s left", "round 2: train steps, loss 0.83 "
        "30 of 120 1 min 1 s 3 min", "loss 1.000, on valid 1.500", "reward 0.500",
        "rouge 0.410 [0.380, 0.440] 300", "1,200 requests", "3.5",
    ):  # fmt: skip
        assert part in text, text
    assert text.index("then said") < text.index("first &lt;b&gt;said&lt;/b&gt;")
    assert "Go on with" not in text


def test_a_score_that_is_not_known_has_no_figure() -> None:
    assert "round 1: dev rated – – 0" in shown(LIVE)


@pytest.mark.parametrize(
    ("state", "says"),
    [("gone", "its process was killed"), ("interrupted", "was interrupted"), ("failed", "failed")],
)
def test_a_command_that_ended_early_says_what_goes_on(state: str, says: str) -> None:
    text = shown(replace(LIVE, state=state, why="a sentence", left=None))  # type: ignore[arg-type]
    assert says in text and "a sentence" in text and "<progress" not in text
    assert "Go on with: harness iterate -c desk.yaml" in text and "It was at" in text


def test_a_run_that_waits_for_people_says_for_whom_and_what_they_run() -> None:
    commands = ("harness rate serve tone-1", "harness rate status")
    text = shown(replace(LIVE, state="waiting", why="40 of tone-1", commands=commands))
    assert "waits for people" in text and "40 of tone-1" in text
    for command in commands:
        assert f"To be done: {command}" in text
    assert "Then go on with: harness iterate" in text


def test_the_end_of_a_run_stands_above_what_its_last_command_left() -> None:
    text = shown(replace(LIVE, state="gone"), finished=True)
    assert "finished" in text and "killed" not in text
    assert "No command has left word" in shown(None)
