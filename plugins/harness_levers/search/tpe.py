"""The searcher ``optuna``: a tree-structured Parzen estimator over what was measured.

Each call makes an Optuna study in memory out of the record of trials, and draws from a seed and the
number of trials: the proposal after a kill is the one that it would have been.
"""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

import harness
from harness.errors.installing import install_extra

DIGITS = 3
"""Significant digits of a number that is drawn: a setting that people copy."""
PACKAGE = "optuna"
DRAWS = 50
"""How often a proposal is drawn again that was tried before."""
_STATES = {"done": "COMPLETE", "pruned": "PRUNED"}
"""State of a trial that is learned from -> the one that Optuna knows it by."""


# -- what a setting may be -------------------------------------------------------------------------


class Range(BaseModel):
    """``{low: 1e-5, high: 3e-3, log: true}``; whole numbers where both ends are written as such."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: int | float = Field(allow_inf_nan=False, description="least value")
    high: int | float = Field(allow_inf_nan=False, description="greatest value")
    log: bool = Field(False, description="whether ratios count, as for a learning rate")

    @model_validator(mode="after")
    def _spans(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low is {self.low} and high {self.high}: low has to be below high")
        if self.log and self.low <= 0:
            raise ValueError(f"low is {self.low}: with log: true it has to be above 0")
        return self

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    def rounded(self, value: float) -> int | float:
        """A drawn value as it is tried, within the ends."""
        if self.whole:
            return int(value)
        places = DIGITS - 1 - math.floor(math.log10(abs(value))) if value else 0
        return min(max(round(value, places), float(self.low)), float(self.high))


def parsed(values: Any) -> Range | list[Any]:
    """What stands under a key of ``over``.

    Raises:
        ValueError: it leaves nothing to choose.
    """
    if isinstance(values, Range):
        return values
    if isinstance(values, dict):
        try:
            return Range.model_validate(values)
        except ValidationError as error:
            raise ValueError("; ".join(map(_in_words, error.errors()))) from None
    if not isinstance(values, list):
        raise ValueError("a list of values is needed, or {low: 1e-5, high: 3e-3, log: true}")
    if len(values) < 2:
        raise ValueError("a list needs two values or more: there is nothing to choose")
    repeated = [value for place, value in enumerate(values) if value in values[:place]]
    if repeated:
        raise ValueError(f"{repeated[0]!r} is listed twice")
    return values


def _in_words(problem: Any) -> str:
    """An error of pydantic's."""
    where = ".".join(str(part) for part in problem["loc"] if part in Range.model_fields)
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{where}: {message[:1].lower()}{message[1:]}" if where else message


Values = Annotated[Range | list[Any], BeforeValidator(parsed)]
"""What a setting may be."""


# -- the searcher ----------------------------------------------------------------------------------


class Optuna(harness.Searcher):
    """Draws where good trials were, by Optuna's TPE sampler; ends hopeless trials early."""

    name = "optuna"
    known_as = ("tpe", "bayesian", "hyperopt")

    class Options(harness.Searcher.Options):
        """
        Attributes:
            over: dotted key -> what it may be.
        """

        over: dict[str, Values] = Field(
            min_length=1,
            description="dotted key of the config -> a list of values, or a range {low: "
            "1e-5, high: 3e-3, log: true}. With both ends whole, so are the "
            "values",
        )
        startup: int = Field(
            5,
            ge=1,
            description="trials, the first included, before any is learned from; up to "
            "there they are drawn at random",
        )
        prune: bool = Field(
            True,
            description="end a trial after a part if it is worse there than the median of "
            "the trials that came as far (`startup` of them at least)",
        )

    def check(self, settings: Mapping[str, Any]) -> Iterator[harness.Problem]:
        """The package that is not there."""
        if importlib.util.find_spec(PACKAGE) is None:
            message = f"it needs the package {PACKAGE}: {install_extra('search')}"
            yield harness.Problem(message, level="environment")

    def space(self) -> dict[str, list[Any]]:
        return {
            key: [choices.low, choices.high] if isinstance(choices, Range) else list(choices)
            for key, choices in self.options.over.items()
        }

    def propose(
        self, trials: Sequence[harness.Trial], seed: int, higher_is_better: bool
    ) -> dict[str, Any] | None:
        """Values that were not tried before; None where a space of lists is used up.

        Raises:
            EnvironmentFailure: Optuna is not installed.
        """
        tried = [dict(trial.values) for trial in trials]
        if (untried := self._left(tried)) is not None and len(untried) <= 1:
            return untried[0] if untried else None
        for draw in range(DRAWS):
            values = self._drawn(trials, _seed(seed, len(trials), draw), higher_is_better)
            if values not in tried:
                return values
        return untried[_seed(seed, len(trials), DRAWS) % len(untried)] if untried else None

    def hopeless(
        self, folds: Sequence[float], trials: Sequence[harness.Trial], higher_is_better: bool
    ) -> bool:
        """Whether a trial is worse than the median of those that came as far: the median stopping
        rule (Golovin et al. 2017, *Google Vizier: A Service for Black-Box Optimization*).

        The mean of its values so far is compared with the means of others. Parts are the same rows
        in each trial, so that a hard part is hard for all.
        """
        far = len(folds)
        others = [
            statistics.fmean(trial.folds[:far]) for trial in trials if len(trial.folds) >= far
        ]
        if not self.options.prune or len(others) < self.options.startup:
            return False
        sign = -1.0 if higher_is_better else 1.0
        return sign * statistics.fmean(folds) > sign * statistics.median(others)

    def limits(self, trials: Sequence[harness.Trial]) -> tuple[float | None, ...]:
        """For each place of a course the median loss of the trials that came as far.

        The last value counts here, not the mean of all: within a training the loss falls.
        """
        if not self.options.prune:
            return ()
        places = itertools.zip_longest(*(trial.course for trial in trials))
        losses = [[loss for loss in place if loss is not None] for place in places]
        return tuple(
            statistics.median(place) if len(place) >= self.options.startup else None
            for place in losses
        )

    def _left(self, tried: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
        """What a space of lists has left; None where a range makes it endless, or it is large."""
        over = self.options.over
        lists = [choices for choices in over.values() if not isinstance(choices, Range)]
        if len(lists) < len(over) or math.prod(map(len, lists)) > 10_000:
            return None
        grid = [dict(zip(over, values, strict=True)) for values in itertools.product(*lists)]
        return [values for values in grid if values not in tried]

    def _drawn(
        self, trials: Sequence[harness.Trial], seed: int, higher_is_better: bool
    ) -> dict[str, Any]:
        library = _optuna()
        kinds = {key: _distribution(library, choices) for key, choices in self.options.over.items()}
        sampler = library.samplers.TPESampler(seed=seed, n_startup_trials=self.options.startup)
        study = library.create_study(
            sampler=sampler, direction="maximize" if higher_is_better else "minimize"
        )
        for trial in trials:
            if (known := self._known(library, trial, kinds)) is not None:
                study.add_trial(known)
        params = study.ask(kinds).params
        return {key: self._value(key, params[key]) for key in kinds}

    def _known(self, library: Any, trial: harness.Trial, kinds: Mapping[str, Any]) -> Any:
        """A trial as Optuna has it; None where it failed, or lies outside of what is searched."""
        steps = [sum(trial.folds[:n]) / n for n in range(1, len(trial.folds) + 1)] or trial.course
        if not steps or trial.state not in _STATES:
            return None
        try:
            return library.trial.create_trial(
                state=getattr(library.trial.TrialState, _STATES[trial.state]),
                value=trial.value,
                params={key: self._place(key, trial.values[key]) for key in kinds},
                distributions=dict(kinds),
                intermediate_values=dict(enumerate(steps)),
            )
        except (KeyError, ValueError):  # Optuna refuses what lies outside of a distribution
            return None

    def _place(self, key: str, value: Any) -> Any:
        """A setting as Optuna knows it: a number of a range, or the place in a list.

        Raises:
            ValueError: it is none of the list.
        """
        choices = self.options.over[key]
        return value if isinstance(choices, Range) else choices.index(value)

    def _value(self, key: str, place: Any) -> Any:
        choices = self.options.over[key]
        return choices.rounded(place) if isinstance(choices, Range) else choices[place]


def _distribution(library: Any, choices: Range | list[Any]) -> Any:
    if not isinstance(choices, Range):
        return library.distributions.CategoricalDistribution(range(len(choices)))
    if choices.whole:
        return library.distributions.IntDistribution(choices.low, choices.high, log=choices.log)
    return library.distributions.FloatDistribution(
        float(choices.low), float(choices.high), log=choices.log
    )


def _seed(seed: int, number: int, draw: int) -> int:
    named = hashlib.sha256(f"{seed}/{number}/{draw}".encode()).digest()
    return int.from_bytes(named[:4], "big")


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise harness.EnvironmentFailure(
            f"the package {PACKAGE} is not installed", where="search", hint=install_extra("search")
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
