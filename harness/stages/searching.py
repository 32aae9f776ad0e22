"""The stage that proposes settings: searcher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from harness.records.searching import Trial
from harness.stages import base
from harness.stages.base import Plugin


class Searcher(Plugin):
    """Proposes settings to try beside the rounds, by what was measured so far.

    The record of trials is all that it knows: each method is a function of its arguments and of
    the options, so that a search that was killed goes on as it would have gone.
    """

    stage = "searcher"

    class Options(base.Options):
        """What every search has; a searcher's own options come on top."""

        trials: int = Field(
            12, ge=2, le=1000, description="trials, the run's own settings being the first"
        )
        by: str = Field("loss", description="the validation loss, or a score of the answers")
        folds: int = Field(
            3, ge=2, le=20, description="parts of train and valid where valid has too few rows"
        )
        seed: int | None = Field(None, ge=0, description="of what is drawn; null: the run's")

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
            trials: all so far, in order; each of them has ended. The first one has the run's own
                values, which may lie outside of the space.
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
