"""The steps of a trainer's or a generator's work, known before it."""

from __future__ import annotations

from typing import Protocol

from harness.boundary.results import refused, returned
from harness.records import Schedule


class Scheduled(Protocol):
    """A plugin that says how many steps its work has."""

    def schedule(self, rows: int) -> Schedule | None: ...


def scheduled(plugin: Scheduled, rows: int) -> Schedule | None:
    """What a trainer or generator says of its steps over so many rows."""
    schedule = returned(Scheduled.schedule, plugin.schedule(rows))
    if schedule is not None and (schedule.steps < 0 or schedule.passes <= 0):
        what = f"schedule() gives {schedule.steps} steps, {schedule.passes} passes"
        due = "no negative number of steps, and more than no pass"
        raise refused(f"{what}, where {due} is due")
    return schedule
