"""Student's t. SciPy takes a third of a second to load, so only a call that needs it does."""

from __future__ import annotations


def quantile(df: float, probability: float) -> float:
    """The value below which t with ``df`` degrees of freedom falls with ``probability``."""
    from scipy import special

    return float(special.stdtrit(df, probability))


def upper_tail(value: float, se: float, df: float) -> float:
    """One-sided p of ``value`` being above 0.

    Without any spread there is no doubt: 0 above 0, else 1.
    """
    if se == 0:
        return 0.0 if value > 0 else 1.0
    from scipy import special

    return float(special.stdtr(df, -value / se))


def both_tails(value: float, se: float, df: float) -> float:
    """Two-sided p of ``value`` being another than 0; without any spread 1 at 0, else 0."""
    return min(1.0, 2 * upper_tail(abs(value), se, df))
