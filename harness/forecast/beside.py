"""What is trained beside the rounds: how often, on which rows, and how much of it is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.boundary.calls import plainly
from harness.config.loading import Config
from harness.config.plugin_entries import PluginEntry
from harness.engine.history import History
from harness.forecast.listing import (
    TRAIN,
    Growing,
    Item,
    answers,
    growing,
    listed,
    schedule_of,
    training,
)
from harness.forecast.rates import Times
from harness.forecast.records import PlannedArm, Remark
from harness.kit.numbers import counted
from harness.records import BASE_ARM, NOT_ASKED
from harness.stages import PlannedBranch
from harness.stages.experiments import left_of
from harness.stored import Branches


def beside(run: Branches, history: History, times: Times) -> tuple[list[PlannedArm], list[Remark]]:
    """All that is left to be trained beside the rounds of a run, in order; what cannot be done.

    Args:
        history: with the results of the rounds that are closed.

    Raises:
        ConfigError: a branch cannot be what the config says.
        DataError: what was tried is damaged.
        PluginError: a plugin fails that has to say what it varies, or how it goes through rows.
    """
    planned: list[PlannedArm] = []
    wrong: list[Remark] = []
    timing = _Timing(run, history, times)
    for entry in run.variants.config.experiments:
        with plainly(entry.named):
            branches = left_of(entry.instance, run)
        for branch in branches:
            if branch.wrong:
                wrong.append(Remark("warning", branch.wrong))
            else:
                planned.append(timing.of(branch))
    return planned, wrong


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

    def __init__(self, run: Branches, history: History, times: Times) -> None:
        self.run, self.history, self.times = run, history, times
        self.config = run.variants.config
        self.grow = growing(self.config, history.data)
        self.more = _more(run, self.config, history, self.grow)

    def of(self, branch: PlannedBranch) -> PlannedArm:
        if branch.loops:
            return self._loops(branch)
        config = self.config
        tried = [
            self.run.variants.changed(changes, branch.name) if changes else config
            for changes in branch.settings
        ]
        rows = len(branch.learned[0].rows) if branch.learned else 0
        slowest = max(tried, key=lambda other: _passes(other, rows))
        trains = config in tried or any(_trains_otherwise(config, other) for other in tried)
        work: list[tuple[int, Item]] = []
        for part in branch.learned if trains else ():
            more = round(part.share * self.more)
            item = training(slowest, BASE_ARM, part.rows, more, self.grow)
            work.append((part.times, item))
        work += [(part.times, answers(slowest, BASE_ARM, part.rows)) for part in branch.answered]
        unknown = dict.fromkeys(key for other in tried for key in _unknown_pace(config, other))
        exact = not (self.more or config.settings.replay or branch.at_most)
        return self._planned(branch, work, exact=exact, unknown=tuple(unknown))

    def _loops(self, branch: PlannedBranch) -> PlannedArm:
        variants = self.run.variants
        nested = variants.looped(variants.derived_seed("repeat", 1), branch.name)
        items = listed(nested, History(data=self.history.data, sealed=NOT_ASKED), {})
        exact = not any(item.more for item in items)
        return self._planned(branch, [(branch.loops, item) for item in items], exact=exact)

    def _planned(
        self, branch: PlannedBranch, work: Sequence[tuple[int, Item]], *, exact: bool,
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


def _more(run: Branches, config: Config, history: History, grow: Growing) -> int:
    """Rows of the reference round that are not known by now, or may have been added by then."""
    known = history.arms[BASE_ARM].train if BASE_ARM in history.arms else {}
    if run.closed:
        rows = history.results[BASE_ARM, run.reference].train_rows
        return 0 if run.reference in known else max(0, rows - len(run.learned))
    latest = max((number for number in known if 0 < number <= run.reference), default=1)
    return (run.reference - latest) * grow.rows


# -- settings by which a row takes another time than in the rounds ---------------------------------


def _unknown_pace(config: Config, other: Config) -> tuple[str, ...]:
    """What differs in another config, and is not known to leave the time of a row as it is."""
    model = ["model"] if other.model.shown() != config.model.shown() else []
    same = other.train.instance.same_pace
    trained = [key for key in _differing(config.train, other.train) if key not in same]
    answered = _differing(config.generate, other.generate)
    return (*model, *(f"train.{key}" for key in trained), *(f"generate.{key}" for key in answered))


def _differing(own: PluginEntry, other: PluginEntry) -> Iterator[str]:
    """Options with another value; of another plugin nothing else is comparable."""
    if own.plugin != other.plugin:
        yield "plugin"
        return
    before, after = own.shown(), other.shown()
    yield from (key for key in after if after[key] != before.get(key))


def _trains_otherwise(config: Config, other: Config) -> bool:
    """Whether it trains another model than a config with the same rows."""
    if config.settings.seed != other.settings.seed:
        return True
    pairs = (config.model, other.model), (config.train, other.train)
    return any(own.shown() != changed.shown() for own, changed in pairs)


def _passes(config: Config, rows: int) -> float:
    """How often a training by a config goes through so many rows."""
    schedule = schedule_of(config.train, rows)
    return schedule.passes if schedule else 1.0
