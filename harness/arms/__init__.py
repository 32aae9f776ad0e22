"""What is tried beside the rounds, once these are closed: other settings, models, rows, seeds.

An arm is trained on the rows of the reference round, which is the best one (round 1 where none was
kept), and differs from it in one thing. It is scored on dev and never on test, shares the store
with the run, and changes no verdict on a round.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from harness.arms.judging import Judging
from harness.arms.searching import Searching
from harness.arms.trying import Trying
from harness.config.arms import REFERENCE, planned
from harness.config.searching import arm_of
from harness.engine.arm_journal import ArmJournal, identity
from harness.engine.history import History
from harness.engine.steps import Steps
from harness.errors import DataError, HarnessError
from harness.kit.files import digest
from harness.records import BASE_ARM, to_json
from harness.records.arms import Arm, Levers, Tried
from harness.records.searching import Search

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
    search, failures = _searched(steps, history, reference, closed)
    search, asked = _with_best(steps, search, planned(steps.config))
    journal = ArmJournal(steps.run.folder, closed)
    earlier = journal.earlier(asked)
    arms = [*earlier, *asked]
    if not arms and search is None:
        return failures
    trying = Trying(steps, history, reference, journal)
    tried = {arm.name: _trained(trying, arm, _known_seeds(journal, arm)) for arm in earlier}
    tried |= {arm.name: _trained(trying, arm, range(arm.seeds)) for arm in asked}
    judging = Judging(steps, history, reference, journal, tried)
    judging.judge(asked)
    history.levers = Levers(
        reference, trying.own(), judging.results(arms),
        judging.curve(asked) or judging.curve(earlier), judging.ranking(arms),
        judging.method(asked) or judging.method(earlier), search,
    )  # fmt: skip
    return [*failures, *trying.failures]


def _searched(
    steps: Steps, history: History, reference: int, closed: str
) -> tuple[Search | None, list[HarnessError]]:
    """The search of the config, before any arm is trained: its best settings are one."""
    entry = steps.config.search
    if entry is None:
        return None, []
    try:
        searching = Searching(steps, history, reference, entry, closed)
        return searching.result(), searching.failures
    except DataError as error:
        return None, [error]


def _with_best(
    steps: Steps, search: Search | None, asked: list[Arm]
) -> tuple[Search | None, list[Arm]]:
    """The arms with that of the best trial; the same settings are no two arms."""
    if search is None or search.best is None or not search.arm:
        return search, asked
    found = arm_of(steps.config, search.trials[search.best].values)
    same = next((arm for arm in asked if identity(arm) == identity(found)), None)
    if same is not None:
        return dataclasses.replace(search, arm=same.name), asked
    return search, [*asked, found]


def _known_seeds(journal: ArmJournal, arm: Arm) -> list[int]:
    """The seeds of an arm that is not asked for any more: it is trained no further."""
    return [seed for seed in range(arm.seeds) if journal.tried(arm, seed) is not None]


def _trained(trying: Trying, arm: Arm, seeds: Iterable[int]) -> tuple[Tried, ...]:
    """The trainings of an arm; the first of the reference's own, or of the loop, is the run's."""
    if arm.kind not in ("seed", "loop"):
        return tuple(trying.tried(arm, seed) for seed in seeds)
    return (trying.own(), *(trying.tried(arm, seed) for seed in seeds if seed))
