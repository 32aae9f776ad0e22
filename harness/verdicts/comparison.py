"""Systems against a baseline, score by score, on the rows that both answered.

The label is decided by p, corrected by Holm's method over the systems that are compared with
one baseline. Positive differences are better, whatever the metric's direction.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness import stats
from harness.errors import UsageError
from harness.kit.numbers import digits_of, percent, signed, sized
from harness.kit.text import one_line
from harness.records import Label, Measurement
from harness.scoring import SEED, Groups, MetricEntry, Scorecard
from harness.stats.decision import ALPHA, NO_SPREAD, POWER, Test, label_of_test, rows_needed
from harness.verdicts.pairs import Paired, Pairs, complete_pairs, differences

_EACH_SIDE = ALPHA / 2
_NOTHING = Paired(
    stats.Difference(math.nan, None, None, None, 1 - _EACH_SIDE, 0, 0, 0.0), "", 0, 0, 0
)


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """One system against the baseline on one score; printed, it is its :attr:`sentence`.

    Attributes:
        name: the score.
        difference: oriented so that positive is better; None where it cannot be computed.
        low, high: its two-sided 95 % interval, for this comparison alone.
        p: two-sided, corrected for the number of systems.
        p_alone: before the correction.
        test: ``bootstrap``, ``randomisation`` or ``mcnemar``; empty where there is no p.
        wins, ties, losses: rows whose own value is better, equal, worse.
        n, groups: rows and groups compared.
        detectable: the true difference found with 80 % power at 5 %, one comparison alone.
        rows_needed: rows, in groups as large, with which a true difference of the size of this one
            would be found so; None where it is not known, or 0.
        doubt: why nothing can be concluded, or empty.
        note: which unscored rows count, and with what values, or empty.
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
    rows_needed: int | None
    doubt: str
    label: Label
    note: str = ""

    def __repr__(self) -> str:
        return f"<{self.sentence}>"

    def __str__(self) -> str:
        return self.sentence

    @property
    def improved(self) -> bool:
        """Whether that is its label."""
        return self.label == "improved"

    @property
    def regressed(self) -> bool:
        """Whether that is its label."""
        return self.label == "regressed"

    @property
    def sentence(self) -> str:
        """The label, the difference and its interval, or why nothing can be concluded."""
        name = one_line(self.name, 60)
        if self.difference is None:
            return f"{self.label}: {name} cannot be compared: {self.doubt or 'it has no value'}"
        digits = 1 + digits_of((self.difference, self.low, self.high))
        gain = f"{self.label}: {name} {signed(self.difference, digits)} (+ is better)"
        if self.doubt:
            return f"{gain}, but {self.doubt}"
        if self.low is not None and self.high is not None:
            gain += f", 95 % interval {signed(self.low, digits)} to {signed(self.high, digits)}"
        note = f"; {self.note}" if self.note else ""
        return f"{gain}; {sized(self.n, self.groups)}{note}"

    def power(self, called: str) -> str:
        """What so many rows can show of a score, in sentences.

        Args:
            called: the score, as it is shown.
        """
        if self.doubt:
            return f"No difference between these systems can be judged: {self.doubt}."
        size = sized(self.n, self.groups)
        if self.detectable is None:
            return (
                f"The differences in {called} do not vary over {size}, so these rows do not "
                "tell what smaller difference they could show."
            )
        return (
            f"With {size}, the minimum detectable effect in {called} is {self.detectable:.3g} "
            f"at {percent(POWER)} power. Smaller ones mostly read no evidence, which does not mean "
            "that the systems are equal."
        )

    @property
    def lacks_rows(self) -> bool:
        """Whether a true difference of this size would need more rows than there are."""
        return self.label == "no evidence" and self.n < (self.rows_needed or 0)

    def power_and_need(self, called: str) -> str:
        """The same, and how many rows this difference would need."""
        power = self.power(called)
        if not self.lacks_rows:
            return power
        return (
            f"{power} A true difference of the size seen, {self.difference:+.3g}, would take about "
            f"{self.rows_needed:,} rows."
        )


def compare_systems(
    systems: Mapping[str, Scorecard],
    baseline: Scorecard,
    *,
    test: Test = "auto",
    seed: int = SEED,
    alphas: Mapping[str, float] | None = None,
) -> dict[str, dict[str, Comparison]]:
    """System -> score name -> its comparison with the baseline, on the rows that both answered.

    Give all systems that were tried: p and label are corrected for their number.

    Args:
        test: where p comes from.
        seed: of the resampling; the draws are the same for all systems and scores.
        alphas: metric entry's name -> the p below which its labels are given, where that is
            another one than .05: rows that were opened before ask for more.

    Raises:
        UsageError: a system answers other examples, or was measured by other metrics.
        PluginError: a metric fails on the whole set.
    """
    for name, card in systems.items():
        _check_comparable(name, card, baseline)
    compared: dict[str, dict[str, Comparison]] = {name: {} for name in systems}
    for entry in baseline.metrics:
        by_entry = compare_measurements(
            entry,
            {name: card.measurements[entry.name] for name, card in systems.items()},
            baseline.measurements[entry.name],
            baseline.groups,
            seed=seed,
            test=test,
            alpha=(alphas or {}).get(entry.name, ALPHA),
        )
        for name, comparisons in by_entry.items():
            compared[name] |= comparisons
    return compared


def _check_comparable(name: str, card: Scorecard, baseline: Scorecard) -> None:
    if card.groups != baseline.groups:
        raise UsageError(
            f"'{name}' and the baseline answer other examples",
            hint="Scorecard.part(ids) takes those that both have",
        )
    signatures = {entry.name: entry.signature() for entry in card.metrics}
    if signatures != {entry.name: entry.signature() for entry in baseline.metrics}:
        raise UsageError(
            f"'{name}' and the baseline were measured by other metrics, or with other options",
            hint="give harness.evaluate the same metrics for all systems",
        )


def compare_measurements(
    entry: MetricEntry,
    systems: Mapping[str, Sequence[Measurement]],
    baseline: Sequence[Measurement],
    groups: Groups,
    *,
    seed: int,
    test: Test = "auto",
    alpha: float = ALPHA,
    draws: int = stats.DRAWS,
) -> dict[str, dict[str, Comparison]]:
    """:func:`compare_systems` by one metric.

    Args:
        systems, baseline: measurements of the same examples by ``entry``.
    """
    comparisons = {
        name: _alone(entry, measured, baseline, groups, seed, test, draws)
        for name, measured in systems.items()
    }
    for score in entry.score_names:
        family = [comparisons[name][score] for name in systems]
        for name, corrected in zip(systems, _corrected(family, alpha), strict=True):
            comparisons[name][score] = corrected
    return comparisons


def _alone(
    entry: MetricEntry,
    new: Sequence[Measurement],
    old: Sequence[Measurement],
    groups: Groups,
    seed: int,
    test: Test,
    draws: int,
) -> dict[str, Comparison]:
    """Each score's comparison as if it were the only one."""
    pairs = complete_pairs(entry, new, old, groups)
    paired = [_NOTHING] * len(entry.score_names)
    if pairs.comparable:
        paired = differences(entry, pairs, _EACH_SIDE, seed, draws, test)
    drawn: list[float | None] = [None] * len(paired)
    if test == "randomisation" and pairs.comparable and not pairs.doubt:
        drawn = stats.randomisation(entry.aggregate, pairs.new, pairs.old, pairs.names, seed)
    return {
        score: _comparison(score, pairs, of_score, test, p)
        for score, of_score, p in zip(entry.score_names, paired, drawn, strict=True)
    }


def _comparison(
    name: str, pairs: Pairs, paired: Paired, test: Test, drawn: float | None
) -> Comparison:
    gap, detectable = paired.gap, paired.detectable
    doubt = pairs.doubt or ("" if gap.se is not None else NO_SPREAD)
    p, used = (drawn, test) if test == "randomisation" else (gap.p, paired.test)
    if doubt:
        gap = dataclasses.replace(gap, low=None, high=None)
        p, used, detectable = None, "", None
    difference = gap.value if math.isfinite(gap.value) else None
    return Comparison(
        name=name,
        difference=difference,
        low=gap.low, high=gap.high, p=p, p_alone=p, test=used,
        wins=paired.wins, ties=paired.ties, losses=paired.losses,
        n=len(pairs.names), groups=len(set(pairs.names)),
        detectable=detectable, rows_needed=rows_needed(gap.n, abs(difference or 0.0), detectable),
        doubt=doubt, label="no evidence", note=pairs.note,
    )  # fmt: skip


def _corrected(family: Sequence[Comparison], alpha: float) -> list[Comparison]:
    """The family with p after Holm's correction, and the labels that follow from it."""
    alone = np.array([math.nan if c.p_alone is None else c.p_alone for c in family])
    corrected: list[Comparison] = []
    for comparison, adjusted in zip(family, stats.holm(alone), strict=True):
        p = None if math.isnan(adjusted) else float(adjusted)
        label: Label = "no evidence"
        if not comparison.doubt:
            label = label_of_test(comparison.difference, p, alpha)
        corrected.append(dataclasses.replace(comparison, p=p, label=label))
    return corrected
