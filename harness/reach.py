"""One sentence on what scores over so many rows can show, and what they cannot."""

from __future__ import annotations

from collections.abc import Mapping

from harness import stats
from harness.comparison import ALPHA, POWER, Comparison
from harness.matched import usable
from harness.records import Score
from harness.scoring import Groups


def reach(
    groups: Groups,
    scores: Mapping[str, Score],
    compared: Mapping[str, Mapping[str, Comparison]],
) -> str:
    """The smallest difference that these rows can be expected to show.

    Args:
        groups: of every example.
        scores: of one system; they are used where nothing is compared.
        compared: system -> score name -> comparison.
    """
    names = list(groups.values())
    count = len(set(names))
    support = f"{len(names)} rows" + (f" in {count} groups" if count != len(names) else "")
    doubt = usable(names)
    if doubt:
        return f"These scores describe these rows only: {doubt}. No difference can be judged."
    if compared:
        return _of_differences(compared, support)
    return _of_one_system(scores, support, stats.effective_groups(names))


def _of_differences(compared: Mapping[str, Mapping[str, Comparison]], support: str) -> str:
    every = [one for found in compared.values() for one in found.values() if one.detectable]
    if not every:
        return f"{support}: no difference between these systems can be judged."
    more = "" if len(compared) == 1 else " (before the correction for several systems)"
    return (
        f"With {support}, a true difference of {every[0].detectable:.3g} in {every[0].name} would "
        f"be found four times out of five{more}. Smaller ones mostly read no evidence, which does "
        "not mean that the systems are equal."
    )


def _of_one_system(scores: Mapping[str, Score], support: str, worth: float) -> str:
    known = [s for s in scores.values() if s.se and s.low is not None and s.high is not None]
    if not known:
        return f"{support}: none of these scores has an interval, so no difference can be judged."
    first = known[0]
    within = ((first.high or 0.0) - (first.low or 0.0)) / 2
    least = stats.detectable(first.se or 0.0, 1 - ALPHA / 2, worth, POWER)
    return (
        f"With {support}, {first.name} is known to within {within:.3g} (95 %). Between two systems "
        f"whose differences vary as much as these scores do, a true gain of {least:.3g} would be "
        "found four times out of five."
    )
