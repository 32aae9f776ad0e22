"""The stage that proposes settings: searcher, and what its answers have to be."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from harness.errors import PluginError
from harness.kit.options import Options
from harness.kit.text import given, one_line
from harness.records.searching import Trial
from harness.stages.base import Plugin

LONGEST = 200
"""Values that a searcher names of one key; a range is told by its ends."""
NAME = 60
"""Characters of a key in a message."""


class Searcher(Plugin):
    """Proposes settings to try beside the rounds, by what was measured so far.

    The record of trials is all that it knows: each method is a function of its arguments and of
    the options, so that a search that was killed goes on as it would have gone.

    Attributes:
        shares: of a training's steps, after which trials are compared while they are trained.
    """

    stage = "searcher"
    shares: ClassVar[tuple[float, ...]] = (0.25, 0.5, 0.75)

    class Options(Options):
        """What every search has; a searcher's own options come on top."""

        trials: int = Field(
            12,
            ge=2,
            le=1000,
            description="trials, the run's own settings being the first (2 to 1,000)",
        )
        by: str = Field(
            "loss",
            description="the validation loss, or the name of a score of the answers, such "
            "as the primary one",
        )
        folds: int = Field(
            3,
            ge=2,
            le=20,
            description="parts of train and valid, held out in turn, where valid has fewer "
            "than 100 rows (2 to 20)",
        )
        seed: int | None = Field(None, ge=0, description="of what is drawn; `null`: the run's")
        parallel: int = Field(
            1,
            ge=1,
            le=256,
            description="trials at work at a time: each is proposed out of those so many places "
            "before it (1 to 256); part of what makes the search the same one ([jobs](jobs.md))",
        )

    def space(self) -> Mapping[str, Sequence[Any]]:
        """Dotted key of the config -> values that it may get: all of a list, the ends of a range.

        Two numbers are the ends of a range, of whole numbers where both are whole. The core tries
        each before anything is trained. Asked before :meth:`check`.
        """
        raise NotImplementedError

    def propose(
        self, trials: Sequence[Trial], seed: int, higher_is_better: bool
    ) -> Mapping[str, Any] | None:
        """The values of the next trial, each within the space; None: nothing is left.

        Args:
            trials: all so far, in order; the first one has the run's own values, which may lie
                outside of the space. Each has ended, but for those that are tried beside the next
                one (``parallel``), the last ones: these are open, and have no value.
            seed: the same one for the whole search.

        Raises:
            harness.errors.EnvironmentFailure: a package is missing.
        """
        raise NotImplementedError

    def hopeless(
        self, folds: Sequence[float], trials: Sequence[Trial], higher_is_better: bool
    ) -> bool:
        """Whether a trial with these values of its first folds need not be finished. Optional.

        Args:
            trials: those that have ended; their folds are the same rows in the same order.
        """
        return False

    def limits(self, trials: Sequence[Trial]) -> Sequence[float | None]:
        """Validation losses above which the next trial's only training need not go on. Optional.

        Args:
            trials: those that have ended; ``course`` has the losses of each.

        Returns:
            One for each place of a ``course``, or for the first of them; None: it goes on whatever
            its loss is.
        """
        return ()


class CheckedSearcher:
    """A searcher, each of whose answers is checked: whatever uses one calls it by this.

    Raises:
        PluginError: an answer is none that the contract allows.
    """

    def __init__(self, searcher: Searcher) -> None:
        self.searcher = searcher

    def space(self) -> dict[str, tuple[Any, ...]]:
        """Dotted key -> values that it may get."""
        return _space(self.searcher.space())

    def propose(
        self, trials: Sequence[Trial], seed: int, higher_is_better: bool
    ) -> dict[str, Any] | None:
        """The values of a trial, within the space; None where nothing is left to try."""
        values = self.searcher.propose(trials, seed, higher_is_better)
        return _proposal(values, self.space())

    def hopeless(
        self, folds: Sequence[float], trials: Sequence[Trial], higher_is_better: bool
    ) -> bool:
        return _hopeless(self.searcher.hopeless(folds, trials, higher_is_better))

    def limits(self, trials: Sequence[Trial]) -> tuple[float | None, ...]:
        """Losses above which a trial ends, one for each share of its training."""
        return _limits(self.searcher.limits(trials))


def _space(values: Any) -> dict[str, tuple[Any, ...]]:
    """Dotted key -> values that it may get."""
    if not isinstance(values, Mapping) or not values:
        raise _wrong(f"space() is {given(values)}, where a mapping of keys to values is due")
    space = {}
    for key, several in values.items():
        listed = isinstance(several, Sequence) and not isinstance(several, str)
        if not isinstance(key, str) or not listed:
            raise _wrong(f"space() has {given(several)} under {given(key)}, not a list of values")
        if len(several) > LONGEST:
            raise _wrong(
                f"space() names {len(several)} values of '{one_line(key, NAME)}', over {LONGEST}"
            )
        space[key] = tuple(_plain(value, f"space(): '{one_line(key, NAME)}'") for value in several)
    return space


def _proposal(values: Any, allowed: Mapping[str, Sequence[Any]]) -> dict[str, Any] | None:
    """The values of a trial; None where nothing is left to try.

    Args:
        allowed: what :meth:`Searcher.space` gave. Two numbers are the ends of a range, of whole
            numbers where both are whole; of anything else a value is one of the list.
    """
    if values is None:
        return None
    if not isinstance(values, Mapping) or set(values) != set(allowed):
        raise _wrong(f"propose() is {given(values)}, where a value of each key of space() is due")
    proposal = {key: _plain(values[key], f"propose(): '{one_line(key, NAME)}'") for key in allowed}
    for key, value in proposal.items():
        if not _lies_in(value, allowed[key]):
            due = _in_words(allowed[key])
            raise _wrong(
                f"propose(): '{one_line(key, NAME)}' is {given(value)}, where {due} is due"
            )
    return proposal


def _lies_in(value: Any, allowed: Sequence[Any]) -> bool:
    if any(type(choice) is type(value) and choice == value for choice in allowed):
        return True
    if not _is_range(allowed) or not _is_number(value):
        return False
    whole = all(isinstance(choice, int) for choice in allowed)
    return bool(min(allowed) <= value <= max(allowed) and (value == int(value) or not whole))


def _is_range(allowed: Sequence[Any]) -> bool:
    return len(allowed) == 2 and all(map(_is_number, allowed))


def _in_words(allowed: Sequence[Any]) -> str:
    if _is_range(allowed):
        return f"a number from {min(allowed)} to {max(allowed)}"
    return f"one of the {len(allowed)} values that space() names"


def _hopeless(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(f"hopeless() is {given(value)}, where True or False is due")
    return value


def _limits(values: Any) -> tuple[float | None, ...]:
    """Losses above which a trial ends, one for each share of its training."""
    due = f"at most {len(Searcher.shares)} of numbers and None"
    if (
        not isinstance(values, Sequence)
        or isinstance(values, str)
        or len(values) > len(Searcher.shares)
    ):
        raise _wrong(f"limits() is {given(values)}, where a sequence of {due} is due")
    for limit in values:
        if limit is not None and not _is_number(limit):
            raise _wrong(f"limits() has {given(limit)}, where {due} are due")
    lacking = (None,) * (len(Searcher.shares) - len(values))
    return (*(None if limit is None else float(limit) for limit in values), *lacking)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _plain(value: Any, what: str) -> Any:
    """A value as JSON holds it."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise _wrong(f"{what} is {given(value)}, which JSON cannot hold") from None


def _wrong(what: str) -> PluginError:
    return PluginError(what, hint="correct the plugin")


TRIALS = 6
"""Of a search that is only tried out."""


def exercise_searcher(searcher: Searcher, seed: int) -> list[Trial]:
    """The first trials of a search, with measurements that are made up.

    A search that was killed asks again, so the same record has to give the same trial.
    """
    if not issubclass(type(searcher).Options, Searcher.Options):
        raise _wrong(
            "its Options lack those of a search: derive them from harness.Searcher.Options, which "
            "has trials, by, folds and seed"
        )
    asked, again = CheckedSearcher(searcher), CheckedSearcher(type(searcher)(searcher.options))
    trials = [Trial(0, {}, (1.0, 1.0), "done")]
    while len(trials) < TRIALS:
        values = asked.propose(tuple(trials), seed, False)
        if values != again.propose(tuple(trials), seed, False):
            raise _wrong(
                f"trial {len(trials)}: one record gives two proposals, which have to be computed "
                "from the arguments and the options"
            )
        if values is None:
            break
        trials.append(Trial(len(trials), values, (1.0 + 1 / len(trials),) * 2, "done"))
    asked.hopeless((9.0,), tuple(trials), False)
    measured = Trial(TRIALS, {}, (1.0,), "done", course=(3.0, 2.0, 1.5))
    asked.limits((*trials, measured))
    return trials[1:]
