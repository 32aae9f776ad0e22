"""What a shift of a whole pass does to a verdict, and what of it is caught.

    python benchmarks/processes.py [--loops 1000] [--rows 150 400]

Prints the tables of ``benchmarks/servers.md``. Labels come from ``verdicts.rule.judge``, checks
from ``sides.compare_processes``. Training changes nothing: a tenth of the rows goes from right to
wrong and a tenth back (pass/fail), or each score moves by a normal draw of sd .1 (graded), so that
each *improved* is false. Near ties fall otherwise in each pass: 2 % of the rows each way
(pass/fail), or a tenth of the scores by sd .1. The pass of the round is shifted upwards by a share
of the minimum detectable effect of its verdict: so many more of the wrong rows are right, or each
score is higher.

* *apart*: the sides are answered in two passes, unchecked.
* *one pass*: both sides have the shift.
* *again*: two passes, and the base model is asked 60 rows, or all rows of dev, again in a process
  that has the shift, too.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
import numpy.typing as npt

import harness
from harness.records import Measurement
from harness.scoring import MetricEntry
from harness.stats import decision
from harness.steps import sides as processes
from harness.verdicts import rule

ROUNDS = 3
ALPHA, LIMIT = decision.alpha_of(ROUNDS), decision.alpha_of(ROUNDS + 1)
SHARES = (0.0, 0.25, 0.5, 1.0)
Floats = npt.NDArray[np.float64]


class Given(harness.Metric):
    """A mean of given numbers."""

    name = "given"


ENTRY = MetricEntry("given", Given())


def measured(values: Floats) -> list[Measurement]:
    return [Measurement(f"{place:04}", "given", (float(v),)) for place, v in enumerate(values)]


class World:
    """Scores of one base model on the rows of a dev set."""

    def __init__(self, rows: int, seed: int, *, graded: bool) -> None:
        self.rng, self.graded, self.rows = np.random.default_rng(seed), graded, rows
        self.base = (
            self.rng.normal(0.5, 0.2, rows) if graded else self.rng.permuted(np.arange(rows) % 2)
        ).astype(float)

    def trained(self) -> Floats:
        """As good as the base model, and another one."""
        if self.graded:
            return self.base + self.rng.normal(0, 0.1, self.rows)
        return self._flipped(self.base, 0.1)

    def asked(self, values: Floats, shift: float = 0.0) -> Floats:
        """In one pass."""
        if self.graded:
            ties = self.rng.random(self.rows) < 0.1
            return values + shift + ties * self.rng.normal(0, 0.1, self.rows)
        values = self._flipped(values, 0.02)
        wrong = np.flatnonzero(values == 0)
        better = self.rng.random(len(wrong)) < shift * self.rows / max(1, len(wrong))
        values[wrong[better]] = 1
        return values

    def _flipped(self, values: Floats, share: float) -> Floats:
        """So many of all rows each way, in the mean."""
        flips = self.rng.random(self.rows) < 2 * share
        return np.where(flips, 1 - values, values)


def judged(new: Floats, old: Floats, seed: int) -> harness.Verdict:
    score = rule.DecidingScore(ENTRY, "given", {}, seed, draws=500)
    return rule.judge(score, measured(new), measured(old), alpha=ALPHA)


def caught(now: Floats, before: Floats, places: npt.NDArray[np.intp], seed: int) -> bool:
    score = rule.DecidingScore(ENTRY, "given", {}, seed, draws=500)
    sides = measured(now[places]), measured(before[places])
    doubt, _ = processes.compare_processes(score, *sides, changed=0, alpha=LIMIT)
    return bool(doubt)


def detectable(rows: int, *, graded: bool) -> float:
    """The minimum detectable effect of a verdict, the mean of 20 worlds."""
    effects = []
    for seed in range(20):
        world = World(rows, 10_000 + seed, graded=graded)
        first, new = world.asked(world.base), world.asked(world.trained())
        effects.append(judged(new, first, seed).detectable or 0.0)
    return float(np.mean(effects))


def line(rows: int, share: float, effect: float, loops: int, *, graded: bool) -> str:
    hits: Counter[str] = Counter()
    for seed in range(loops):
        world = World(rows, seed, graded=graded)
        shift, first, trained = share * effect, world.asked(world.base), world.trained()
        new, beside = world.asked(trained, shift), world.asked(world.base, shift)
        apart = judged(new, first, seed).label == "improved"
        hits["apart"] += apart
        hits["one"] += judged(new, beside, seed).label == "improved"
        once_more, order = world.asked(world.base, shift), world.rng.permutation(rows)
        for name, count in (("60", 60), ("all", rows)):
            seen = caught(once_more, first, order[:count], seed)
            hits[f"seen {name}"] += seen
            hits[f"left {name}"] += apart and not seen
    names = ("apart", "one", "seen 60", "left 60", "seen all", "left all")
    shares = " | ".join(f"{100 * hits[name] / loops:.1f}" for name in names)
    kind = "graded" if graded else "pass/fail"
    return f"| {kind}, {rows} rows ({effect:.3f}) | {share:g} | {shares} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loops", type=int, default=1000)
    parser.add_argument("--rows", type=int, nargs="+", default=[150, 400])
    asked = parser.parse_args()
    loops = asked.loops
    print(f"{loops} loops; verdicts at {ALPHA:.4f} each side, checks at {LIMIT:.4f}")
    for graded in (False, True):
        for rows in asked.rows:
            effect = detectable(rows, graded=graded)
            for share in SHARES:
                print(line(rows, share, effect, loops, graded=graded), flush=True)


if __name__ == "__main__":
    main()
