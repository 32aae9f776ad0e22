"""What the dev set of a run can show."""

from __future__ import annotations

from harness.config.loading import Config
from harness.data.splits import groups_of
from harness.engine.history import History
from harness.kit.numbers import counted, percent
from harness.records import BASE_ARM
from harness.stats.decision import POWER, usable


def dev_shows(config: Config, history: History) -> tuple[float | None, str]:
    """The minimum detectable effect, and a sentence.

    Once the base model has answered dev, it is the one that its round was closed with; before,
    assumptions stand in, and there is no number.
    """
    baseline = history.results.get((BASE_ARM, 0))
    if baseline is not None:
        return baseline.verdict.detectable, baseline.verdict.sentence
    from harness.stats.assumed import assumed_effect

    groups = list(groups_of(history.data.split("dev")).values())
    if doubt := usable(groups):
        return None, f"Dev can show nothing: {doubt}."
    rounds = config.settings.rounds
    low, high = assumed_effect(groups, rounds, graded=False)
    points = sorted({round(100 * low), round(100 * high)})
    least, most = assumed_effect(groups, rounds, graded=True)
    basis = f"{percent(POWER)} power, {counted(rounds, 'round')} planned"
    return None, (
        f"{len(groups):,} dev rows show a gain of {' to '.join(map(str, points))} points in a "
        f"pass/fail score ({basis}), and one of {100 * least:.0f} to {100 * most:.0f} % of its "
        "range in a graded score: the less if training changes few rows, the more if old and new "
        "scores are unrelated. The base model's answers will say it more exactly."
    )
