"""How often arms that are built on each other end in a false *improved*.

    python benchmarks/climbing.py [--climbs N] [--seed N]

A climb is a row of arms on one dev set, each the best arm so far (by its mean on dev) with one more
change. No change has an effect: what it does to a row is drawn around 0, belongs to that row, and
is inherited by the arms that are built on it. The a-th arm is judged against the reference by
Student's one-sided bound over rows with the error .05/(a(a+1)), as ``harness_levers.verdicts.holm``
gives it where arms come one after the other. Beside it stand arms without a climb: the same
changes, each made to the reference.

The table, in Markdown, has the share of climbs in which any arm up to that number was called
*improved*, and the standard error of that share. Half a minute.
"""

from __future__ import annotations

import argparse
import math

import numpy as np

from harness.stats import Floats, student
from harness_levers.verdicts.holm import budget

ROWS = 160
NUMBERS = (5, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60)
AT_ONCE = 500
"""Climbs that are simulated together."""


def first_improved(climbs: int, arms: int, rng: np.random.Generator, *, built: bool) -> Floats:
    """Of each climb the number of the first arm that is called *improved*; infinite for none.

    Args:
        built: whether each arm is built on the best one so far.
    """
    best, best_mean = np.zeros((climbs, ROWS)), np.zeros(climbs)
    first = np.full(climbs, math.inf)
    for number in range(1, arms + 1):
        gains = rng.normal(size=(climbs, ROWS)) + (best if built else 0.0)
        mean, se = gains.mean(axis=1), gains.std(axis=1, ddof=1) / math.sqrt(ROWS)
        low = mean - student.quantile(ROWS - 1, 1 - budget(number - 1, 1)) * se
        first = np.where((low > 0) & np.isinf(first), number, first)
        better = mean > best_mean
        best[better], best_mean[better] = gains[better], mean[better]
    return first


def simulated(climbs: int, arms: int, seed: int, *, built: bool) -> Floats:
    """:func:`first_improved` of many climbs."""
    rng = np.random.default_rng(seed)
    sizes = [AT_ONCE] * (climbs // AT_ONCE) + [climbs % AT_ONCE] * bool(climbs % AT_ONCE)
    return np.concatenate([first_improved(size, arms, rng, built=built) for size in sizes])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--climbs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    found = [simulated(asked.climbs, NUMBERS[-1], asked.seed, built=b) for b in (True, False)]
    print("| arms | built on each other | each a change of the reference |")
    print("|---|---|---|")
    for number in NUMBERS:
        shares = [float((first <= number).mean()) for first in found]
        errors = [math.sqrt(share * (1 - share) / asked.climbs) for share in shares]
        shown = (f"{100 * s:.1f} ± {100 * e:.1f} %" for s, e in zip(shares, errors, strict=True))
        print(f"| {number} | {' | '.join(shown)} |")


if __name__ == "__main__":
    main()
