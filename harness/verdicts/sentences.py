"""The sentence of a verdict, and how its figures are printed."""

from __future__ import annotations

from collections.abc import Callable

from harness import stats
from harness.kit.numbers import at_least
from harness.records import Label
from harness.scoring import MetricEntry
from harness.stats.decision import POWER


def decided(
    entry: MetricEntry,
    title: str,
    against: str,
    gap: stats.Difference,
    label: Label,
    least: float | None,
    min_gain: float,
    note: str,
) -> str:
    """The label, what changed and how sure that is; then the power of the comparison and its size.

    Args:
        least: minimum detectable effect, where it is known.
        note: which unscored rows count, or an empty string.
    """
    show = number(entry)
    if label == "no evidence":
        surely = between(entry, gap)
    else:
        bound = (gap.low if label == "improved" else gap.high) or 0.0
        surely = f", by {at_least(abs(bound), show)} at {percent(gap.level)} confidence"
    power = ""
    if least is not None:
        power = f"; minimum detectable effect {show(least)} at {percent(POWER)} power"
    counted = f"; {note}" if note else ""
    return (
        f"{label}: {change(entry, title, against, gap.value)}{surely}"
        f"{required(entry, min_gain)}{power}; {support(gap.n, gap.groups)}{counted}."
    )


def required(entry: MetricEntry, min_gain: float) -> str:
    """``; a gain above 0.100 is required``, or an empty text where any gain will do."""
    return f"; a gain above {number(entry)(min_gain)} is required" if min_gain else ""


def between(entry: MetricEntry, gap: stats.Difference) -> str:
    """``; the true gain lies between -0.010 and 0.030, each bound at 95 % confidence``."""
    show = number(entry)
    low, high = show(gap.low or 0.0), show(gap.high or 0.0)
    sure = percent(gap.level)
    return f"; the true gain lies between {low} and {high}, each bound at {sure} confidence"


def undecided(entry: MetricEntry, title: str, against: str, value: float | None, doubt: str) -> str:
    """A comparison from which nothing can be concluded, and why."""
    if value is None:
        than = f" with {against}" if against else ""
        return f"no evidence: {title} cannot be compared{than}: {doubt}."
    return f"no evidence: {change(entry, title, against, value)}, but {doubt}."


def change(entry: MetricEntry, title: str, against: str, value: float) -> str:
    """``rougeL rose by 0.121 against round 0``, in the score's own direction."""
    than = f" against {against}" if against else ""
    if value == 0:
        return f"{title} did not change{than}"
    rose = (value > 0) == entry.metric.higher_is_better
    note = "" if entry.metric.higher_is_better else " (lower is better)"
    verb = "rose" if rose else "fell"
    return f"{title} {verb} by {number(entry)(abs(value))}{than}{note}"


def number(entry: MetricEntry) -> Callable[[float], str]:
    """Prints values of this metric: 3 decimals up to a span of 1, 2 up to 100."""
    least, most = entry.metric.bounds
    span = most - least
    decimals = 3 if span <= 1 else 2 if span <= 100 else None

    def show(value: float) -> str:
        fixed = f"{value:.3g}" if decimals is None else f"{value:.{decimals}f}"
        return f"{value:.1g}" if value and float(fixed) == 0 else fixed

    return show


def support(rows: int, groups: int) -> str:
    """``48 rows in 24 groups``."""
    return f"{rows} rows in {groups} groups"


def percent(share: float) -> str:
    """With as many decimals as it takes not to read 100 % where it is less."""
    for decimals in range(1, 8):
        shown = f"{100 * share:.{decimals}f}"
        if share >= 1 or float(shown) < 100:
            break
    return shown.removesuffix(".0") + " %"
