"""A project whose trainer says its steps and takes its time, and what a plan of it says."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from harness_plan import measuring
from tests.support.project import SHOWING, SUPPORT


class Clock:
    """What the probe measures by, and what the trainer sleeps by: no machine is busy here."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


CLOCK = Clock()
TIMED = SHOWING.replace(f"{SUPPORT / 'showing.py'}]", f"{SUPPORT / 'showing.py'}, timed.py]")
TIMED = TIMED.replace("{plugin: showing}", "{plugin: timed}")
TRAINER = '''
import dataclasses
import json

import harness
from tests.plugins.plan.conftest import CLOCK
from tests.support.showing import ShowingTrainer


class TimedTrainer(ShowingTrainer):
    """Takes two rows a step, twice, ten milliseconds a row."""

    name = "timed"
    same_pace = ("gain", "passes")

    class Options(ShowingTrainer.Options):
        steps: int | None = None
        passes: int = 2

    def schedule(self, rows):
        each = -(-rows // 2)
        steps = self.options.steps or self.options.passes * each
        return harness.Schedule(steps, steps / each)

    def rendered(self, base, rows, context):
        return super().rendered(base, rows, context)

    def train(self, base, train, valid, context):
        if any(len(row.prompt.split()) > 100 for row in train):
            raise harness.DataError("a row is too long")
        with open("trained.jsonl", "a") as told:
            given = {"train": len(train), "valid": len(valid), "probe": context.probe}
            told.write(json.dumps(given) + "\\n")
        whole = self.schedule(len(train)).steps
        context.progress(0, whole, "steps")
        for step in range(whole):
            CLOCK.sleep(0.02)
            context.progress(step + 1, whole, "steps")
            context.progress(step + 1, whole, "steps", loss=1 / (step + 1))  # as the log has it
        (context.output / "weights").write_bytes(bytes(1000))
        unheard = dataclasses.replace(context, report=lambda done, total, what: None)
        return super().train(base, train, valid, unheard)


@harness.hookimpl
def register_trainers():
    return [TimedTrainer]
'''


@pytest.fixture
def timed(project: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A project whose trainer says its steps and takes its time."""
    monkeypatch.setattr(measuring, "time", CLOCK)
    project.write(TIMED)
    (project.folder / "timed.py").write_text(TRAINER, encoding="utf-8")
    return project


@pytest.fixture
def in_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trainer takes the time that the run measures of its stages."""
    monkeypatch.setattr(CLOCK, "monotonic", time.monotonic)
    monkeypatch.setattr(CLOCK, "sleep", time.sleep)


def planned(project: Any, *arguments: str, code: int = 0) -> Any:
    result = project.inside("plan", "--json", *arguments)
    assert result.code == code, result.err
    return result.document


def trained(project: Any) -> list[dict[str, Any]]:
    """How many rows each training was given, and whether it was a probe."""
    lines = (project.folder / "trained.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]
