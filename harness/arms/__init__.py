"""What is tried beside the rounds, once these are closed: other settings, models, rows, seeds.

An arm is trained on the rows of the reference round, which is the best one (round 1 where none was
kept), and differs from it in one thing. It is scored on dev and never on test, shares the store
with the run, and changes no verdict on a round.
"""

from __future__ import annotations

from harness.arms.judging import Judging
from harness.arms.trying import Trying
from harness.config.arms import REFERENCE, planned
from harness.engine.arm_journal import ArmJournal
from harness.engine.history import History
from harness.engine.steps import Steps
from harness.errors import HarnessError
from harness.kit.files import digest
from harness.records import BASE_ARM, to_json
from harness.records.arms import Arm, Levers, Tried

__all__ = ["REFERENCE", "carry_out", "planned"]


def carry_out(steps: Steps, history: History) -> list[HarnessError]:
    """Train, score and judge the arms of the config; ``history.levers`` tells of them.

    Returns:
        what went wrong with single trainings; the others stand.

    Raises:
        ConfigError: an arm cannot be what the config says.
        Cancelled: the user asked to stop, or the budget is spent.
    """
    reference = history.kept or 1
    if (BASE_ARM, reference) not in history.evaluations:
        return []
    closed = digest(to_json(history.results[BASE_ARM, reference]))
    journal = ArmJournal(steps.run.folder, closed)
    arms = journal.with_earlier(planned(steps.config))
    if not arms:
        return []
    trying = Trying(steps, history, reference, journal)
    tried = {arm.name: _trained(trying, arm) for arm in arms}
    judging = Judging(steps, history, reference, journal, tried)
    history.levers = Levers(
        reference, trying.own(), judging.results(arms), judging.curve(arms), judging.ranking(arms),
        judging.method(arms),
    )  # fmt: skip
    return trying.failures


def _trained(trying: Trying, arm: Arm) -> tuple[Tried, ...]:
    """All trainings of an arm; the first of the reference's own, or of the loop, is the run's."""
    seeds = range(arm.seeds)
    if arm.kind not in ("seed", "loop"):
        return tuple(trying.tried(arm, seed) for seed in seeds)
    return (trying.own(), *(trying.tried(arm, seed) for seed in seeds if seed))
