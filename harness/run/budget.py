"""How long a command may work: ``execution: {budget: {hours: …}}``, kept between stages."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.errors import BudgetSpent
from harness.kit.numbers import duration

HOUR = 3600.0


class Budget:
    """The time that a command has, from here on; without ``hours`` it has all of it.

    What is expected of a stage is what one of its name took the last time, in this run (when it was
    made, where it came from the store); before there was one, what a forecast says.

    Args:
        hours: of wall time.
        clock: seconds that only grow.
    """

    def __init__(self, hours: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.hours, self._clock, self._begin = hours, clock, clock()
        self._expected: dict[str, float] = {}

    def expect(self, stage: str, seconds: float) -> None:
        """The next stage of that name is expected to take so long."""
        self._expected[stage] = seconds

    def check(self, stage: str, label: str) -> None:
        """Before a stage is made.

        Args:
            stage: its name.
            label: what people call it.

        Raises:
            BudgetSpent: nothing is left, or less than the stage is expected to take.
        """
        if self.hours is None:
            return
        budget = f"the budget of {self.hours:g} h (execution.budget.hours)"
        spent = self._clock() - self._begin
        left = self.hours * HOUR - spent
        if left <= 0:
            raise BudgetSpent(f"{budget} is spent after {duration(spent)}, before {label}")
        expected = self._expected.get(stage, 0.0)
        if expected > left:
            raise BudgetSpent(
                f"{budget} has {duration(left)} left, and {label} is expected to take "
                f"{duration(expected)}"
            )
