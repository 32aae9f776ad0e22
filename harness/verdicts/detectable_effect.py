"""The minimum detectable effect of a dev set, estimated before anything is trained.

How much paired differences will vary is not known before there is a second checkpoint. Scores that
are means of rows within a finite range go by the rule of :mod:`harness.stats.assumed`, the same as
before the base model has answered. Of others (corpus scores, scores without a greatest value) the
base model's own spread is all that there is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from harness import stats
from harness.records import Measurement
from harness.stats.assumed import NEAR, BaseScores, effect_range
from harness.stats.decision import NO_SPREAD, POWER
from harness.verdicts.pairs import Pairs, complete_pairs
from harness.verdicts.rule import DecidingScore
from harness.verdicts.sentences import number, percent, support

SPREAD = 2.25
"""How many times the base model's spread that of the differences may be, for other scores.

In the first rounds of two real runs it was 2.1 and 1.5 times; the rest is for skewness.
"""

_OF_ROWS = (
    "The lower end holds if training changes few rows, the upper end if the scores of two "
    "checkpoints are unrelated and the later ones spread as far as they may."
)
_OF_OTHERS = (
    "The lower end holds if the differences between two checkpoints vary as much as the scores of "
    f"the base model do, the upper end if {SPREAD:g} times as much; training mostly spreads scores."
)


def minimum_detectable_effect(
    score: DecidingScore, baseline: Sequence[Measurement], *, alpha: float, min_gain: float = 0.0
) -> tuple[float | None, str]:
    """The minimum detectable effect of this set, for verdicts at ``alpha``.

    Returns:
        The upper end of its range, or None where there is none; and a sentence.
    """
    bounds, sentence = detectable_range(score, baseline, alpha=alpha, min_gain=min_gain)
    return (bounds[1] if bounds else None), sentence


def detectable_range(
    score: DecidingScore, baseline: Sequence[Measurement], *, alpha: float, min_gain: float = 0.0
) -> tuple[tuple[float, float] | None, str]:
    """The gains that are detected with 80 % power, by how much training will change.

    Returns:
        The range, or None where it cannot be estimated or no gain can be detected; and a sentence.
    """
    entry, title = score.entry, score.title
    pairs = complete_pairs(entry, baseline, baseline, score.groups)
    if pairs.doubt:
        return None, f"Every round will read no evidence on {title}: {pairs.doubt}."
    place = entry.column(score.name)
    every = stats.interval(entry.aggregate, pairs.new, pairs.names, score.seed, draws=score.draws)
    estimate = every[place]
    if estimate.se is None:
        return None, f"Every round will read no evidence on {title}: {NO_SPREAD}."
    size = support(len(pairs.names), len(set(pairs.names)))
    base, span = _base_scores(score, pairs, estimate)
    if base is not None:
        ends, assumption = effect_range(pairs.names, alpha, base, min_gain / span), _OF_ROWS
        if ends is None:
            passed = f"passes {round(base.mean * len(pairs.names))} of {size} ({title})"
            near = f"has {number(entry)(estimate.value)} in {title}, on {size}"
            required = f" above {number(entry)(min_gain)}" if min_gain else ""
            return None, (
                f"The base model {passed if base.pass_or_fail else near}, so no gain{required} can "
                f"be detected at {percent(1 - alpha)} confidence: every round will read no "
                "evidence unless it is worse."
            )
        low, high = (span * end for end in ends)
    elif estimate.se == 0:
        return None, (
            f"The base model has the same {title} on all of {size}, so the minimum detectable "
            "effect cannot be estimated."
        )
    else:
        worth = stats.effective_groups(pairs.names)
        least = stats.detectable(estimate.se, 1 - alpha, worth, POWER)
        low, high, assumption = min_gain + least, min_gain + SPREAD * least, _OF_OTHERS
    show = number(entry)
    return (low, high), (
        f"With {size}, the minimum detectable effect in {title} is {show(low)} to {show(high)} at "
        f"{percent(POWER)} power and {percent(1 - alpha)} confidence. {assumption} Each round's "
        "verdict has the measured figure. Smaller gains will mostly read no evidence."
    )


def _base_scores(
    score: DecidingScore, pairs: Pairs, estimate: stats.Interval
) -> tuple[BaseScores | None, float]:
    """The base model's scores on a range from 0 to 1, and the width of the score's own range.

    None where the score is no mean of rows within a finite range.
    """
    least, most = score.entry.metric.bounds
    own = score.entry.own_values(pairs.new)[:, score.entry.column(score.name)]
    inside = bool(np.isfinite(own).all() and (own >= least).all() and (own <= most).all())
    span = most - least
    if not (math.isfinite(span) and inside and estimate.se is not None):
        return None, 1.0
    if not math.isclose(estimate.value, own.mean(), rel_tol=1e-9, abs_tol=1e-9 * span):
        return None, 1.0
    values = (own - least) / span
    if not score.entry.metric.higher_is_better:
        values = 1 - values
    variance, n = float(values.var()), len(values)
    clustered = n / stats.effective_groups(pairs.names)
    plain = variance / n
    design = (estimate.se / span) ** 2 / plain if plain else clustered
    from_end = np.minimum(values, 1 - values)
    base = BaseScores(
        mean=float(values.mean()),
        variance=variance,
        design=max(1.0, design),
        pass_or_fail=not from_end.any(),
        at_end=float((from_end <= NEAR).mean()),
    )
    return base, span
