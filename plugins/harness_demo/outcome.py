"""How often a rule finds a gain, over many loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from harness.kit.terminal.progress import SHORT, Display
from harness_demo.loops import Loop, simulated

GAIN = 0.18
"""The planted gain: 70 % correct becomes 88 %."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Loops of one kind; ``gain`` is the true one of each round over the base model."""

    gain: float
    loops: Sequence[Loop]

    @property
    def celebrated(self) -> int:
        """In how many the naive rule finds a gain."""
        return sum(loop.celebrated for loop in self.loops)

    @property
    def improved(self) -> int:
        """In how many a round is *improved*."""
        return sum(loop.improved for loop in self.loops)


def simulate(loops: int, seed: int) -> tuple[Outcome, Outcome]:
    """Loops without any gain, and loops with :data:`GAIN`; progress is shown on standard error."""
    with Display(Console(stderr=True), "demo", 2 * SHORT) as display:
        return _outcome(0.0, loops, seed, display), _outcome(GAIN, loops, seed, display)


def _outcome(gain: float, loops: int, seed: int, display: Display) -> Outcome:
    label = f"loops with a true gain of {gain:.2f}"
    report = display.stage(label)
    drawn = []
    for number in range(loops):
        drawn.append(simulated(gain, seed, number))
        report(number + 1, loops, "loops")
    display.stage_done("demo", label, 0.0, False)
    return Outcome(gain, drawn)
