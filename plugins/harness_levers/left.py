"""What is left to be trained beside the rounds, for a forecast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import harness
from harness_levers import planning
from harness_levers.arm_journal import ArmJournal
from harness_levers.options import LeverOptions
from harness_levers.records import Arm
from harness_levers.search import space
from harness_levers.search.searching import best_of
from harness_levers.search.trial_journal import TrialJournal
from harness_levers.shares import folds_of, share_of

TRIALS = "search trials"
"""What a search tries, before its best settings become an arm."""


def left(options: LeverOptions, run: harness.Branches) -> Sequence[harness.PlannedBranch]:
    """The search, then the arms, as far as they are not done."""
    return [branch for branch in _Left(options, run).all() if branch is not None]


class _Left:
    def __init__(self, options: LeverOptions, run: harness.Branches) -> None:
        self.options, self.run = options, run
        self.journal = ArmJournal(run.folder, run.closed) if run.closed else None

    def all(self) -> Iterator[harness.PlannedBranch | None]:
        """None where nothing is left of one."""
        yield from self._search()
        for arm in planning.planned(self.options, self.run.variants):
            yield self._arm(arm)

    def _arm(self, arm: Arm) -> harness.PlannedBranch | None:
        seeds = [seed for seed in range(arm.seeds) if self._is_left(arm, seed)]
        if not seeds:
            return None
        if arm.kind == "loop":
            return harness.PlannedBranch(arm.name, loops=len(seeds))
        run, learned = self.run, []
        for seed in seeds:
            drawn = planning.seed_of(run.variants, seed)
            try:
                rows = share_of(run.learned, arm.share, drawn)
            except harness.DataError as error:
                return harness.PlannedBranch(arm.name, wrong=error.placed)
            learned.append(harness.PlannedRows(1, rows, arm.share))
        answered = [harness.PlannedRows(len(seeds), run.rows("dev"))]
        return harness.PlannedBranch(arm.name, [arm.changed], learned, answered)

    def _is_left(self, arm: Arm, seed: int) -> bool:
        """Whether neither this arm was trained with the seed, nor the run, or a repetition of its
        reference, trains just this.
        """
        if arm.kind in ("seed", "loop"):
            shared = seed == 0
        else:
            shared = arm.kind == "data" and arm.share == 1 and seed < self.options.repeats
        is_trained = self.journal is not None and self.journal.tried(arm, seed) is not None
        return not shared and not is_trained

    def _search(self) -> Iterator[harness.PlannedBranch | None]:
        """What is left of its trials, and of the arm of the best one."""
        run, entry = self.run, self.run.variants.entry(space.WHERE)
        if entry is None:
            return
        options = entry.instance.options
        seed, valid = space.seed_of(run.variants), run.rows("valid")
        try:
            folds = folds_of(run.learned, valid, options.folds, seed)
        except harness.DataError as error:
            yield harness.PlannedBranch(TRIALS, wrong=error.placed)
            return
        trials, all_ended = self._tried(options.trials)
        if all_ended:
            yield self._best(options.by, trials)
            return
        settings = [
            {key: value} for key, values in space.space_of(run.variants).items() for value in values
        ]
        share = 1 - 1 / len(folds) if len(folds) > 1 else 1.0
        counts = [
            options.trials - sum(_is_past(trial, part) for trial in trials)
            for part in range(len(folds))
        ]
        parts = [(count, fold) for count, fold in zip(counts, folds, strict=True) if count]
        learned = [harness.PlannedRows(count, fold.learned, share) for count, fold in parts]
        answered = [
            harness.PlannedRows(count, fold.held)
            for count, fold in parts
            if options.by != space.LOSS
        ]
        if learned:
            yield harness.PlannedBranch(TRIALS, [{}, *settings], learned, answered, at_most=True)
        yield harness.PlannedBranch(
            planning.SEARCH,
            [{}, *settings],
            [harness.PlannedRows(self.options.repeats, run.learned)],
            [harness.PlannedRows(self.options.repeats, run.rows("dev"))],
            at_most=True,
        )

    def _tried(self, planned: int) -> tuple[Sequence[harness.Trial], bool]:
        """The trials so far, and whether there will be no more."""
        run = self.run
        if not run.closed:
            return [], False
        journal = TrialJournal(run.folder, run.closed, space.identity(run.variants))
        ended = sum(trial.state != "open" for trial in journal.trials)
        return journal.trials, journal.exhausted or ended >= planned

    def _best(self, by: str, trials: Sequence[harness.Trial]) -> harness.PlannedBranch | None:
        """The arm of the best trial, unless that has the run's own settings, or those of an arm."""
        variants = self.run.variants
        metric = variants.metric(by)
        best = best_of(trials, metric is not None and metric.instance.higher_is_better)
        if best is None:
            return None
        arm = planning.searched(self.options, variants, trials[best].values)
        planned = map(planning.identity, planning.planned(self.options, variants))
        if not arm.changed or planning.identity(arm) in planned:
            return None
        return self._arm(arm)


def _is_past(trial: harness.Trial, part: int) -> bool:
    """Whether a trial needs no training on that part of the rows any more."""
    return trial.state != "open" or len(trial.folds) > part
