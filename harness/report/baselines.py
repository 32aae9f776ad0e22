"""The best round against each of the run's baselines, as the summary tells it."""

from __future__ import annotations

from harness.engine.history import History
from harness.engine.steps import At, Steps
from harness.engine.steps.asking import arm_of
from harness.loop import deciding_score
from harness.records import BASE_ARM, BaselineResult
from harness.verdicts import baselines


def compared(steps: Steps, history: History) -> list[BaselineResult]:
    """Those that were asked so far, in the order of the config."""
    settings, dev = steps.config.settings, history.data.split("dev")
    best = history.evaluations[BASE_ARM, history.kept]
    found = []
    for name, asked in history.baselines.items():
        given = asked.evaluation
        sides = steps.alike(best, given, dev, At(history.kept), At(arm=arm_of(name)))
        verdict = baselines.judge(
            deciding_score(steps, dev), *sides, name,
            round_=history.kept, rounds=settings.rounds, min_gain=settings.min_gain,
        )  # fmt: skip
        found.append(BaselineResult(name, asked.told, given.scores, verdict))
    return found
