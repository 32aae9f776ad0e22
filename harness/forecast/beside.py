"""What is trained beside the rounds: how often, on which rows, and how much of it is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.arms.held_out import folds_of
from harness.arms.searching import best_of
from harness.arms.trying import share_of
from harness.config import searching
from harness.config.arms import SEARCH, config_of, planned, seed_of
from harness.config.loading import Config
from harness.config.plugin_entries import PluginEntry
from harness.config.searching import LOSS
from harness.engine.arm_journal import ArmJournal, identity
from harness.engine.history import History
from harness.engine.trial_journal import TrialJournal
from harness.errors import DataError
from harness.forecast.listing import (
    TRAIN,
    Growing,
    Item,
    answers,
    growing,
    known_rows,
    listed,
    schedule_of,
    training,
)
from harness.forecast.rates import Times
from harness.forecast.records import PlannedArm, Remark
from harness.kit.files import digest
from harness.kit.numbers import counted
from harness.records import BASE_ARM, NOT_ASKED, Example, to_json
from harness.records.arms import Arm
from harness.records.searching import Trial

TRIALS = "search trials"
"""What a search tries, before its best settings become an arm."""


def beside(
    config: Config, history: History, folder: Path, times: Times
) -> tuple[list[PlannedArm], list[Remark]]:
    """All that is left to be trained beside the rounds of a run, in order; what cannot be done.

    Args:
        history: with the results of the rounds that are closed.
        folder: the run's own, which says what was tried.

    Raises:
        ConfigError: an arm cannot be what the config says.
        DataError: what was tried is damaged.
        PluginError: a plugin fails that has to say what it varies, or how it goes through rows.
    """
    if config.search is None and not planned(config):
        return [], []
    levers = _Levers(config, history, folder, times)
    parts = list(levers.all())
    return [part for part in parts if part is not None], levers.wrong


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


@dataclass(frozen=True, slots=True)
class _Reference:
    """The round whose rows are trained on.

    Attributes:
        more: rows that are not known by now, or may have been added by then.
        closed: digest of the round; empty while the rounds are not over, so that it may be any.
    """

    rows: Sequence[Example]
    more: int
    exact: bool
    closed: str = ""


class _Levers:
    """The arms and the search of a config.

    Attributes:
        wrong: why some of it cannot be done.
    """

    def __init__(self, config: Config, history: History, folder: Path, times: Times) -> None:
        self.config, self.history, self.folder, self.times = config, history, folder, times
        self.wrong: list[Remark] = []
        self.dev = history.data.split("dev")
        self.grow = growing(config, history.data)
        self.reference = _reference(config, history, self.grow)
        closed = self.reference.closed
        self.journal = ArmJournal(folder, closed) if closed else None
        seeds = config.settings.seeds
        self.repeats = seeds.count if seeds is not None and seeds.of == "training" else 1

    def all(self) -> Iterator[PlannedArm | None]:
        """None where nothing is left of one."""
        if self.config.search is not None:
            yield from self._search(self.config.search)
        for arm in planned(self.config):
            yield self._loops(arm) if arm.kind == "loop" else self._arm(arm)

    def _arm(self, arm: Arm) -> PlannedArm | None:
        nested, seeds = config_of(self.config, arm, 0), self._left(arm)
        # Where other answers alone are asked for, the reference's own models give them.
        trained = arm.kind != "settings" or _trains_otherwise(self.config, nested)
        work: list[tuple[int, Item]] = []
        for seed in seeds if trained else ():
            try:
                rows = share_of(self.reference.rows, arm.share, seed_of(self.config, seed))
            except DataError as error:
                self.wrong.append(Remark("warning", error.placed))
                return None
            work.append((1, self._training(nested, rows, arm.share)))
        if seeds:
            work.append((len(seeds), answers(nested, BASE_ARM, self.dev)))
        unknown = _unknown_pace(self.config, nested)
        return self._planned(arm.name, work, exact=self.reference.exact, unknown=unknown)

    def _left(self, arm: Arm) -> list[int]:
        """The seeds with which it is still to be trained."""
        return [
            seed
            for seed in range(arm.seeds)
            if not self._shared(arm, seed)
            and not (self.journal is not None and self.journal.tried(arm, seed))
        ]

    def _shared(self, arm: Arm, seed: int) -> bool:
        """Whether the run, or a repetition of its reference, trains just this."""
        if arm.kind in ("seed", "loop"):
            return seed == 0
        return arm.kind == "data" and arm.share == 1 and seed < self.repeats

    def _training(self, config: Config, rows: Sequence[Example], share: float) -> Item:
        """On these rows, which are that share of those that are known."""
        more = round(share * self.reference.more)
        return training(config, BASE_ARM, rows, more, self.grow)

    def _loops(self, arm: Arm) -> PlannedArm | None:
        count = len(self._left(arm))
        nested = config_of(self.config, arm, 1)
        items = listed(nested, History(data=self.history.data, sealed=NOT_ASKED), {})
        exact = not any(item.more for item in items)
        work = [(count, item) for item in items if count]
        return self._planned(arm.name, work, exact=exact, loops=count)

    def _search(self, entry: PluginEntry) -> Iterator[PlannedArm | None]:
        """What is left of its trials, and of the arm of the best one."""
        config, options, rows = self.config, entry.instance.options, self.reference.rows
        try:
            seed, valid = searching.seed_of(config, entry), self.history.data.split("valid")
            folds = folds_of(rows, valid, options.folds, seed)
        except DataError as error:
            self.wrong.append(Remark("warning", error.placed))
            return
        trials, over = self._tried(entry)
        slowest, unknown = _slowest(config, entry, len(folds[0].learned))
        work: list[tuple[int, Item]] = []
        for part, fold in enumerate(folds):
            left = 0 if over else options.trials - sum(_is_past(trial, part) for trial in trials)
            share = 1 - 1 / len(folds) if len(folds) > 1 else 1.0
            if left:
                work.append((left, self._training(slowest, fold.learned, share)))
            if left and options.by != LOSS:
                work.append((left, answers(slowest, BASE_ARM, fold.held)))
        yield self._planned(TRIALS, work, exact=False, at_most=True, unknown=unknown)
        if over:
            yield self._best(entry, trials)
            return
        best = [
            (self.repeats, self._training(slowest, rows, 1.0)),
            (self.repeats, answers(slowest, BASE_ARM, self.dev)),
        ]
        yield self._planned(SEARCH, best, exact=False, at_most=True, unknown=unknown)

    def _tried(self, entry: PluginEntry) -> tuple[list[Trial], bool]:
        """The trials so far, and whether there will be no more."""
        if not self.reference.closed:
            return [], False
        search = searching.identity(self.config, entry)
        journal = TrialJournal(self.folder, self.reference.closed, search)
        ended = sum(trial.state != "open" for trial in journal.trials)
        return journal.trials, journal.exhausted or ended >= entry.instance.options.trials

    def _best(self, entry: PluginEntry, trials: Sequence[Trial]) -> PlannedArm | None:
        """The arm of the best trial, unless that has the run's own settings, or those of an arm."""
        by = entry.instance.options.by
        metric = next((one for one in self.config.metrics if by in one.score_names), None)
        best = best_of(trials, metric is not None and metric.instance.higher_is_better)
        if best is None:
            return None
        arm = searching.arm_of(self.config, trials[best].values)
        if not arm.changed or identity(arm) in map(identity, planned(self.config)):
            return None
        return self._arm(arm)

    def _planned(
        self,
        name: str,
        work: Sequence[tuple[int, Item]],
        *,
        exact: bool,
        at_most: bool = False,
        loops: int = 0,
        unknown: tuple[str, ...] = (),
    ) -> PlannedArm | None:
        """How often -> which training, or which answers, as one line; None without any."""
        if not work:
            return None
        trained = [(times, item) for times, item in work if item.stage == TRAIN]
        largest = max((item for _, item in trained), key=lambda item: item.count, default=None)
        return PlannedArm(
            name, sum(times for times, _ in trained), loops, largest.count if largest else 0,
            exact, at_most, steps=largest.schedule.steps if largest and largest.schedule else None,
            seconds=None if unknown else self.times.of_all(work), unknown=unknown,
        )  # fmt: skip


def _is_past(trial: Trial, part: int) -> bool:
    """Whether a trial needs no training on that part of the rows any more."""
    return trial.state != "open" or len(trial.folds) > part


def _reference(config: Config, history: History, grow: Growing) -> _Reference:
    """The best round, or round 1; while the rounds are not over, the last one has most rows."""
    last, replay = config.settings.rounds, config.settings.replay
    closed = [history.results.get((BASE_ARM, number)) for number in range(1, last + 1)]
    over = [result for result in closed if result is not None]
    if len(over) < last:
        rows, more = known_rows(history, BASE_ARM, last, grow)
        return _Reference(rows, more, exact=not (more or replay))
    best = next((result for result in reversed(over) if result.kept), over[0])
    name = digest(to_json(best))
    rounds = history.arms[BASE_ARM].train if BASE_ARM in history.arms else {}
    if best.round in rounds:
        return _Reference(rounds[best.round], 0, exact=not replay, closed=name)
    train = history.data.split("train")
    more = max(0, best.train_rows - len(train))
    return _Reference(train, more, exact=not replay, closed=name)


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
    """Whether it trains another model than a config with the same rows and seed."""
    pairs = (config.model, other.model), (config.train, other.train)
    return any(own.shown() != changed.shown() for own, changed in pairs)


def _slowest(config: Config, entry: PluginEntry, rows: int) -> tuple[Config, tuple[str, ...]]:
    """Of the settings that a search may try, those that go through the rows most often; the ones
    by which the time of a row is not known.

    Args:
        rows: that one of its trainings learns.
    """

    def passes(tried: Config) -> float:
        planned = schedule_of(tried.train, rows)
        return planned.passes if planned else 1.0

    space = searching.space_of(entry)
    tried = [
        searching.config_with(config, {key: value})
        for key, values in space.items()
        for value in values
    ]
    unknown = dict.fromkeys(key for other in tried for key in _unknown_pace(config, other))
    return max([config, *tried], key=passes), tuple(unknown)
