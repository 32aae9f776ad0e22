"""A search of settings: trials measured on rows held out of training, never on dev or test.

Its best settings become one arm, which meets the reference on dev as any other.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import harness
from harness.kit.numbers import duration
from harness.kit.text import one_line
from harness.verdicts import losses
from harness_levers import planning
from harness_levers.options import LeverOptions
from harness_levers.records import Search
from harness_levers.search import space
from harness_levers.search.space import LOSS
from harness_levers.search.trial_journal import TrialJournal
from harness_levers.shares import Fold, folds_of


class Searching:
    """Carries the search of a config out, or reads what was written down of it.

    Args:
        entry: the searcher.

    Attributes:
        failures: why the search did not come to its end, or has no result.
    """

    def __init__(
        self, options: LeverOptions, run: harness.Branches, entry: harness.PluginEntry
    ) -> None:
        self.levers, self.run, self.entry = options, run, entry
        self.searcher, self.options = (
            harness.CheckedSearcher(entry.instance),
            entry.instance.options,
        )
        self.by: str = self.options.by
        self.seed = space.seed_of(run.variants)
        self.journal = TrialJournal(run.folder, run.closed, space.identity(run.variants))
        self.space = space.space_of(run.variants)
        self.failures: list[harness.HarnessError] = []

    def result(self) -> Search:
        """The search as far as it has come; what fails on the way stands in ``failures``.

        Raises:
            Cancelled: the user asked to stop, or the budget is spent.
            DataError: there are too few rows for it.
        """
        run = self.run
        folds = folds_of(run.learned, run.rows("valid"), self.options.folds, self.seed)
        if run.writes:
            try:
                self._carry_on(folds)
            except (harness.Waiting, harness.InputChanged):
                raise
            except harness.HarnessError as error:
                self.failures.append(error)
        return self._search(folds)

    @property
    def higher_is_better(self) -> bool:
        metric = self.run.variants.metric(self.by)
        return metric is not None and bool(metric.instance.higher_is_better)

    def _carry_on(self, folds: Sequence[Fold]) -> None:
        """Carry out what has not ended, until there are as many trials as are planned, or the
        searcher has no more."""
        trials = self.journal.trials
        first = next((t.number for t in trials if t.state == "open"), len(trials))
        numbers = range(first, self.options.trials)
        tasks = [functools.partial(self._next, number, folds) for number in numbers]
        for trial in self.run.side_by_side(tasks, self.options.parallel):
            if trial is not None:
                self._say(trial)

    @property
    def _ended(self) -> bool:
        trials = self.journal.trials
        whole = self.journal.exhausted or len(trials) >= self.options.trials
        return whole and not any(trial.state == "open" for trial in trials)

    def _next(self, number: int, folds: Sequence[Fold]) -> harness.Trial | None:
        """Have a trial proposed, after those before it, and carry it out; None: there is none."""
        trials = self.journal.trials
        while len(trials) <= number and not self.journal.exhausted:
            self._propose()
        if number >= len(trials):
            return None
        return self._carried_out(trials[number], folds, self._before(number))

    def _before(self, number: int) -> tuple[harness.Trial, ...]:
        """The trials that the proposal of one sees, and that prune it. All have ended: none
        depends on which of those beside it ends first."""
        return tuple(self.journal.trials[: max(0, number - self.options.parallel + 1)])

    def _propose(self) -> None:
        """Write the next trial down; the first one has the run's own settings."""
        trials = self.journal.trials
        if not trials:
            self.journal.keep(harness.Trial(0, self.run.variants.own(tuple(self.space))))
            return
        before = self._before(len(trials))
        beside = [harness.Trial(trial.number, trial.values) for trial in trials[len(before) :]]
        with self.run.guard(self.entry, "search", before):
            values = self.searcher.propose((*before, *beside), self.seed, self.higher_is_better)
        if values is None:
            self.journal.end()
        else:
            self.journal.keep(harness.Trial(len(trials), values))

    def _carried_out(
        self, trial: harness.Trial, folds: Sequence[Fold], earlier: tuple[harness.Trial, ...]
    ) -> harness.Trial:
        """Measure what is not measured yet of a trial, each part written down at once.

        What fails costs this trial alone.

        Args:
            earlier: the trials that its proposal has seen.

        Raises:
            EnvironmentFailure: the machine lacks something, whatever the settings are.
        """
        name = f"search, trial {trial.number + 1} of {self.options.trials}"
        changes = space.changed(self.run.variants, trial.values)
        try:
            branch = self.run.branch(changes, name, where=space.WHERE, split="valid")
        except harness.ConfigError as error:  # a value between the ends of a range may be none
            return self._failed(trial, error)
        limits = self._limits(earlier) if len(folds) == 1 and self.by == LOSS else ()
        while trial.state == "open":
            if trial.folds and self._hopeless(trial.folds, earlier):
                return self._keep(dataclasses.replace(trial, state="pruned"))
            part = len(trial.folds)
            of_part = f", part {part + 1} of {len(folds)}" if len(folds) > 1 else ""
            try:
                trial = self._measured(branch.part(name + of_part), trial, folds, limits)
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
        with self.run.guard(self.entry, "search", earlier):
            return self.searcher.hopeless(folds, earlier, self.higher_is_better)

    def _limits(self, earlier: tuple[harness.Trial, ...]) -> harness.Limits:
        with self.run.guard(self.entry, "search", earlier):
            limits = self.searcher.limits(earlier)
        return tuple(zip(harness.Searcher.shares, limits, strict=True))

    def _measured(
        self, branch: harness.Branch, trial: harness.Trial, folds: Sequence[Fold],
        limits: harness.Limits,
    ) -> harness.Trial:  # fmt: skip
        """The trial, with what its settings give on the next part, which was not learned.

        Args:
            limits: by which the training may end without a value.
        """
        part, by_loss = len(trial.folds), self.by == LOSS
        fold = folds[part]
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
        state: harness.TrialState = "done" if part + 1 == len(folds) else "open"
        return dataclasses.replace(trial, folds=(*trial.folds, value), state=state)

    def _search(self, folds: Sequence[Fold]) -> Search:
        trials, ended = tuple(self.journal.trials), self._ended
        best = best_of(trials, self.higher_is_better)
        if ended and best is None and not self.failures:
            self.failures.append(_all_failed(trials))
        chosen = None if best is None or not ended else trials[best]
        arm = planning.searched(self.levers, self.run.variants, chosen.values) if chosen else None
        search = Search(
            self.by, self.higher_is_better, len(folds), sum(len(fold.held) for fold in folds),
            self.options.trials, trials, best, planning.SEARCH if arm and arm.changed else "",
            ended,
        )  # fmt: skip
        return dataclasses.replace(search, sentence=sentence(search))

    def _say(self, trial: harness.Trial) -> None:
        ended = [t for t in self.journal.trials if t.state != "open"]
        each = sum(t.seconds for t in ended) / len(ended)
        left = each * (self.options.trials - len(ended)) / self.options.parallel
        later = f"; about {duration(left)} left" if left else ""
        self.run.say(
            f"search, trial {trial.number + 1} of {self.options.trials}: {_told(trial, self.by)} "
            f"with {in_words(trial.values)}{later}"
        )


def best_of(trials: Sequence[harness.Trial], higher_is_better: bool) -> int | None:
    """Number of the trial with the best value, the first of equal ones; None without any."""
    sign = -1.0 if higher_is_better else 1.0
    valued = [(sign * trial.value, trial.number) for trial in trials if trial.value is not None]
    return min(valued)[1] if valued else None


def sentence(search: Search) -> str:
    """What came of it, without a claim about which of the settings mattered."""
    tried = f"{len(search.trials)} of {search.planned} trials"
    if search.best is None:
        return f"No trial has a value after {tried}."
    best, own = search.trials[search.best], search.trials[0]
    name = "validation loss" if search.by == LOSS else search.by
    most = "highest" if search.higher_is_better else "least"
    on = (
        f"in the mean of {search.folds} parts of train and valid"
        if search.folds > 1
        else "on valid"
    )
    head = f"The {most} {name} {on}, {best.value:.4g}, is that of "
    if not search.ended:
        return f"{head}trial {best.number + 1} so far, after {tried}."
    if not search.arm:
        return f"{head}the run's own settings: none of {len(search.trials)} trials was better."
    beside = "" if own.value is None else f"; the run's own settings have {own.value:.4g}"
    return (
        f"{head}trial {best.number + 1} of {len(search.trials)} ({in_words(best.values)}){beside}. "
        "It was chosen as the best of them, so only dev says whether it is better."
    )


def in_words(values: Mapping[str, Any]) -> str:
    """``train.learning_rate 0.0003, train.r 8``."""
    named = sorted(values.items())
    return ", ".join(f"{one_line(key, 60)} {one_line(str(value), 40)}" for key, value in named)


def _told(trial: harness.Trial, by: str) -> str:
    name = "validation loss" if by == LOSS else by
    if trial.state == "failed":
        return f"failed ({trial.failed})"
    if trial.state == "pruned" and not trial.folds:
        return f"ended within its training, {name} {trial.course[-1]:.4g} on some rows"
    if trial.state == "pruned":
        return f"ended after {len(trial.folds)} parts, {name} {trial.mean:.4g}"
    return f"{name} {trial.value:.4g}"


def _all_failed(trials: Sequence[harness.Trial]) -> harness.PluginError:
    return harness.PluginError(
        f"all {len(trials)} trials of the search failed, the first one with: {trials[0].failed}",
        where="search",
        hint="mend that, or search other values",
    )
