"""Systems against a baseline, score by score, on the rows that both answered.

The label is decided by p, corrected by Holm's method over the systems that are compared with
one baseline. Positive differences are better, whatever the metric's direction.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness import stats
from harness.matched import NO_SPREAD, Pairs, complete_pairs, difference
from harness.records import Label, Measurement
from harness.scoring import Entry, Groups

ALPHA = 0.05
POWER = 0.8
_EACH_SIDE = 1 - ALPHA / 2

Test = Literal["auto", "bootstrap", "randomisation"]
"""Where p comes from. ``auto`` is McNemar's exact test for a pass/fail score of single rows, and
the bootstrap otherwise."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One system against the baseline on one score.

    Attributes:
        name: the score.
        difference: oriented so that positive is better; None where it cannot be had.
        low, high: its two-sided 95 % interval, for this comparison alone.
        p: two-sided, corrected for the number of systems.
        p_alone: before the correction.
        test: ``bootstrap``, ``randomisation`` or ``mcnemar``; empty where there is no p.
        wins, ties, losses: rows whose own value is better, equal, worse.
        n, groups: rows and groups compared.
        detectable: the true difference found with 80 % power at 5 %, one comparison alone.
        doubt: why nothing can be concluded, or empty.
    """

    name: str
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_alone: float | None
    test: str
    wins: int
    ties: int
    losses: int
    n: int
    groups: int
    detectable: float | None
    doubt: str
    label: Label


def compare(
    entry: Entry,
    systems: Mapping[str, Sequence[Measurement]],
    baseline: Sequence[Measurement],
    groups: Groups,
    *,
    seed: int,
    test: Test = "auto",
    draws: int = stats.DRAWS,
) -> dict[str, dict[str, Comparison]]:
    """System -> score name -> its comparison with the baseline.

    Args:
        systems, baseline: measurements of the same examples by ``entry``.
    """
    found = {
        name: _alone(entry, measured, baseline, groups, seed, test, draws)
        for name, measured in systems.items()
    }
    for score in entry.score_names:
        family = [found[name][score] for name in systems]
        for name, one in zip(systems, _corrected(family), strict=True):
            found[name][score] = one
    return found


def _alone(
    entry: Entry,
    new: Sequence[Measurement],
    old: Sequence[Measurement],
    groups: Groups,
    seed: int,
    test: Test,
    draws: int,
) -> dict[str, Comparison]:
    """Each score's comparison as if it were the only one."""
    pairs = complete_pairs(entry, new, old, groups)
    counts = [_wins(entry, score, pairs, new, old) for score in entry.score_names]
    if not pairs.comparable:
        nothing = stats.Difference(math.nan, None, None, None, _EACH_SIDE, 0, 0, 0.0)
        gaps = [nothing] * len(counts)
    else:
        gaps = difference(entry, pairs, _EACH_SIDE, seed, draws)
    drawn: list[float | None] = [None] * len(counts)
    if test == "randomisation" and pairs.comparable and not pairs.doubt:
        drawn = stats.randomisation(entry.aggregate, pairs.new, pairs.old, pairs.names, seed)
    return {
        score: _comparison(score, pairs, gap, wins, test, p)
        for score, gap, wins, p in zip(entry.score_names, gaps, counts, drawn, strict=True)
    }


def _comparison(
    name: str,
    pairs: Pairs,
    gap: stats.Difference,
    counts: tuple[int, int, int, bool],
    test: Test,
    drawn: float | None,
) -> Comparison:
    wins, ties, losses, pass_or_fail = counts
    doubt = pairs.doubt or ("" if gap.se is not None else NO_SPREAD)
    p, used = (drawn, "randomisation") if test == "randomisation" else (gap.p, "bootstrap")
    if test == "auto" and pass_or_fail and _is_mean(gap.value, wins, losses, pairs):
        p, used = stats.mcnemar(wins, losses), "mcnemar"
        low, high = stats.mcnemar_interval(wins, losses, len(pairs.names))
        if low is not None and high is not None:  # rounding must not leave the value outside
            low, high = min(low, gap.value), max(high, gap.value)
        gap = dataclasses.replace(gap, low=low, high=high)
    if doubt:
        gap, p, used = dataclasses.replace(gap, low=None, high=None, se=None), None, ""
    detectable = stats.detectable(gap.se, _EACH_SIDE, gap.effective, POWER) if gap.se else None
    return Comparison(
        name=name,
        difference=gap.value if math.isfinite(gap.value) else None,
        low=gap.low, high=gap.high, p=p, p_alone=p, test=used,
        wins=wins, ties=ties, losses=losses, n=len(pairs.names), groups=len(set(pairs.names)),
        detectable=detectable, doubt=doubt, label="no evidence",
    )  # fmt: skip


def _wins(
    entry: Entry,
    score: str,
    pairs: Pairs,
    new: Sequence[Measurement],
    old: Sequence[Measurement],
) -> tuple[int, int, int, bool]:
    """Rows won, tied and lost by their own values, and whether all of these are 0 or 1."""
    ours, theirs = ({m.example_id: m.values.get(score) for m in side} for side in (new, old))
    both = [(ours[i], theirs[i]) for i in pairs.ids]
    known = np.array([(a, b) for a, b in both if a is not None and b is not None]).reshape(-1, 2)
    better = np.sign(known[:, 0] - known[:, 1]) * (1 if entry.metric.higher_is_better else -1)
    wins, losses = int((better > 0).sum()), int((better < 0).sum())
    pass_or_fail = len(known) > 0 and bool(np.isin(known, (0.0, 1.0)).all())
    return wins, len(known) - wins - losses, losses, pass_or_fail


def _is_mean(value: float, wins: int, losses: int, pairs: Pairs) -> bool:
    """Whether the difference is that of two shares of single rows, which McNemar's test takes."""
    n = len(pairs.names)
    single = len(set(pairs.names)) == n
    return single and n > 0 and math.isclose(value * n, wins - losses, abs_tol=1e-6)


def _corrected(family: Sequence[Comparison]) -> list[Comparison]:
    """The family with p after Holm's correction, and the labels that follow from it."""
    alone = np.array([math.nan if c.p_alone is None else c.p_alone for c in family])
    return [
        dataclasses.replace(one, p=None if math.isnan(p) else float(p), label=_label(one, p))
        for one, p in zip(family, stats.holm(alone), strict=True)
    ]


def _label(one: Comparison, p: float) -> Label:
    if one.doubt or one.difference is None or not p < ALPHA:
        return "no evidence"
    return "improved" if one.difference > 0 else "regressed"
