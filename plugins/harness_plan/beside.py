"""What is trained beside the rounds: how often, on which rows, and how much of it is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import harness
from harness.kit.numbers import counted
from harness_plan.listing import TRAIN, Item, answers, listed, training
from harness_plan.rates import Times
from harness_plan.records import PlannedArm, Remark

MAKERS = ("model", "train", "generate")


def beside(run: harness.PlannedRun, times: Times) -> tuple[list[PlannedArm], list[Remark]]:
    """All that is left to be trained beside the rounds of a run, in order; what cannot be done.

    Raises:
        ConfigError: a branch cannot be what the config says.
        DataError: what was tried is damaged.
        PluginError: a plugin fails that has to say what it varies, or how it goes through rows.
    """
    branches, timing = run.left_beside(), _Timing(run, times)
    wrong = [Remark("warning", branch.wrong) for branch in branches if branch.wrong]
    return [timing.of(branch) for branch in branches if not branch.wrong], wrong


def amount(planned: Sequence[PlannedArm]) -> str:
    """How much it is: ``up to 36 trainings and 4 whole loops``; empty where nothing is left."""
    single = [arm for arm in planned if not arm.loops]
    trainings, loops = sum(arm.trainings for arm in single), sum(arm.loops for arm in planned)
    bound = "up to " if any(arm.trainings and arm.at_most for arm in single) else ""
    answered = sum(not arm.trainings for arm in single)
    parts = [
        f"{bound}{counted(trainings, 'training')}" if trainings else "",
        counted(loops, "whole loop") if loops else "",
        f"answers to dev with {counted(answered, 'other setting')}" if answered else "",
    ]
    return " and ".join(filter(None, parts))


def without_time(planned: Sequence[PlannedArm]) -> str:
    """A sentence on what has no time, by name; empty where all of it has."""
    unknown = [arm for arm in planned if arm.unknown]
    if not unknown:
        return ""
    names = ", ".join(f"'{arm.name}' ({', '.join(arm.unknown)})" for arm in unknown)
    return f"Of {amount(unknown)} beside the rounds no time is known: {names}."


class _Timing:
    """How much work a branch is, and how long that takes."""

    def __init__(self, run: harness.PlannedRun, times: Times) -> None:
        self.run, self.times, self.more = run, times, _more(run)

    def of(self, branch: harness.PlannedBranch) -> PlannedArm:
        if branch.loops:
            items = listed(self.run, again=True)
            work = [(branch.loops, item) for item in items]
            return self._planned(branch, work, exact=not any(item.more for item in items))
        own = self.run.variants
        tried = [
            harness.Variants(own.changed(changes, branch.name)) if changes else own
            for changes in branch.settings
        ]
        rows = len(branch.learned[0].rows) if branch.learned else 0
        slowest = max(tried, key=lambda other: _passes(other, rows))
        trains = own in tried or any(_trains_otherwise(own, other) for other in tried)
        work = []
        for part in branch.learned if trains else ():
            item = training(self.run, slowest, part.rows, round(part.share * self.more))
            work.append((part.times, item))
        work += [(part.times, answers(slowest, part.rows)) for part in branch.answered]
        unknown = dict.fromkeys(key for other in tried for key in _unknown_pace(own, other))
        exact = not (self.more or own.own(["replay"])["replay"] or branch.at_most)
        return self._planned(branch, work, exact=exact, unknown=tuple(unknown))

    def _planned(
        self, branch: harness.PlannedBranch, work: Sequence[tuple[int, Item]], *, exact: bool,
        unknown: tuple[str, ...] = (),
    ) -> PlannedArm:  # fmt: skip
        """How often -> which training, or which answers, as one line."""
        trained = [(times, item) for times, item in work if item.stage == TRAIN]
        largest = max((item for _, item in trained), key=lambda item: item.count, default=None)
        return PlannedArm(
            branch.name, sum(times for times, _ in trained), branch.loops,
            largest.count if largest else 0, exact, branch.at_most,
            steps=largest.schedule.steps if largest and largest.schedule else None,
            seconds=None if unknown else self.times.of_all(work), unknown=unknown,
        )  # fmt: skip


def _more(run: harness.PlannedRun) -> int:
    """Rows of the reference round that are not known by now, or may have been added by then."""
    known, branches = run.learned(harness.BASE_ARM), run.branches
    reference = branches.reference
    if branches.closed:
        rows = run.results[harness.BASE_ARM, reference].train_rows
        return 0 if reference in known else max(0, rows - len(branches.learned))
    latest = max((number for number in known if number <= reference), default=1)
    return (reference - latest) * run.growth


# -- settings by which a row takes another time than in the rounds ---------------------------------


def _unknown_pace(own: harness.Variants, other: harness.Variants) -> Iterator[str]:
    """What differs in another config, and is not known to leave the time of a row as it is."""
    train, before, after = own.entry(TRAIN), own.own(MAKERS), other.own(MAKERS)
    if isinstance(before[TRAIN], list) or isinstance(after[TRAIN], list):
        if before != after:
            yield TRAIN  # of several trainers only the first is timed
        return
    same = train.instance.same_pace if train else ()
    if before["model"] != after["model"]:
        yield "model"
    for key in ("train", "generate"):
        for option in _differing(before[key], after[key]):
            if key != TRAIN or option not in same:
                yield f"{key}.{option}"


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Options with another value; of another plugin nothing else is comparable."""
    if before["plugin"] != after["plugin"]:
        yield "plugin"
    else:
        yield from (key for key in after if after[key] != before.get(key))


def _trains_otherwise(own: harness.Variants, other: harness.Variants) -> bool:
    """Whether it trains another model with the same rows."""
    keys = ("model", "train")
    return own.seed != other.seed or own.own(keys) != other.own(keys)


def _passes(settings: harness.Variants, rows: int) -> float:
    """How often a training goes through so many rows."""
    schedule = settings.schedule(TRAIN, rows)
    return schedule.passes if schedule else 1.0
