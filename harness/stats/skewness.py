"""Hall's transformation of a studentised estimate, which takes its skewness out.

Where many groups gain a little and a few lose much, the spread of a sample in which few of the
losses occurred is too small, and Student's t calls an equal system better. Hall (*On the Removal
of Skewness by Transformation*, JRSS B 54, 1992, 221-228) transforms T = (estimate - truth) / se
by the cubic

    g(T) = T + s T^2 / 3 + s^2 T^3 / 27 + s / 6,    s = skewness of the estimate,

which is the one for a studentised mean (there s is the skewness of the data over the root of
their number, and the constants follow from a = 1/3, b = 1/6 in his P = T + a s T^2 + b s). It
grows with T for every s, so that bounds have a closed form.
"""

from __future__ import annotations

import math

import numpy as np

from harness.stats.groups import Floats

_FLAT = 1e-6  # below it the cube root loses more digits than the series leaves out


def skewness(value: Floats, left_out: Floats, shares: Floats) -> Floats:
    """Skewness ``(m,)`` of estimates, from the pull of each group on them.

    The pull of a group is how far the estimate moves if the group is left out, times the share
    of rows that stay: for a mean over rows, the group's sum of deviations from it over n.

    Args:
        value: ``(m,)`` estimates.
        left_out: ``(K, m)`` the same without one of the groups.
        shares: ``(K,)`` of the rows.

    Returns:
        0 where nothing varies, or where some estimate cannot be computed.
    """
    pulls = value - left_out
    pulls *= (1 - shares)[:, None]
    pulls -= pulls.mean(axis=0)
    squares = np.einsum("km,km->m", pulls, pulls)
    raw: Floats = np.einsum("km,km,km->m", pulls, pulls, pulls) / squares**1.5
    return np.where(np.isfinite(raw), raw, 0.0)


def transformed(t: float, skew: float) -> float:
    """g(T)."""
    return t + skew * t**2 / 3 + skew**2 * t**3 / 27 + skew / 6


def restored(value: float, skew: float) -> float:
    """The T of which g(T) is ``value``."""
    if abs(skew) < _FLAT:
        return value - skew * (value**2 / 3 + 1 / 6)
    root = float(np.cbrt(1 + skew * (value - skew / 6)))
    return 3 * (root - 1) / skew


def reaches(quantile: float, skew: float) -> tuple[float, float]:
    """How many standard errors the bounds lie below and above the estimate.

    Each is the greater of Student's, ``quantile``, and Hall's: neither alone keeps its promise
    in every world (Hall's errs where nearly all rows are equal, Student's where changes are
    lopsided).
    """
    return max(quantile, restored(quantile, skew)), max(quantile, -restored(-quantile, skew))


def doubted(t: float, skew: float) -> float:
    """The T, of ``t`` and g(``t``), that lies nearer to 0 seen from ``t``'s side."""
    changed = transformed(t, skew)
    return math.copysign(max(0.0, min(abs(t), changed * math.copysign(1, t))), t)
