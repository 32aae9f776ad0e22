"""How often bounds of a rise in loss on general text hold, where texts come from registers.

    python benchmarks/registers.py [--simulations 2000] [--seed 1]

Each simulation draws 200 texts, 10 each of 20 registers, and a rise in loss per token of each text:
the true rise, plus what all texts of a register share, plus the text's own; both of the two are
normal (or of one long tail), with a variance of 1 together, of which the registers have the share
that is said. The truth is that of text of any register, so other registers are drawn each time.
Bounds are those of ``harness.verdicts.forgetting.Rise``: with the registers as groups, and with
each text for itself.

Columns: how often the two bounds of level .975 hold the truth between them (nominal 95 %); and how
often a run of R rounds that forgot nothing is called worse by any of them, at .05/R (nominal 5 %).
The table is Markdown. Takes about five minutes of processor time.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from harness.stats.decision import alpha_of
from harness.verdicts.forgetting import Losses, Rise

TEXTS, REGISTERS = 200, 20
SHARES = (0.0, 0.1, 0.3, 0.6)
"""Of the variance, that registers have."""
ROUNDS = 3
Side = Losses


def drawn(rng: np.random.Generator, share: float, *, skewed: bool = False) -> tuple[Side, Side]:
    """Losses before and after a training without a true rise.

    Args:
        share: of the variance of the rise, that texts of one register have in common.
        skewed: with one long tail, as of an exponential law.
    """

    def noise(count: int) -> np.ndarray:
        return rng.exponential(size=count) - 1 if skewed else rng.normal(size=count)

    own, shared = noise(TEXTS), noise(REGISTERS)
    rise = np.sqrt(1 - share) * own + np.sqrt(share) * shared[np.arange(TEXTS) % REGISTERS]
    tokens = rng.integers(20, 61, TEXTS)
    before = rng.normal(4, 1, TEXTS)
    sides = [
        [(float(loss), int(count)) for loss, count in zip(side * tokens, tokens, strict=True)]
        for side in (before, before + rise)
    ]
    return sides[0], sides[1]


def rise_of(sides: tuple[Side, Side], seed: int, *, by_register: bool) -> Rise:
    """The two sides as the program compares them."""
    names = [f"r{n % REGISTERS}" if by_register else f"t{n}" for n in range(TEXTS)]
    return Rise(*sides, names, seed)


def missed(rise: Rise, alpha: float) -> tuple[bool, bool]:
    """Whether no rise lies below the lower bound, and whether above the upper one."""
    found = rise.at(1 - alpha)
    assert found.low is not None and found.high is not None
    return found.low > 0, found.high < 0


def table(simulations: int, seed: int) -> Iterator[str]:
    """The lines of the table."""
    yield "| registers share | law | groups | bounds hold | called worse, R = 1 | R = 3 |"
    yield "|---|---|---|---|---|---|"
    for skewed in (False, True):
        for share in SHARES:
            rng = np.random.default_rng(seed)
            worlds = [drawn(rng, share, skewed=skewed) for _ in range(simulations)]
            for by_register in (True, False):
                rises = [
                    rise_of(sides, number, by_register=by_register)
                    for number, sides in enumerate(worlds)
                ]
                misses = [missed(rise, 0.025) for rise in rises]
                held = 1 - sum(map(any, misses)) / simulations
                single = sum(missed(rise, alpha_of(1))[0] for rise in rises) / simulations
                called = [missed(rise, alpha_of(ROUNDS))[0] for rise in rises]
                runs = [any(called[n : n + ROUNDS]) for n in range(0, simulations, ROUNDS)]
                law, groups = (
                    ("long tail", "normal")[not skewed],
                    ("texts", "registers")[by_register],
                )
                figures = f"{held:.1%} | {single:.1%} | {sum(runs) / len(runs):.1%}"
                yield f"| {share:g} | {law} | {groups} | {figures} |".replace("%", " %")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for line in table(asked.simulations, asked.seed):
        print(line, flush=True)


if __name__ == "__main__":
    main()
