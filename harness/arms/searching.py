"""A search of settings: trials measured on rows held out of training, never on dev or test.

Its best settings become one arm, which meets the reference on dev as any other.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness.arms.held_out import Fold, folds_of
from harness.arms.trying import base_for
from harness.boundary import searching as boundary
from harness.boundary.calls import PluginCall
from harness.boundary.lending import Lent
from harness.config import searching
from harness.config.arms import SEARCH
from harness.config.plugin_entries import PluginEntry
from harness.config.searching import LOSS
from harness.context import Limits
from harness.engine.history import History
from harness.engine.steps import At, Steps
from harness.engine.trial_journal import TrialJournal
from harness.errors import (
    ConfigError,
    EnvironmentFailure,
    HarnessError,
    InputChanged,
    OutOfMemory,
    PluginError,
    Waiting,
)
from harness.kit.numbers import duration
from harness.kit.text import one_line
from harness.records import BASE_ARM, Example
from harness.records.searching import SHARES, Search, Trial, TrialState
from harness.verdicts import losses


class Searching:
    """Carries the search of a config out, or reads what was written down of it.

    Args:
        entry: the searcher.
        closed: digest of the reference round, as it was closed.

    Attributes:
        failures: why the search did not come to its end, or has no result.
    """

    def __init__(
        self, steps: Steps, history: History, reference: int, entry: PluginEntry, closed: str
    ) -> None:
        self.steps, self.reference, self.entry = steps, reference, entry
        self.options = entry.instance.options
        self.by: str = self.options.by
        self.seed = searching.seed_of(steps.config, entry)
        self.rows = history.arms[BASE_ARM].train[reference]
        self.valid = history.data.split("valid")
        self.journal = TrialJournal(
            steps.run.folder, closed, searching.identity(steps.config, entry)
        )
        self.space = searching.space_of(entry)
        self.failures: list[HarnessError] = []

    def result(self) -> Search:
        """The search as far as it has come; what fails on the way stands in ``failures``.

        Raises:
            Cancelled: the user asked to stop, or the budget is spent.
            DataError: there are too few rows for it.
        """
        folds = folds_of(self.rows, self.valid, self.options.folds, self.seed)
        if self.steps.run.writes:
            try:
                self._carry_on(folds)
            except (Waiting, InputChanged):
                raise
            except HarnessError as error:
                self.failures.append(error)
        return self._found(folds)

    @property
    def higher_is_better(self) -> bool:
        if self.by == LOSS:
            return False
        entries = self.steps.metric_entries()
        found = next(one for one in entries if self.by in one.score_names)
        return bool(found.metric.higher_is_better)

    def _carry_on(self, folds: Sequence[Fold]) -> None:
        """Trials until there are as many as are planned, or the searcher has no more."""
        trials = self.journal.trials
        while not self._ended:
            opened = trials[-1] if trials and trials[-1].state == "open" else self._next()
            if opened is None:
                self.journal.end()
            else:
                self._say(self._carried_out(opened, folds))

    @property
    def _ended(self) -> bool:
        over = [one for one in self.journal.trials if one.state != "open"]
        return self.journal.exhausted or len(over) >= self.options.trials

    def _next(self) -> Trial | None:
        """The next trial; the first one has the run's own settings."""
        trials = tuple(self.journal.trials)
        if not trials:
            return Trial(0, searching.own_values(self.steps.config, tuple(self.space)))
        with self._guard(trials):
            proposed = self.entry.instance.propose(trials, self.seed, self.higher_is_better)
            values = boundary.proposal(proposed, self.space)
        return None if values is None else Trial(len(trials), values)

    def _carried_out(self, trial: Trial, folds: Sequence[Fold]) -> Trial:
        """Measure what is not measured yet of a trial, each part written down at once.

        What fails costs this trial alone.

        Raises:
            EnvironmentFailure: the machine lacks something, whatever the settings are.
        """
        earlier = tuple(self.journal.trials[: trial.number])
        try:
            nested = self.steps.within(searching.config_with(self.steps.config, trial.values))
        except ConfigError as error:  # a value between the ends of a range may be none
            return self._failed(trial, error)
        limits = self._limits(earlier) if len(folds) == 1 and self.by == LOSS else ()
        while trial.state == "open":
            if trial.folds and self._hopeless(trial.folds, earlier):
                return self._keep(dataclasses.replace(trial, state="pruned"))
            try:
                trial = self._measured(nested, trial, folds, limits)
            except (Waiting, InputChanged):
                raise
            except HarnessError as error:
                if isinstance(error, EnvironmentFailure) and not isinstance(error, OutOfMemory):
                    raise
                return self._failed(trial, error)
            seconds = round(trial.seconds + sum(nested.run.seconds.values()), 3)
            nested.run.seconds.clear()
            trial = self._keep(dataclasses.replace(trial, seconds=seconds))
        return trial

    def _failed(self, trial: Trial, error: HarnessError) -> Trial:
        why = one_line(": ".join([error.placed, *error.details[:1]]), 400)
        return self._keep(dataclasses.replace(trial, state="failed", failed=why))

    def _keep(self, trial: Trial) -> Trial:
        self.journal.keep(trial)
        return trial

    def _hopeless(self, folds: tuple[float, ...], earlier: tuple[Trial, ...]) -> bool:
        with self._guard(earlier):
            answer = self.entry.instance.hopeless(folds, earlier, self.higher_is_better)
            return boundary.hopeless(answer)

    def _limits(self, earlier: tuple[Trial, ...]) -> Limits:
        with self._guard(earlier):
            answer = boundary.limits(self.entry.instance.limits(earlier))
        return tuple(zip(SHARES, answer, strict=True))

    def _guard(self, trials: Sequence[Trial]) -> PluginCall:
        """Around a call of the searcher, which is given these trials to read."""
        return self.steps.run.guard("search", self.entry, At(self.reference), lent=Lent(trials))

    def _measured(
        self, nested: Steps, trial: Trial, folds: Sequence[Fold], limits: Limits
    ) -> Trial:
        """The trial, with what its settings give on the next part, which was not learned.

        Args:
            nested: the steps of a run with these settings.
            limits: by which the training may end without a value.
        """
        part = len(trial.folds)
        of_part = f", part {part + 1} of {len(folds)}" if len(folds) > 1 else ""
        name = f"trial {trial.number + 1} of {self.options.trials}{of_part}"
        at, fold = At(self.reference, f"search, {name}", "valid"), folds[part]
        changed = searching.changed(self.steps.config, trial.values)
        base = base_for(self.steps, nested, changed)
        by_loss = self.by == LOSS
        checkpoint = nested.train(
            base, fold.learned, fold.held, at, whole_valid=by_loss, limits=limits
        )
        if by_loss:
            log = nested.training_log(checkpoint)
            trial = dataclasses.replace(trial, course=losses.at_shares(log)[: len(limits)])
            if limits and losses.ended(log):
                return dataclasses.replace(trial, state="pruned")
            value = losses.final(log)
            lacking = "the training's log has no validation loss (eval_loss)"
        else:
            value = self._score(nested, checkpoint, fold.held, fold.learned, at)
            lacking = f"its answers have no {self.by}"
        if value is None or not math.isfinite(value):
            raise PluginError(lacking if value is None else f"its {self.by} is {value}")
        state: TrialState = "done" if part + 1 == len(folds) else "open"
        return dataclasses.replace(trial, folds=(*trial.folds, value), state=state)

    def _score(
        self, nested: Steps, checkpoint: Any, held: Sequence[Example],
        learned: Sequence[Example], at: At,
    ) -> float | None:  # fmt: skip
        evaluation = nested.evaluate(checkpoint, held, at, learned=learned)
        return evaluation.scores[self.by].value

    def _found(self, folds: Sequence[Fold]) -> Search:
        trials, ended = tuple(self.journal.trials), self._ended
        best = best_of(trials, self.higher_is_better)
        if ended and best is None and not self.failures:
            self.failures.append(_all_failed(trials))
        chosen = None if best is None or not ended else trials[best]
        arm = searching.arm_of(self.steps.config, chosen.values) if chosen else None
        found = Search(
            self.by, self.higher_is_better, len(folds), sum(len(one.held) for one in folds),
            self.options.trials, trials, best, SEARCH if arm and arm.changed else "", ended,
        )  # fmt: skip
        return dataclasses.replace(found, sentence=sentence(found))

    def _say(self, trial: Trial) -> None:
        trials = self.journal.trials
        each = sum(one.seconds for one in trials) / len(trials)
        left = each * (self.options.trials - len(trials))
        later = f"; about {duration(left)} left" if left else ""
        self.steps.run.watcher.say(
            f"search, trial {trial.number + 1} of {self.options.trials}: {_told(trial, self.by)} "
            f"with {in_words(trial.values)}{later}"
        )


def best_of(trials: Sequence[Trial], higher_is_better: bool) -> int | None:
    """Number of the trial with the best value, the first of equal ones; None without any."""
    sign = -1.0 if higher_is_better else 1.0
    valued = [(sign * one.value, one.number) for one in trials if one.value is not None]
    return min(valued)[1] if valued else None


def sentence(found: Search) -> str:
    """What came of it, without a claim about which of the settings mattered."""
    tried = f"{len(found.trials)} of {found.planned} trials"
    if found.best is None:
        return f"No trial has a value after {tried}."
    best, own = found.trials[found.best], found.trials[0]
    name = "validation loss" if found.by == LOSS else found.by
    most = "highest" if found.higher_is_better else "least"
    on = f"in the mean of {found.folds} parts of train and valid" if found.folds > 1 else "on valid"
    told = f"The {most} {name} {on}, {best.value:.4g}, is that of "
    if not found.ended:
        return f"{told}trial {best.number + 1} so far, after {tried}."
    if not found.arm:
        return f"{told}the run's own settings: none of {len(found.trials)} trials was better."
    beside = "" if own.value is None else f"; the run's own settings have {own.value:.4g}"
    return (
        f"{told}trial {best.number + 1} of {len(found.trials)} ({in_words(best.values)}){beside}. "
        "It was chosen as the best of them, so only dev says whether it is better."
    )


def in_words(values: Mapping[str, Any]) -> str:
    """``train.learning_rate 0.0003, train.r 8``."""
    named = sorted(values.items())
    return ", ".join(f"{one_line(key, 60)} {one_line(str(value), 40)}" for key, value in named)


def _told(trial: Trial, by: str) -> str:
    name = "validation loss" if by == LOSS else by
    if trial.state == "failed":
        return f"failed ({trial.failed})"
    if trial.state == "pruned" and not trial.folds:
        return f"ended within its training, {name} {trial.course[-1]:.4g} on some rows"
    if trial.state == "pruned":
        return f"ended after {len(trial.folds)} parts, {name} {trial.mean:.4g}"
    return f"{name} {trial.value:.4g}"


def _all_failed(trials: Sequence[Trial]) -> PluginError:
    return PluginError(
        f"all {len(trials)} trials of the search failed, the first one with: {trials[0].failed}",
        where="search",
        hint="mend that, or search other values",
    )
