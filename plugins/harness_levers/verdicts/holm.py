"""Arms against the reference round: a family of verdicts of its own beside those of the rounds.

However many arms are tried on a dev set, one after the other, any of them is wrongly called better
with a chance of .05 at most, and likewise wrongly called worse, as long as none is chosen by what
dev said of an earlier one. The a-th arm is given .05/(a(a+1)), whose sum over all a is .05. Arms
that are planned together share what theirs come to, :func:`budget`, by Holm's method (*A simple
sequentially rejective multiple test procedure*, 1979). Arms that are built on each other go beyond
that the more there are, and from the tenth on :func:`built_on_each_other` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from harness import Label, Remark, Verdict
from harness.stats.decision import ALPHA

Worth = Literal["yes", "no", "open"]
Judge = Callable[[str, float], Verdict]
"""An arm's verdict by one-sided bounds of that error; *no evidence* for an arm that failed."""


CLIMBED = {
    10: 0.056, 12: 0.060, 15: 0.069, 20: 0.091, 25: 0.122, 30: 0.163, 40: 0.273, 50: 0.423,
    60: 0.578,
}  # fmt: skip
"""Arms -> share of null climbs of so many in which one was called *improved*: each arm is the best
so far with one more change without effect (``benchmarks/climbing.py``, 10,000 climbs)."""


def built_on_each_other(earlier: int, together: int) -> tuple[Remark, ...]:
    """What dev cannot show of an arm that may be chosen by what it said of many earlier ones.

    Nothing for the first nine, and for arms of which none was judged before the others.
    """
    place = earlier + together
    if not earlier or place < min(CLIMBED):
        return ()
    number = max(number for number in CLIMBED if number <= place)
    more = "" if place <= max(CLIMBED) else "; with more arms it is more often"
    sentence = (
        f"{place} arms were judged on these rows of dev by now. Where each arm is the best so far "
        f"with one more change, they are built on each other: of {number} such arms without any "
        f"effect, one was called improved in {100 * CLIMBED[number]:.0f} % of simulated climbs "
        f"instead of 5 %{more}. Confirm it by a run with these settings: on its test set, or on "
        "other rows of dev."
    )
    return (Remark("arms", sentence, {"arms": place, "of": number, "improved": CLIMBED[number]}),)


def budget(earlier: int, together: int) -> float:
    """What ``together`` arms may risk that are judged at once, after ``earlier`` others.

    The sum of .05/(a(a+1)) over their places a, which telescopes.
    """
    return ALPHA * (1 / (earlier + 1) - 1 / (earlier + together + 1))


def holm(names: Sequence[str], alpha: float, judge: Judge) -> dict[str, Verdict]:
    """The verdict on each of the arms that were planned together.

    The i-th of m that is called better is judged at ``alpha / (m - i + 1)``, and its verdict shows
    the bounds of that level; *better* and *worse* are two families. An arm that is called neither
    shows the bounds of the stricter of the levels at which these end.

    Args:
        names: of all of them, also of those that failed: they count.
        alpha: error of each family.
    """
    labelled: dict[str, Verdict] = {}
    ends = []
    for label in ("improved", "regressed"):
        decided = _rejected(names, alpha, judge, label)
        labelled |= decided
        ends.append(alpha / max(1, len(names) - len(decided)))
    return {name: labelled.get(name) or judge(name, min(ends)) for name in names}


def _rejected(names: Sequence[str], alpha: float, judge: Judge, label: Label) -> dict[str, Verdict]:
    """The arms that one family calls by its label, step by step."""
    rejected: dict[str, Verdict] = {}
    while undecided := [name for name in names if name not in rejected]:
        verdicts = {name: judge(name, alpha / len(undecided)) for name in undecided}
        decided = {name: verdict for name, verdict in verdicts.items() if verdict.label == label}
        if not decided:
            break
        rejected |= decided
    return rejected


def worth_of(bounds: Verdict, worth: float) -> Worth:
    """Whether a gain that would matter is shown (``yes``), excluded (``no``), or neither.

    Args:
        bounds: of the arm's gain; their errors together are that of the arms' family.
        worth: in units of the primary score.
    """
    if bounds.low == bounds.high:  # no row differs, and the score has no bound for that
        return "open"
    if bounds.high is not None and bounds.high < worth:
        return "no"
    return "yes" if bounds.low is not None and bounds.low >= worth else "open"
