"""The difference of two shares of the same, independent rows: its exact test and its bounds.

A row is a win (only a passes), a loss (only b passes) or neither; the difference is
(wins - losses) / n. Whether it is other than 0 is decided by McNemar's exact test. How large it is
at least and at most, on each side, is the widest of these bounds:

* The conditional one: that of Clopper and Pearson (*The use of confidence or fiducial limits
  illustrated in the case of the binomial*, Biometrika 26, 1934) for the share of wins among the
  rows that differ, given how many do. It belongs to the test, and takes the number of rows that
  differ for known, which it is not.
* The score bound of Tango (*Equivalence test and confidence interval for the difference in
  proportions for the paired-sample design*, Statistics in Medicine 17, 1998), with a continuity
  correction of one row: the differences d at which

      |wins - losses - n d| - 1 = z sqrt(n (2 q + d (1 - d))),

  where q is the maximum-likelihood estimate of the probability of a loss under the difference d.
  Without the correction it errs up to twice as often as it says at the small levels of many
  planned verdicts.
* Where there are only wins, or only losses: Clopper and Pearson's for their share of all n rows,
  which is the difference itself then.

Where no row differs the last one alone counts, which is ``1 - alpha^(1/n)`` on either side.
"""

from __future__ import annotations

import numpy as np

from harness.stats.groups import Floats, Ints

_STEPS = 55  # of the bisection: to the last digit


def mcnemar(wins: int, losses: int) -> float:
    """Exact two-sided p of pass/fail outcomes on the same, independent rows.

    Rows with equal outcomes say nothing; of the others, half are wins if the systems are alike
    (McNemar, *Note on the sampling error of the difference between correlated proportions or
    percentages*, 1947; here by the binomial law itself).

    Args:
        wins: rows that only a passes.
        losses: rows that only b passes.

    Raises:
        ValueError: a number below 0.
    """
    if min(wins, losses) < 0:
        raise ValueError("wins and losses are numbers of rows, 0 or more")
    if wins == losses:
        return 1.0
    from scipy import special

    return min(1.0, 2 * float(special.bdtr(min(wins, losses), wins + losses, 0.5)))


def mcnemar_worse(losses: int, gains: int) -> float:
    """Exact one-sided p of more losses than gains: half of :func:`mcnemar` where it is below .5.

    Args:
        losses: rows that passed before and fail now.
        gains: rows that failed before and pass now.

    Raises:
        ValueError: a number below 0.
    """
    if min(losses, gains) < 0:
        raise ValueError("losses and gains are numbers of rows, 0 or more")
    from scipy import special

    return float(special.bdtr(gains, losses + gains, 0.5))


def share_bounds(wins: int, losses: int, n: int, alpha: float) -> tuple[float, float]:
    """Bounds of (wins - losses) / n, each of which is wrong with a chance of ``alpha``.

    Where :func:`mcnemar` excludes 0 at twice ``alpha``, the bound on its side is 0 at the least;
    0 itself is excluded then, too.

    Args:
        n: rows, those with equal outcomes included.
    """
    first, second = np.array([wins, losses]), np.array([losses, wins])
    low, negative_high = lower_bounds(first, second, n, alpha).tolist()
    return low, 0.0 - negative_high  # and not -0.0


def lower_bounds(wins: Ints, losses: Ints, n: int, alpha: float) -> Floats:
    """The lower bounds of many tables of n rows each; arrays of one shape."""
    from scipy import special

    differ, z = wins + losses, -float(special.ndtri(alpha))
    share = np.where(wins > 0, special.betaincinv(np.maximum(wins, 1), losses + 1, alpha), 0.0)
    conditional = (2 * share - 1) * differ / n
    alone = _one_sided_bounds(wins, losses, n, alpha)
    widest = np.minimum(conditional, np.minimum(_score_bounds(wins, losses, n, z), alone))
    widest = np.where(conditional > 0, np.maximum(widest, 0.0), widest)
    bounds: Floats = np.where(differ == 0, alone, widest)
    return bounds


def _one_sided_bounds(wins: Ints, losses: Ints, n: int, alpha: float) -> Floats:
    """Of rows that differ to one side only, as a share of all n; infinite for other tables."""
    from scipy import special

    of_losses = -special.betaincinv(losses + 1, np.maximum(n - losses, 1), 1 - alpha)
    of_losses = np.where(losses == n, -1.0, of_losses)
    of_wins = special.betaincinv(np.maximum(wins, 1), np.maximum(n - wins, 0) + 1, alpha)
    return np.where(wins == 0, of_losses, np.where(losses == 0, of_wins, np.inf))


def _score_bounds(wins: Ints, losses: Ints, n: int, z: float) -> Floats:
    """Tango's lower bounds with the continuity correction, by bisection."""
    net = (wins - losses - 1).astype(np.float64)
    low = np.full(net.shape, -1.0)
    high = np.maximum(net / n, -1.0)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        linear = (2 * n - wins + losses) * middle - wins - losses
        constant = losses * middle * (1 - middle)
        root = np.sqrt(linear**2 + 8 * n * constant)
        # The larger root, in the form that subtracts no two numbers of one size.
        stable = np.maximum(np.abs(linear) + root, np.finfo(np.float64).tiny)
        loss = np.where(linear > 0, 2 * constant / stable, stable / (4 * n))
        variance = np.maximum(n * (2 * loss + middle * (1 - middle)), 0.0)
        too_low = net - n * middle > z * np.sqrt(variance)
        low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
    return low
