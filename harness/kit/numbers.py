"""Figures as people read them: ``0.303``, ``+0.147``, ``0.62 [0.55, 0.70]``, ``80 %``, ``2 GB``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

DASH = "–"
"""Stands where there is no value."""


def number(value: float | None, digits: int = 3) -> str:
    """``0.303``."""
    return DASH if value is None else f"{value:.{digits}f}"


def signed(value: float | None, digits: int = 3) -> str:
    """``+0.147``."""
    return DASH if value is None else f"{value:+.{digits}f}"


def percent(share: float | None) -> str:
    """``80 %``."""
    return DASH if share is None else f"{100 * share:.0f} %"


def interval(low: float | None, high: float | None, digits: int = 3, plus: bool = False) -> str:
    """``[low, high]``; an empty text where there is no interval.

    Args:
        plus: with the sign of what is above zero, as for a difference.
    """
    if low is None and high is None:
        return ""
    show = signed if plus else number
    return f"[{show(low, digits)}, {show(high, digits)}]"


def estimate(
    value: float | None, low: float | None, high: float | None, digits: int = 2, plus: bool = False
) -> str:
    """``0.62 [0.55, 0.70]``, or the value alone where there is no interval."""
    show = signed if plus else number
    return f"{show(value, digits)} {interval(low, high, digits, plus)}".rstrip()


def span(bounds: Mapping[str, Any], digits: int = 2, plus: bool = False) -> str:
    """:func:`estimate` of a document's ``value``, ``low`` and ``high``."""
    return estimate(bounds["value"], bounds["low"], bounds["high"], digits, plus)


def share(bounds: Mapping[str, Any]) -> str:
    """The same for a share: ``83 % [70, 90]``."""
    limits = {key: bounds[key] and 100 * bounds[key] for key in ("low", "high")}
    return f"{percent(bounds['value'])} {interval(limits['low'], limits['high'], 0)}".rstrip()


def at_least(bound: float, show: Callable[[float], str]) -> str:
    """``at least 0.080``, of the end of an interval that lies nearest to 0; ``more than 0`` where
    that is 0, because an exact test excludes 0 and no bound lies beyond it.

    Args:
        bound: 0 or more.
    """
    return f"at least {show(bound)}" if bound else "more than 0"


def perplexity(loss: float | None) -> str:
    """``14.2`` of a loss in nats per token; a dash where there is none, or beyond all use."""
    if loss is None or loss > 20:  # more than a vocabulary has tokens
        return DASH
    value = math.exp(loss)
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def p_value(p: float) -> str:
    """``= 0.013``, ``< 0.001``: with the sign, as it stands behind a p."""
    return "< 0.001" if p < 0.001 else f"= {p:.2g}"


def moment(at: str | None) -> str:
    """``2026-11-26 18:30 UTC`` of a time as documents hold it; an empty text where none is."""
    return f"{at[:10]} {at[11:16]} UTC" if at and at[10:11] == "T" else at or ""


def duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 20 s``, ``25 min``, ``2 h 5 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def gigabytes(count: int | None) -> str:
    """``12.3 GB``, of bytes; ``120 MB`` below one."""
    if count is None:
        return "unknown"
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def amount(money: float) -> str:
    """``0.0042``, ``12.30``: an amount of money, in any currency."""
    return f"{money:.4f}" if money < 0.1 else f"{money:,.2f}"


def counted(number: int, word: str) -> str:
    """``1 round``, ``2,000 rounds``."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def digits_of(values: Iterable[float | None]) -> int:
    """One decimal for scores up to 100, three for scores up to 1."""
    return 1 if any(abs(value) > 1.5 for value in values if value is not None) else 3


def sized(rows: int, groups: int) -> str:
    """``200 rows in 40 groups``; no groups where each row is one of its own."""
    return f"{rows} rows" if rows == groups else f"{rows} rows in {groups} groups"
