"""How often a rule finds a gain, over many loops."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console

from harness.kit.terminal.progress import SHORT, Display
from harness_demo.loops import Loop, Simulation

GAIN = 0.18
"""The planted gain: 70 % correct becomes 88 %."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Loops of one kind.

    Attributes:
        gain: true gain of each round over the base model.
        first: the first loop.
        loops: how many there are.
        celebrated: in how many the naive rule finds a gain.
        improved: in how many a round is *improved*.
    """

    gain: float
    first: Loop
    loops: int
    celebrated: int
    improved: int


def simulate(loops: int, seed: int) -> tuple[Outcome, Outcome]:
    """Loops without any gain, and loops with :data:`GAIN`; progress is shown on standard error."""
    with Display(Console(stderr=True), "demo", 2 * SHORT) as display:
        return _outcome(0.0, loops, seed, display), _outcome(GAIN, loops, seed, display)


def _outcome(gain: float, loops: int, seed: int, display: Display) -> Outcome:
    label = f"loops with a true gain of {gain:.2f}"
    report = display.stage(label)
    simulation = Simulation(gain, seed)
    first = simulation.loop(0)
    celebrated, improved = int(first.celebrated), int(first.improved)
    for number in range(1, loops):
        loop = simulation.loop(number)
        celebrated += loop.celebrated
        improved += loop.improved
        report(number + 1, loops, "loops")
    display.stage_done("demo", label, 0.0, False)
    return Outcome(gain, first, loops, celebrated, improved)
