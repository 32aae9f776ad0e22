"""The search, the arms and the verdicts of a run, one after the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import harness
from harness_levers import planning
from harness_levers.arm_journal import ArmJournal
from harness_levers.document import document
from harness_levers.options import LeverOptions
from harness_levers.records import JUDGED, Arm, Search
from harness_levers.search import space
from harness_levers.search.searching import Searching
from harness_levers.trying import Trying
from harness_levers.verdicts.judging import Judging


def carry_out(options: LeverOptions, run: harness.Branches) -> harness.Outcome:
    """Train, score and judge the arms of the config, and read the earlier ones again.

    Raises:
        ConfigError: an arm cannot be what the config says.
        Cancelled: the user asked to stop, or the budget is spent.
    """
    search, failures = _searched(options, run)
    search, asked = _with_best(options, run, search)
    journal = ArmJournal(run.folder, run.closed)
    earlier = journal.earlier(asked)
    arms = [*earlier, *asked]
    done = frozenset([f"worth {options.worth}"])
    if not arms and search is None:
        return harness.Outcome(done=done, failures=failures)
    trying = Trying(run, journal)
    seeds: dict[str, Sequence[int]] = {arm.name: _known_seeds(journal, arm) for arm in earlier}
    seeds |= {arm.name: range(arm.seeds) for arm in asked}
    tried = _trained(trying, arms, seeds)
    judging = Judging(options, run, journal, tried, trying.answered)
    # Without those that failed the level would be another one.
    if any(arm.name in trying.waits for arm in asked):
        run.say("arms are judged when the same command has trained those that failed")
    else:
        judging.judge(asked)
    return harness.Outcome(
        document=document(
            run.reference, options.worth, trying.own(),
            judging.curve(asked) or judging.curve(earlier), judging.ranking(arms),
            judging.method(asked) or judging.method(earlier), search,
        ),
        branches=list(map(judging.outcome, arms)),
        done=done | _done(run, arms, trying, search),
        failures=[*failures, *trying.failures],
    )  # fmt: skip


def _searched(
    options: LeverOptions, run: harness.Branches
) -> tuple[Search | None, list[harness.HarnessError]]:
    """The search of the config, before any arm is trained: its best settings are one."""
    entry = run.variants.entry(space.WHERE)
    if entry is None:
        return None, []
    try:
        searching = Searching(options, run, entry)
        return searching.result(), searching.failures
    except harness.DataError as error:
        return None, [error]


def _with_best(
    options: LeverOptions, run: harness.Branches, search: Search | None
) -> tuple[Search | None, list[Arm]]:
    """The planned arms with that of the best trial; the same settings are no two arms."""
    planned = planning.planned(options, run.variants)
    if search is None or search.best is None or not search.arm:
        return search, planned
    best = planning.searched(options, run.variants, search.trials[search.best].values)
    same = next((a for a in planned if planning.identity(a) == planning.identity(best)), None)
    if same is not None:
        return dataclasses.replace(search, arm=same.name), planned
    return search, [*planned, best]


def _known_seeds(journal: ArmJournal, arm: Arm) -> list[int]:
    """The seeds of an arm that is not asked for any more: it is trained no further."""
    return [seed for seed in range(arm.seeds) if journal.tried(arm, seed) is not None]


def _trained(
    trying: Trying, arms: Sequence[Arm], seeds: Mapping[str, Sequence[int]]
) -> dict[str, tuple[harness.BranchTraining, ...]]:
    """The trainings of each arm; the first of the reference's own, or of the loop, is the run's."""
    own = {arm.name for arm in arms if arm.kind in ("seed", "loop")}
    wanted = [
        (arm, seed) for arm in arms for seed in seeds[arm.name] if seed or arm.name not in own
    ]
    tried = trying.tried(wanted)
    trainings: dict[str, tuple[harness.BranchTraining, ...]] = {}
    for arm in arms:
        of_run = [trying.own()] if arm.name in own else []
        made = [tried[arm.name, seed] for other, seed in wanted if other is arm]
        trainings[arm.name] = (*of_run, *made)
    return trainings


def _done(
    run: harness.Branches, arms: Sequence[Arm], trying: Trying, search: Search | None
) -> frozenset[str]:
    """The arms of which every training has answers, with their verdicts, and the search if it and
    its arm are done."""
    whole = [
        arm
        for arm in arms
        if arm.name not in trying.lacking
        and (arm.kind not in JUDGED or trying.journal.judged(arm) is not None)
    ]
    done = {planning.asked(arm) for arm in whole}
    ended = search is not None and search.ended and search.best is not None
    if search is not None and ended and search.arm in {"", *(arm.name for arm in whole)}:
        done.add(space.asked(run.variants) or "")
    return frozenset(done)
