"""The sentence of a verdict, and how its figures are printed."""

from __future__ import annotations

from collections.abc import Callable

from harness import stats
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
    """A comparison with its bounds, its support, what it could have found, and its label."""
    show = number(entry)
    low, high = gap.low or 0.0, gap.high or 0.0
    if label == "improved":
        surely = f"better by at least {show(low)} at {percent(gap.level)} confidence"
    elif label == "regressed":
        surely = f"worse by at least {show(-high)} at {percent(gap.level)} confidence"
    else:
        surely = (
            f"the true gain may be anything from {show(low)} to {show(high)}, each end at "
            f"{percent(gap.level)} confidence"
        )
    demanded = f"; a gain above {show(min_gain)} is asked for" if min_gain else ""
    power = ""
    if least is not None:
        power = f"; minimum detectable effect {show(least)} at {percent(POWER)} power"
    counted = f"; {note}" if note else ""
    return (
        f"{change(entry, title, against, gap.value)} ({surely}{demanded}; "
        f"{support(gap.n, gap.groups)}{counted}{power}): {label}."
    )


def undecided(entry: MetricEntry, title: str, against: str, value: float | None, doubt: str) -> str:
    """A comparison of which nothing can be concluded, and why."""
    if value is None:
        than = f" with {against}" if against else ""
        return f"{title} cannot be compared{than}: {doubt}: no evidence."
    return f"{change(entry, title, against, value)}, but {doubt}: no evidence."


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


def support(rows: int, groups: int, *, brief: bool = False) -> str:
    """``48 rows in 24 groups``; ``brief``: no groups where each row is one of its own."""
    return f"{rows} rows" if brief and rows == groups else f"{rows} rows in {groups} groups"


def percent(share: float) -> str:
    """With as many decimals as it takes not to read 100 % where it is less."""
    for decimals in range(1, 8):
        shown = f"{100 * share:.{decimals}f}"
        if share >= 1 or float(shown) < 100:
            break
    return shown.removesuffix(".0") + " %"
