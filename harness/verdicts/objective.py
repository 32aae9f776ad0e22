"""Whether the run's objective is reached, and by the trend of its rounds what is missing."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from harness.config.aims import Objective
from harness.kit.documents import finite
from harness.kit.terms import CHOSEN
from harness.kit.text import one_line, titled
from harness.records import RoundResult, Score
from harness.records.summary import AimState, ShownObjective


def progress(objective: Objective, rounds: Sequence[RoundResult]) -> ShownObjective:
    """The objective after these rounds of one arm, of which the last kept one counts.

    Args:
        rounds: in order, the baseline first.
    """
    metric, statement = one_line(objective.metric), one_line(objective.statement)
    shown = functools.partial(ShownObjective, metric, objective.target, statement)
    kept_rounds = [result for result in rounds if result.kept]
    score = kept_rounds[-1].scores.get(objective.metric) if kept_rounds else None
    value = finite(score.value) if score else None
    if score is None or value is None:
        sentence = f"Objective: {metric} has no value yet, so nothing can be said."
        return shown("unknown", None, None, None, None, sentence)
    up = 1 if score.higher_is_better else -1
    missing = up * (objective.target - value)
    pace = _pace(objective, kept_rounds, up)
    left = missing / pace if missing > 0 and pace is not None and pace > 0 else None
    state = _state(objective.target, score, missing)
    on_dev = f", {CHOSEN}" if kept_rounds[-1].round else ""
    sentence = one_line(_words(objective, score, state, missing, left, on_dev))
    return shown(state, value, finite(missing), finite(pace), finite(left), sentence)


def _pace(objective: Objective, kept_rounds: Sequence[RoundResult], up: int) -> float | None:
    """Gain per round from the baseline to the best round."""
    first, last = kept_rounds[0], kept_rounds[-1]
    before, now = (r.scores.get(objective.metric) for r in (first, last))
    if last.round == first.round or before is None or now is None:
        return None
    if before.value is None or now.value is None:
        return None
    return up * (now.value - before.value) / (last.round - first.round)


def _state(target: float, score: Score, missing: float) -> AimState:
    nearest = score.high if score.higher_is_better else score.low
    farthest = score.low if score.higher_is_better else score.high
    up = 1 if score.higher_is_better else -1
    if missing <= 0:
        sure = farthest is not None and up * (farthest - target) >= 0
        return "reached" if sure else "reached, not surely"
    sure = nearest is None or up * (nearest - target) < 0
    return "not reached" if sure else "not reached, not surely"


def _words(
    objective: Objective,
    score: Score,
    state: AimState,
    missing: float,
    left: float | None,
    on_dev: str,
) -> str:
    interval = "no interval"
    if score.low is not None and score.high is not None:
        interval = f"95 % interval {score.low:.3g} to {score.high:.3g}"
    head = (
        f"Objective {titled(objective.metric, score.caveat)} {objective.target:g}: {state} "
        f"({score.value:.4g}, {interval}{on_dev})"
    )
    if missing <= 0:
        return f"{head}."
    if left is None:
        return f"{head}; {missing:.3g} is missing, and no round has reduced that."
    return (
        f"{head}; {missing:.3g} is missing: {left:.1f} more rounds at the current rate. "
        "Gains mostly shrink from round to round, so expect more."
    )
