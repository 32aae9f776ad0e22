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
from harness.forecast import pace
from harness.forecast.listing import TRAIN, Item, answers, known_rows, listed, training
from harness.forecast.sizes import Growing, mean_row
from harness.kit.files import digest
from harness.kit.numbers import counted
from harness.records import BASE_ARM, NOT_ASKED, Example, to_json
from harness.records.arms import Arm
from harness.records.searching import Trial

TRIALS = "search trials"
"""What a search tries, before its best settings become an arm."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What is left of one arm, or of the trials of a search.

    Attributes:
        name: of the arm, or :data:`TRIALS`.
        loops: whole loops; 0 where single trainings are made.
        work: how often -> which training, or which answers.
        exact: whether the rows of each are known; else at most so many (of ``replay``, too).
        at_most: whether less may do, as trials may end early.
        moved: the settings by which a row takes another time than in the rounds.
        wrong: why none of it can be done; empty where it can.
    """

    name: str
    work: tuple[tuple[int, Item], ...]
    exact: bool = True
    at_most: bool = False
    loops: int = 0
    moved: tuple[str, ...] = ()
    wrong: str = ""

    @property
    def trainings(self) -> int:
        """All of them, those of loops included."""
        return sum(times for times, item in self.work if item.stage == TRAIN)


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


def beside(config: Config, history: History, folder: Path) -> list[Beside]:
    """All that is left to be trained beside the rounds of a run, in order.

    Args:
        history: with the results of the rounds that are closed.
        folder: the run's own, which says what was tried.

    Raises:
        ConfigError: an arm cannot be what the config says.
        DataError: what was tried is damaged.
        PluginError: a plugin fails that has to say what it varies, or how it goes through rows.
    """
    if config.search is None and not planned(config):
        return []
    return [one for one in _Beside(config, history, folder).all() if one.work or one.wrong]


def told(found: Sequence[Beside]) -> str:
    """How much it is: ``up to 36 trainings and 4 whole loops``; empty where nothing is left."""
    single = [one for one in found if not one.loops]
    trainings, loops = sum(one.trainings for one in single), sum(one.loops for one in found)
    bound = "up to " if any(one.trainings and one.at_most for one in single) else ""
    answered = sum(bool(one.work and not one.trainings) for one in single)
    parts = [
        f"{bound}{counted(trainings, 'training')}" if trainings else "",
        counted(loops, "whole loop") if loops else "",
        f"answers to dev with {counted(answered, 'other setting')}" if answered else "",
    ]
    return " and ".join(filter(None, parts))


def unknown(found: Sequence[Beside]) -> str:
    """A sentence on what has no time, by name; empty where all of it has."""
    moved = [one for one in found if one.moved]
    if not moved:
        return ""
    named = ", ".join(f"'{one.name}' ({', '.join(one.moved)})" for one in moved)
    return f"Of {told(moved)} beside the rounds no time is known: {named}."


class _Beside:
    """The arms and the search of a config."""

    def __init__(self, config: Config, history: History, folder: Path) -> None:
        self.config, self.history, self.folder = config, history, folder
        data = history.data
        self.dev = data.split("dev")
        self.grow = mean_row(config, data.split("train"), data.split("pool"))
        self.reference = _reference(config, history, self.grow)
        closed = self.reference.closed
        self.journal = ArmJournal(folder, closed) if closed else None
        seeds = config.settings.seeds
        self.repeats = seeds.count if seeds is not None and seeds.of == "training" else 1

    def all(self) -> Iterator[Beside]:
        if self.config.search is not None:
            yield from self._search(self.config.search)
        for arm in planned(self.config):
            yield self._loops(arm) if arm.kind == "loop" else self._arm(arm)

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

    def _arm(self, arm: Arm) -> Beside:
        found, nested = self.reference, config_of(self.config, arm, 0)
        moved, seeds = pace.moving(self.config, nested), self._left(arm)
        # Where other answers alone are asked for, the reference's own models give them.
        trained = arm.kind != "settings" or pace.trains_otherwise(self.config, nested)
        work: list[tuple[int, Item]] = []
        for seed in seeds if trained else ():
            try:
                rows = share_of(found.rows, arm.share, seed_of(self.config, seed))
            except DataError as error:
                return Beside(arm.name, (), wrong=error.placed)
            work.append((1, self._training(nested, rows, arm.share)))
        if seeds:
            work.append((len(seeds), answers(nested, BASE_ARM, self.dev, self.grow)))
        return Beside(arm.name, tuple(work), exact=found.exact, moved=moved)

    def _training(self, config: Config, rows: Sequence[Example], share: float) -> Item:
        """On these rows, which are that share of those that are known."""
        more = round(share * self.reference.more)
        return training(config, BASE_ARM, rows, more, self.grow)

    def _loops(self, arm: Arm) -> Beside:
        count = len(self._left(arm))
        nested = config_of(self.config, arm, 1)
        items = listed(nested, History(data=self.history.data, sealed=NOT_ASKED), {})
        exact = not any(item.more for item in items)
        work = tuple((count, item) for item in items if count)
        return Beside(arm.name, work, exact=exact, loops=count)

    def _search(self, entry: PluginEntry) -> Iterator[Beside]:
        """What is left of its trials, and of the arm of the best one."""
        config, options, rows = self.config, entry.instance.options, self.reference.rows
        try:
            seed, valid = searching.seed_of(config, entry), self.history.data.split("valid")
            folds = folds_of(rows, valid, options.folds, seed)
        except DataError as error:
            yield Beside(TRIALS, (), wrong=error.placed)
            return
        trials, over = self._tried(entry)
        slowest, moved = pace.searched(config, entry, len(folds[0].learned))
        work: list[tuple[int, Item]] = []
        for part, fold in enumerate(folds):
            left = 0 if over else options.trials - sum(_is_past(one, part) for one in trials)
            share = 1 - 1 / len(folds) if len(folds) > 1 else 1.0
            if left:
                work.append((left, self._training(slowest, fold.learned, share)))
            if left and options.by != LOSS:
                work.append((left, answers(slowest, BASE_ARM, fold.held, self.grow)))
        yield Beside(TRIALS, tuple(work), exact=False, at_most=True, moved=moved)
        if over:
            yield from self._best(entry, trials)
        else:
            best = (
                (self.repeats, self._training(slowest, rows, 1.0)),
                (self.repeats, answers(slowest, BASE_ARM, self.dev, self.grow)),
            )
            yield Beside(SEARCH, best, exact=False, at_most=True, moved=moved)

    def _tried(self, entry: PluginEntry) -> tuple[list[Trial], bool]:
        """The trials so far, and whether there will be no more."""
        if not self.reference.closed:
            return [], False
        closed, search = self.reference.closed, searching.identity(self.config, entry)
        found = TrialJournal(self.folder, closed, search)
        ended = sum(one.state != "open" for one in found.trials)
        return found.trials, found.exhausted or ended >= entry.instance.options.trials

    def _best(self, entry: PluginEntry, trials: Sequence[Trial]) -> Iterator[Beside]:
        """The arm of the best trial, unless that has the run's own settings, or those of an arm."""
        by = entry.instance.options.by
        metric = next((one for one in self.config.metrics if by in one.score_names), None)
        best = best_of(trials, metric is not None and metric.instance.higher_is_better)
        if best is not None:
            arm = searching.arm_of(self.config, trials[best].values)
            if arm.changed and identity(arm) not in map(identity, planned(self.config)):
                yield self._arm(arm)


def _is_past(trial: Trial, part: int) -> bool:
    """Whether a trial needs no training on that part of the rows any more."""
    return trial.state != "open" or len(trial.folds) > part


def _reference(config: Config, history: History, grow: Growing) -> _Reference:
    """The best round, or round 1; while the rounds are not over, the last one has most rows."""
    last, replay = config.settings.rounds, config.settings.replay
    closed = [history.results.get((BASE_ARM, number)) for number in range(1, last + 1)]
    over = [one for one in closed if one is not None]
    if len(over) < last:
        rows, more = known_rows(history, BASE_ARM, last, grow)
        return _Reference(rows, more, exact=not (more or replay))
    best = next((one for one in reversed(over) if one.kept), over[0])
    name = digest(to_json(best))
    rounds = history.arms[BASE_ARM].train if BASE_ARM in history.arms else {}
    if best.round in rounds:
        return _Reference(rounds[best.round], 0, exact=not replay, closed=name)
    train = history.data.split("train")
    more = max(0, best.train_rows - len(train))
    return _Reference(train, more, exact=not replay, closed=name)
