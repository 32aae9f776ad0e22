"""A time left is shown once it is within a factor of two of what it then takes."""

from __future__ import annotations

import io
import itertools
import random
from collections.abc import Iterator, Sequence

import pytest
from rich.console import Console

from harness.kit.terminal import progress
from harness.kit.terminal.time_left import KEPT, TimeLeft

SLOW = [154.9, 174.4, 195.6, 210.0, 227.6]
DONE = [1, 6, 13, 28, 61]
"""Of 150 answers on a busy machine: the whole time over all answers said 23077 s left, then 4186,
2061, 917 and 332, where 47 s were left."""


def steps(*parts: tuple[int, float]) -> list[float]:
    """When each piece of work ends: so many pieces, each of so many seconds."""
    each = (seconds for count, seconds in parts for _ in range(count))
    return list(itertools.accumulate(each))


def told(times: Sequence[float]) -> Iterator[tuple[float, float]]:
    """What is shown after each piece, and what the rest then took."""
    time_left = TimeLeft()
    for done, now in enumerate(times, 1):
        time_left.reached(now, done)
        left = time_left.seconds(len(times))
        if left is not None and done < len(times):
            yield left, times[-1] - now


def test_while_the_pace_grows_no_time_is_shown() -> None:
    time_left = TimeLeft()
    for now, done in zip(SLOW, DONE, strict=True):
        time_left.reached(now, done)
        assert time_left.seconds(150) is None
    for more in range(1, 40):  # from here on it is steady
        time_left.reached(SLOW[-1] + more, DONE[-1] + 1.9 * more)
    left = time_left.seconds(150)
    assert left is not None
    assert 0.5 <= left / ((150 - DONE[-1] - 1.9 * 39) / 1.9) <= 2
    assert time_left.seconds(100) == 0  # more was done than was foreseen


@pytest.mark.parametrize(
    "times",
    [
        steps((60, 1.0)),
        steps((1, 155.0), (60, 0.5)),  # a model is loaded first
        steps((1, 30.0), (3, 10.0), (6, 4.0), (140, 0.5)),
    ],
)
def test_what_is_shown_is_within_a_factor_of_two(times: list[float]) -> None:
    found = list(told(times))
    assert found and all(0.5 <= left / took <= 2 for left, took in found)


def test_pieces_of_unlike_length_are_no_trouble() -> None:
    draw = random.Random(7)
    found = list(told(steps(*((1, draw.uniform(0.5, 1.5)) for _ in range(200)))))
    right = sum(0.5 <= left / took <= 2 for left, took in found)
    assert len(found) > 150 and right / len(found) > 0.95


def test_work_that_does_not_move_changes_nothing_and_points_are_bounded() -> None:
    time_left = TimeLeft()
    for at in range(5 * KEPT):
        time_left.reached(float(at), at)
        time_left.reached(at + 0.5, at)
    assert len(time_left._points) <= KEPT
    assert time_left.seconds(5 * KEPT - 1 + 10) == pytest.approx(10.0)


def test_work_that_begins_again_has_a_pace_of_its_own() -> None:
    time_left = TimeLeft()
    for at in range(101):
        time_left.reached(float(at), at)
    assert time_left.seconds(100) == 0
    time_left.reached(110.0, 10)
    assert time_left.seconds(100) is None
    for done in range(11, 51):
        time_left.reached(100.0 + 2 * done, done)
    assert time_left.seconds(100) == pytest.approx(100.0)


def test_a_line_in_a_log_has_no_time_until_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    console = Console(file=io.StringIO(), width=80)
    with progress.Display(console, "run", 1.0) as display:
        report = display.stage("round 0: generate")
        for now[0], done in zip([*SLOW, 243.0, 258.0, 273.0], [*DONE, 90, 118, 146], strict=True):
            report(done, 150, "answers")
    lines = console.file.getvalue().splitlines()
    assert lines[0] == "round 0: generate: 1/150" and "left" not in lines[3]
    assert lines[-1] == "round 0: generate: 146/150, about 2.1 s left"


def test_a_busy_machine_is_named_beside_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr("os.getloadavg", lambda: (6.66, 0.0, 0.0))
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    for elsewhere, busy in ((False, ", load 6.7 on 2 cores"), (True, "")):
        console, now[0] = Console(file=io.StringIO(), width=80), 0.0
        with progress.Display(console, "run", 1.0, elsewhere=elsewhere) as display:
            report = display.stage("round 0: generate")
            for now[0], done in ((20.0, 1), (40.0, 2)):
                report(done, 150, "answers")
        assert console.file.getvalue().splitlines()[0] == f"round 0: generate: 1/150{busy}"


def test_jobs_that_share_a_pass_are_no_stages_beside_it() -> None:
    display = progress.Display(Console(file=io.StringIO()), "run", 1.0)
    for stage in ("generate 1", "generate 1000", "generate test 2", "generate pool 3"):
        display.stage_done(stage, f"round 0: {stage}", 0.1, cached=False)
    assert display._done == 0
    display.stage_done("train 2", "round 1: train 2", 0.1, cached=False)
    assert display._done == progress.WEIGHTS["train"]
