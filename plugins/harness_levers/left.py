"""What is left to be trained beside the rounds, for a forecast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import harness
from harness_levers import planning
from harness_levers.arm_journal import ArmJournal
from harness_levers.options import LeverOptions
from harness_levers.planning import SEARCH
from harness_levers.records import Arm
from harness_levers.search.config import LOSS, SearchConfig
from harness_levers.search.searching import Searching
from harness_levers.shares import share_of

TRIALS = "search trials"
"""What a search tries, before its best settings become an arm."""


def left(options: LeverOptions, run: harness.Branches) -> Sequence[harness.PlannedBranch]:
    """The search, then the arms, as far as they are not done."""
    return list(_Left(options, run).all())


class _Left:
    def __init__(self, options: LeverOptions, run: harness.Branches) -> None:
        self.options, self.run = options, run
        self.planned = planning.planned(options, run.variants)
        self.journal = ArmJournal(run.folder, run.closed)

    def all(self) -> Iterator[harness.PlannedBranch]:
        yield from self._search()
        for arm in self.planned:
            yield from self._arm(arm)

    def _arm(self, arm: Arm) -> Iterator[harness.PlannedBranch]:
        seeds = [seed for seed in range(arm.seeds) if self._is_left(arm, seed)]
        if not seeds:
            return
        if arm.kind == "loop":
            yield harness.PlannedBranch(arm.name, loops=len(seeds))
            return
        run, learned = self.run, []
        for seed in seeds:
            drawn = planning.seed_of(run.variants, seed)
            try:
                rows = share_of(run.learned, arm.share, drawn)
            except harness.DataError as error:
                yield harness.PlannedBranch(arm.name, wrong=error.placed)
                return
            learned.append(harness.PlannedRows(1, rows, arm.share))
        answered = [harness.PlannedRows(len(seeds), run.rows("dev"))]
        yield harness.PlannedBranch(arm.name, [arm.changed], learned, answered)

    def _is_left(self, arm: Arm, seed: int) -> bool:
        """Whether neither this arm was trained with the seed, nor the run, or a repetition of its
        reference, trains just this.
        """
        if arm.kind in ("seed", "loop"):
            shared = seed == 0
        else:
            shared = arm.kind == "data" and arm.share == 1 and seed < self.options.repeats
        return not shared and self.journal.tried(arm, seed) is None

    def _search(self) -> Iterator[harness.PlannedBranch]:
        """What is left of its trials, and of the arm of the best one."""
        run, config = self.run, SearchConfig.of(self.run.variants)
        if config is None:
            return
        search, options = Searching(self.options, run, config), config.options
        try:
            folds = search.folds
        except harness.DataError as error:
            yield harness.PlannedBranch(TRIALS, wrong=error.placed)
            return
        if search.ended:
            # The same settings are no two arms.
            arm, others = search.arm, map(planning.identity, self.planned)
            if arm is not None and planning.identity(arm) not in others:
                yield from self._arm(arm)
            return
        settings = [{key: value} for key, values in config.space.items() for value in values]
        share = 1 - 1 / len(folds) if len(folds) > 1 else 1.0
        trials = search.journal.trials[: options.trials]
        counts = [
            options.trials - sum(_is_past(trial, part) for trial in trials)
            for part in range(len(folds))
        ]
        parts = [(count, fold) for count, fold in zip(counts, folds, strict=True) if count]
        learned = [harness.PlannedRows(count, fold.learned, share) for count, fold in parts]
        answered = [harness.PlannedRows(count, fold.held) for count, fold in parts]
        yield harness.PlannedBranch(
            TRIALS, [{}, *settings], learned, answered if config.by != LOSS else [], at_most=True
        )
        yield harness.PlannedBranch(
            SEARCH,
            [{}, *settings],
            [harness.PlannedRows(self.options.repeats, run.learned)],
            [harness.PlannedRows(self.options.repeats, run.rows("dev"))],
            at_most=True,
        )


def _is_past(trial: harness.Trial, part: int) -> bool:
    """Whether a trial needs no training on that part of the rows any more."""
    return trial.state != "open" or len(trial.folds) > part
