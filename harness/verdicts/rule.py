"""Whether a checkpoint is better than another: improved, no evidence, or regressed.

The rule is in ``docs/verdicts.md`` for people and in :func:`judge` for the machine. One score
decides; rows are compared in pairs; doubt of any kind reads *no evidence*.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness import stats
from harness.records import Measurement, Verdict
from harness.records.rounds import Contrast
from harness.scoring import Groups, MetricEntry
from harness.stats import decision
from harness.stats.decision import NO_SPREAD, level
from harness.verdicts import sentences
from harness.verdicts.pairs import Paired, Pairs, complete_pairs, differences
from harness.verdicts.sentences import number, percent, support


@dataclass(frozen=True, slots=True)
class DecidingScore:
    """The one score that decides, on rows in groups.

    Attributes:
        entry: the metric that gives it.
        name: the score's.
        groups: example id -> group.
        seed, draws: of the bootstrap.
    """

    entry: MetricEntry
    name: str
    groups: Groups
    seed: int = 0
    draws: int = stats.DRAWS

    @property
    def title(self) -> str:
        """Its name as people read it."""
        return self.entry.titled(self.name)

    def difference(self, pairs: Pairs, alpha: float) -> stats.Difference:
        """New minus old, positive = better."""
        return self.paired(pairs, alpha).gap

    def paired(self, pairs: Pairs, alpha: float) -> Paired:
        """New minus old, positive = better, with its test."""
        every = differences(self.entry, pairs, alpha, self.seed, self.draws)
        return every[self.entry.column(self.name)]


def baseline_verdict(
    rounds: int = 1,
    *,
    detectable: float | None = None,
    sentence: str = "",
    n: int = 0,
    groups: int = 0,
) -> Verdict:
    """The verdict of round 0, which is compared with nothing.

    Args:
        detectable, sentence: what ``detectable_effect.minimum_detectable_effect`` says.
    """
    words = sentence or "The base model, which the rounds are compared with."
    return Verdict("baseline", "", None, None, None, level(rounds), detectable, words, n, groups)


def judge(
    score: DecidingScore,
    new: Sequence[Measurement],
    old: Sequence[Measurement],
    *,
    alpha: float,
    min_gain: float = 0.0,
    against: str = "",
    doubt: str = "",
) -> Verdict:
    """One checkpoint (``new``) against another on one score.

    *Improved* if the one-sided lower bound at level 1 - ``alpha`` is above ``min_gain``,
    *regressed* if the upper bound at the same level is below 0. (A bound of pass/fail rows that
    ends at 0 because McNemar's exact test excludes 0 counts as above or below it.) Against 0 this
    is decided by the p-value, which says the same (:class:`harness.stats.Difference`). Positive
    differences are better, whatever the metric's direction.

    Args:
        new, old: measurements of the same examples by the score's metric.
        alpha: error allowed to each one-sided bound (``decision.alpha_of`` the planned rounds).
        against: what the other checkpoint is called (``round 0``).
        doubt: why nothing can be concluded whatever the rows say; mostly empty.
    """
    entry, title, sure = score.entry, score.title, 1 - alpha
    pairs = complete_pairs(entry, new, old, score.groups)
    paired = score.paired(pairs, alpha) if pairs.comparable else None
    gap = paired.gap if paired else None
    value = gap.value if gap is not None and math.isfinite(gap.value) else None
    n, count = len(pairs.names), len(set(pairs.names))
    doubt = pairs.doubt or doubt
    bounds = None if gap is None or doubt else _bounds(gap)
    if paired is None or gap is None or bounds is None:
        words = sentences.undecided(entry, title, against, value, doubt or NO_SPREAD)
        return Verdict("no evidence", against, value, None, None, sure, None, words, n, count)
    low, high, se = bounds
    label = _label(gap, min_gain)
    least = None if paired.detectable is None else min_gain + paired.detectable
    if se == 0 and value == 0:
        note = f"; {pairs.note}" if pairs.note else ""
        same = f" ({support(n, count)}, none of which differs{note})"
        between = sentences.between(entry, gap) if low < high else ""
        words = f"no evidence: {sentences.change(entry, title, against, value)}{between}{same}."
    else:
        words = sentences.decided(entry, title, against, gap, label, least, min_gain, pairs.note)
    return Verdict(label, against, gap.value, low, high, sure, least, words, n, count)


def unlabelled(verdict: Verdict) -> Verdict:
    """The same comparison without a verdict, for rounds that are shown for comparison alone."""
    sentence = verdict.sentence.removeprefix(f"{verdict.label}: ")
    return dataclasses.replace(verdict, label="control", sentence=sentence)


def contrast_arms(
    score: DecidingScore,
    a: Sequence[Measurement],
    b: Sequence[Measurement],
    instead: Contrast = "random",
    level: float = 0.95,
) -> tuple[float | None, float | None, float | None, str]:
    """Arm a (the added rows) minus the control arm b; positive is better.

    Args:
        instead: what arm b got.

    Returns:
        Difference, low and high of a two-sided interval at ``level``, and a sentence; three
        None where doubt forbids them.
    """
    pairs = complete_pairs(score.entry, a, b, score.groups, fill=False)
    gap = None if pairs.doubt else score.difference(pairs, 1 - (1 + level) / 2)
    bounds = None if gap is None else _bounds(gap)
    contrast, subject = _CONTRASTS[instead]
    if gap is None or bounds is None:
        doubt = pairs.doubt or NO_SPREAD
        return None, None, None, f"The two arms cannot be compared: {doubt}."
    low, high, _ = bounds
    outcome = _OUTCOMES[_label(gap)].format(subject).capitalize()
    show = number(score.entry)
    sentence = (
        f"{outcome}: {contrast} in {score.title}, positive = better: "
        f"{show(gap.value)} ({percent(level)} interval {show(low)} to {show(high)}; "
        f"{support(gap.n, gap.groups)}). These are two single trainings, since a further seed "
        f"would repeat both arms with all their rounds. A claim about {subject} as such needs "
        "several seeds: run this config with five values of seed, and look at how these "
        "differences spread."
    )
    return gap.value, low, high, sentence


_CONTRASTS: Mapping[Contrast, tuple[str, str]] = {
    "random": ("targeted minus random rows", "targeting"),
    "real": ("written minus as many real rows", "written rows"),
    "none": ("with minus without the added rows", "added rows"),
}
_OUTCOMES = {
    "improved": "{} did better in this run",
    "regressed": "{} did worse in this run",
    "no evidence": "no evidence that {} helped or harmed",
}


def _label(gap: stats.Difference, min_gain: float = 0.0) -> decision.Decision:
    """What a difference with bounds says: its p against 0, its bound against ``min_gain``."""
    against_zero = decision.label_of_test(gap.value, gap.p, 2 * (1 - gap.level))
    if against_zero == "improved" and min_gain:
        return decision.label(gap.low, None, min_gain=min_gain)
    return against_zero


def _bounds(gap: stats.Difference) -> tuple[float, float, float] | None:
    if gap.low is None or gap.high is None or gap.se is None:
        return None
    return gap.low, gap.high, gap.se
