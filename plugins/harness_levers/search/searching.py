"""A search of settings: trials measured on rows held out of training, never on dev or test.

Its best settings become one arm, which meets the reference on dev as any other.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import harness
from harness.kit.numbers import duration
from harness.kit.text import one_line
from harness.verdicts import losses
from harness_levers.document import NAME, ShownSearch, shown_trial
from harness_levers.options import LeverOptions
from harness_levers.planning import SEARCH
from harness_levers.records import Arm
from harness_levers.search.config import LOSS, WHERE, SearchConfig, measure
from harness_levers.search.trial_journal import TrialJournal
from harness_levers.shares import Fold, folds_of


class Searching:
    """The search of a config, as far as it was written down, and how it is carried on.

    Attributes:
        failures: why the search did not come to its end, or has no result.
    """

    def __init__(self, levers: LeverOptions, run: harness.Branches, config: SearchConfig) -> None:
        self.levers, self.run, self.config = levers, run, config
        self.searcher, self.options, self.by = config.searcher, config.options, config.by
        self.journal = TrialJournal(run.folder, run.closed, config.identity)
        self.measure = measure(self.by)
        self.failures: list[harness.HarnessError] = []

    @functools.cached_property
    def folds(self) -> tuple[Fold, ...]:
        """The parts of the rows that are held out in turn.

        Raises:
            DataError: there are too few rows for it.
        """
        run = self.run
        return folds_of(run.learned, run.rows("valid"), self.options.folds, self.config.seed)

    @property
    def ended(self) -> bool:
        # A config may ask for fewer trials than were begun.
        trials = self.journal.trials[: self.options.trials]
        whole = self.journal.exhausted or len(trials) == self.options.trials
        return whole and not any(trial.state == "open" for trial in trials)

    @property
    def best(self) -> harness.Trial | None:
        """The trial with the best value, the first of equal ones; None without any."""
        sign = -1.0 if self.config.higher_is_better else 1.0
        trials = self.journal.trials
        valued = [(sign * trial.value, trial.number) for trial in trials if trial.value is not None]
        return trials[min(valued)[1]] if valued else None

    @property
    def arm(self) -> Arm | None:
        """The arm by which the best settings meet the reference; None where these are the run's
        own, or the search has not ended."""
        if self.best is None or not self.ended:
            return None
        changed, variants = self.config.changed(self.best.values), self.run.variants
        settings = variants.digest(changed, WHERE)
        arm = Arm(SEARCH, "settings", changed, seeds=self.levers.repeats, settings=settings)
        return arm if changed else None

    def carry_on(self) -> None:
        """Carry the search on to its end; what fails on the way stands in ``failures``.

        Raises:
            Cancelled: the user asked to stop, or the budget is spent.
            DataError: there are too few rows for it.
        """
        if self.folds and self.run.writes:  # the rows are cut before several workers need them
            try:
                self._carry_on()
            except (harness.Waiting, harness.InputChanged):
                raise
            except harness.HarnessError as error:
                self.failures.append(error)
        if self.ended and self.best is None and not self.failures:
            self.failures.append(_all_failed(self.journal.trials))

    def _carry_on(self) -> None:
        """Carry out what has not ended, until there are as many trials as are planned, or the
        searcher has no more."""
        trials = self.journal.trials
        first = next((t.number for t in trials if t.state == "open"), len(trials))
        numbers = range(first, self.options.trials)
        tasks = [functools.partial(self._next, number) for number in numbers]
        for trial in self.run.side_by_side(tasks, self.options.parallel):
            if trial is not None:
                self._say(trial)

    def _next(self, number: int) -> harness.Trial | None:
        """Have a trial proposed, after those before it, and carry it out; None: there is none."""
        trials = self.journal.trials
        while len(trials) <= number and not self.journal.exhausted:
            self._propose()
        if number >= len(trials):
            return None
        return self._carried_out(trials[number], self._before(number))

    def _before(self, number: int) -> tuple[harness.Trial, ...]:
        """The trials that the proposal of one sees, and that prune it. All have ended: none
        depends on which of those beside it ends first."""
        return tuple(self.journal.trials[: max(0, number - self.options.parallel + 1)])

    def _propose(self) -> None:
        """Write the next trial down; the first one has the run's own settings."""
        trials = self.journal.trials
        if not trials:
            self.journal.keep(harness.Trial(0, self.run.variants.own(tuple(self.config.space))))
            return
        before = self._before(len(trials))
        beside = [harness.Trial(trial.number, trial.values) for trial in trials[len(before) :]]
        with self._guard(before):
            values = self.searcher.propose(
                (*before, *beside), self.config.seed, self.config.higher_is_better
            )
        if values is None:
            self.journal.end()
        else:
            self.journal.keep(harness.Trial(len(trials), values))

    def _carried_out(
        self, trial: harness.Trial, earlier: tuple[harness.Trial, ...]
    ) -> harness.Trial:
        """Measure what is not measured yet of a trial, each part written down at once.

        What fails costs this trial alone.

        Args:
            earlier: the trials that its proposal has seen.

        Raises:
            EnvironmentFailure: the machine lacks something, whatever the settings are.
        """
        name = f"search, trial {trial.number + 1} of {self.options.trials}"
        changes = self.config.changed(trial.values)
        try:
            branch = self.run.branch(changes, name, where=WHERE, split="valid")
        except harness.ConfigError as error:  # a value between the ends of a range may be none
            return self._failed(trial, error)
        parts = len(self.folds)
        limits = self._limits(earlier) if parts == 1 and self.by == LOSS else ()
        while trial.state == "open":
            if trial.folds and self._hopeless(trial.folds, earlier):
                return self._keep(dataclasses.replace(trial, state="pruned"))
            part = len(trial.folds)
            of_part = f", part {part + 1} of {parts}" if parts > 1 else ""
            try:
                trial = self._measured(branch.part(name + of_part), trial, limits)
            except (harness.Waiting, harness.InputChanged):
                raise
            except harness.HarnessError as error:
                lacking = isinstance(error, harness.EnvironmentFailure)
                if lacking and not isinstance(error, harness.OutOfMemory):
                    raise
                return self._failed(trial, error)
            seconds = round(trial.seconds + branch.spent(), 3)
            trial = self._keep(dataclasses.replace(trial, seconds=seconds))
        return trial

    def _failed(self, trial: harness.Trial, error: harness.HarnessError) -> harness.Trial:
        why = one_line(": ".join([error.placed, *error.details[:1]]), 400)
        return self._keep(dataclasses.replace(trial, state="failed", failed=why))

    def _keep(self, trial: harness.Trial) -> harness.Trial:
        self.journal.keep(trial)
        return trial

    def _hopeless(self, folds: tuple[float, ...], earlier: tuple[harness.Trial, ...]) -> bool:
        with self._guard(earlier):
            return self.searcher.hopeless(folds, earlier, self.config.higher_is_better)

    def _limits(self, earlier: tuple[harness.Trial, ...]) -> harness.Limits:
        with self._guard(earlier):
            limits = self.searcher.limits(earlier)
        return tuple(zip(harness.Searcher.shares, limits, strict=True))

    def _measured(
        self, branch: harness.Branch, trial: harness.Trial, limits: harness.Limits
    ) -> harness.Trial:
        """The trial, with what its settings give on the next part, which was not learned.

        Args:
            limits: by which the training may end without a value.
        """
        part, by_loss = len(trial.folds), self.by == LOSS
        fold = self.folds[part]
        trained = branch.train(fold.learned, fold.held, whole_valid=by_loss, limits=limits)
        if by_loss:
            log = trained.log
            trial = dataclasses.replace(trial, course=losses.at_shares(log)[: len(limits)])
            if limits and losses.ended(log):
                return dataclasses.replace(trial, state="pruned")
            value = losses.final(log)
            lacking = "the training's log has no validation loss (eval_loss)"
        else:
            answers = branch.answer(trained, fold.held, learned=fold.learned)
            value = answers.evaluation.scores[self.by].value
            lacking = f"its answers have no {self.by}"
        if value is None or not math.isfinite(value):
            raise harness.PluginError(lacking if value is None else f"its {self.by} is {value}")
        state: harness.TrialState = "done" if part + 1 == len(self.folds) else "open"
        return dataclasses.replace(trial, folds=(*trial.folds, value), state=state)

    def document(self, arm: str) -> ShownSearch:
        """What came of it.

        Args:
            arm: the name of the arm by which the best settings meet the reference; empty where
                there is none.
        """
        trials, best = self.journal.trials, self.best
        return ShownSearch(
            by=one_line(self.by, NAME), higher_is_better=self.config.higher_is_better,
            folds=len(self.folds), rows=sum(len(fold.held) for fold in self.folds),
            planned=self.options.trials, ended=self.ended, trials=tuple(map(shown_trial, trials)),
            best=None if best is None else best.number, arm=arm or None,
            seconds=round(sum(trial.seconds for trial in trials), 3),
            sentence=one_line(self._sentence(arm)),
        )  # fmt: skip

    def _sentence(self, arm: str) -> str:
        """What came of it, without a claim about which of the settings mattered."""
        trials, best = self.journal.trials, self.best
        tried = f"{len(trials)} of {self.options.trials} trials"
        if best is None:
            return f"No trial has a value after {tried}."
        most = "highest" if self.config.higher_is_better else "least"
        parts = len(self.folds)
        on = f"in the mean of {parts} parts of train and valid" if parts > 1 else "on valid"
        head = f"The {most} {self.measure} {on}, {best.value:.4g}, is that of "
        if not self.ended:
            return f"{head}trial {best.number + 1} so far, after {tried}."
        if not arm:
            return f"{head}the run's own settings: none of {len(trials)} trials was better."
        own = trials[0].value
        beside = "" if own is None else f"; the run's own settings have {own:.4g}"
        return (
            f"{head}trial {best.number + 1} of {len(trials)} ({in_words(best.values)}){beside}. "
            "It was chosen as the best of them, so only dev says whether it is better."
        )

    def _guard(self, trials: tuple[harness.Trial, ...]) -> AbstractContextManager[object]:
        """Around a call of the searcher."""
        return self.run.guard(self.config.entry, WHERE, trials)

    def _say(self, trial: harness.Trial) -> None:
        ended = [t for t in self.journal.trials if t.state != "open"]
        each = sum(t.seconds for t in ended) / len(ended)
        left = each * (self.options.trials - len(ended)) / self.options.parallel
        later = f"; about {duration(left)} left" if left else ""
        self.run.say(
            f"search, trial {trial.number + 1} of {self.options.trials}: {self._told(trial)} "
            f"with {in_words(trial.values)}{later}"
        )

    def _told(self, trial: harness.Trial) -> str:
        if trial.state == "failed":
            return f"failed ({trial.failed})"
        if trial.state == "pruned" and not trial.folds:
            return f"ended within its training, {self.measure} {trial.course[-1]:.4g} on some rows"
        if trial.state == "pruned":
            return f"ended after {len(trial.folds)} parts, {self.measure} {trial.mean:.4g}"
        return f"{self.measure} {trial.value:.4g}"


def in_words(values: Mapping[str, Any]) -> str:
    """``train.learning_rate 0.0003, train.r 8``."""
    named = sorted(values.items())
    return ", ".join(f"{one_line(key, 60)} {one_line(str(value), 40)}" for key, value in named)


def _all_failed(trials: Sequence[harness.Trial]) -> harness.PluginError:
    return harness.PluginError(
        f"all {len(trials)} trials of the search failed, the first one with: {trials[0].failed}",
        where="search",
        hint="mend that, or search other values",
    )
