"""How often the bounds of a difference of two pass/fail rates miss it, by exact enumeration.

    python benchmarks/pass_fail_bounds.py

All tables of n rows (wins, losses, the rest) are weighed with their probability under a true share
of wins and of losses, and those whose bound lies beyond the true difference are added up. Prints
the tables of ``benchmarks/verdicts.md``: for each n and level the misses of the worst pair of
shares, as a multiple of the level, by ``harness.stats``, and at 5 % by the conditional bound alone;
then the same where nearly all rows differ to one side. Takes about a minute.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import special

from harness.stats import Floats, Ints
from harness.stats.paired_shares import lower_bounds

SHARES = (
    (0.5, 0.0), (0.3, 0.02), (0.5, 0.05), (0.0, 0.02), (0.0, 0.05), (0.06, 0.01), (0.4, 0.0),
    (0.1, 0.1), (0.1, 0.0), (0.2, 0.05), (0.05, 0.002), (0.01, 0.01), (0.3, 0.3),
)  # fmt: skip
"""True shares of wins and of losses; each is taken the other way round, too."""
ONE_SIDED = (
    (0.6, 0.0), (0.7, 0.02), (0.8, 0.01), (0.8, 0.1), (0.9, 0.0), (0.9, 0.05), (0.95, 0.0),
    (0.95, 0.03), (0.97, 0.01), (0.98, 0.0), (0.98, 0.01),
)  # fmt: skip
"""Shares of which more than half are wins, as where a model learns what it could not do at all."""
MANY = 0.05 / 90
"""The level of ninety planned verdicts."""
LEVELS = (0.05, 0.05 / 3, 0.005, 0.0025)
ROWS = (20, 40, 60, 100, 160, 200, 247, 296, 400)


def tables(n: int) -> tuple[Ints, Ints]:
    """Wins and losses of all tables of n rows."""
    wins, losses = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    possible = wins + losses <= n
    return wins[possible], losses[possible]


def probabilities(wins: Ints, losses: Ints, n: int, win: float, loss: float) -> Floats:
    """Of each table, under these true shares."""
    rest = n - wins - losses
    ways = special.gammaln(n + 1) - sum(special.gammaln(x + 1) for x in (wins, losses, rest))
    law = special.xlogy(wins, win) + special.xlogy(losses, loss)
    weights: Floats = np.exp(ways + law + special.xlogy(rest, 1 - win - loss))
    return weights


def conditional(wins: Ints, losses: Ints, n: int, alpha: float) -> Floats:
    """Clopper and Pearson's lower bound given how many rows differ; 0 where none does."""
    low = np.where(wins > 0, special.betaincinv(np.maximum(wins, 1), losses + 1, alpha), 0.0)
    return (2 * low - 1) * (wins + losses) / n


def misses(lows: Floats, n: int, win: float, loss: float) -> tuple[float, float]:
    """The chance that the true difference lies below the lower, above the upper bound.

    Args:
        lows: lower bounds of :func:`tables`.
    """
    wins, losses = tables(n)
    # The upper bound of a table is the lower one of the table turned round.
    below = probabilities(wins, losses, n, win, loss)[lows > win - loss + 1e-12].sum()
    above = probabilities(wins, losses, n, loss, win)[lows > loss - win + 1e-12].sum()
    return float(below), float(above)


def worst(
    lows: Floats, n: int, shares: Sequence[tuple[float, float]] = SHARES
) -> tuple[float, tuple[float, float]]:
    """The greatest chance of a miss on one side, and its shares of wins and losses."""
    every = [(max(misses(lows, n, *pair)), pair) for pair in shares]
    return max(every)


def lines() -> Iterator[str]:
    yield f"| rows | {' | '.join(f'{100 * alpha:.3g} %' for alpha in LEVELS)} | conditional, 5 % |"
    yield "|---|---|---|---|---|---|"
    for n in ROWS:
        every = tables(n)
        cells = [_cell(lower_bounds(*every, n, alpha), n, alpha) for alpha in LEVELS]
        alone, _ = worst(conditional(*every, n, LEVELS[0]), n)
        yield f"| {n} | {' | '.join(cells)} | {alone / LEVELS[0]:.1f} |"


def one_sided_lines() -> Iterator[str]:
    levels = (*LEVELS, MANY)
    yield f"| rows | {' | '.join(f'{100 * alpha:.3g} %' for alpha in levels)} |"
    yield "|---|---|---|---|---|---|"
    for n in ROWS:
        every = tables(n)
        cells = [_cell(lower_bounds(*every, n, alpha), n, alpha, ONE_SIDED) for alpha in levels]
        yield f"| {n} | {' | '.join(cells)} |"


def _cell(
    lows: Floats, n: int, alpha: float, shares: Sequence[tuple[float, float]] = SHARES
) -> str:
    found, (win, loss) = worst(lows, n, shares)
    return f"{found / alpha:.2f} ({win:g} / {loss:g})"


if __name__ == "__main__":
    for line in (*lines(), "", *one_sided_lines()):
        print(line, flush=True)
