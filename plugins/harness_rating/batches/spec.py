"""What a batch is to be, as it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from harness import Rubric, UsageError, near
from harness_rating.batches.records import SETTLED
from harness_rating.batches.sampling import STRATEGIES
from harness_rating.ratings.events import RATER, RATER_RULE

OVERLAP = 0.3
REPEATS = 0.05


@dataclass(frozen=True, slots=True)
class BatchSpec:
    """What a batch is to be.

    Attributes:
        round: whose answers are rated.
        versus: the round that it is compared with, blindly and in the same batch.
        n: examples.
        by: stratum of ``stratified``: ``group`` or a field of the examples' meta.
        raters: who rates.
        overlap: share of the examples that ``several`` raters get; None is 0.3, or 0 where
            there is one rater.
        repeats: share of a rater's items that come a second time, unannounced.
    """

    rubric: Rubric
    run: str
    round: int
    raters: tuple[str, ...]
    versus: int | None = None
    split: str = "dev"
    n: int = 60
    strategy: str = "random"
    by: str | None = None
    overlap: float | None = None
    several: int = 2
    repeats: float = REPEATS
    seed: int = 0

    @property
    def rounds(self) -> tuple[int, ...]:
        return (self.round,) if self.versus is None else (self.round, self.versus)

    @property
    def share(self) -> float:
        """The overlap that is meant."""
        default = OVERLAP if len(self.raters) > 1 else 0.0
        return default if self.overlap is None else self.overlap

    def check(self) -> None:
        """Raises UsageError for what cannot be meant, whatever the run holds."""
        for rater in self.raters:
            _check_name(rater)
        if not self.raters or len(set(self.raters)) < len(self.raters):
            raise UsageError("--raters takes one name or more, each once", hint="--raters ana,bo")
        if self.strategy not in STRATEGIES:
            guess, strategies = near(self.strategy, list(STRATEGIES)), ", ".join(STRATEGIES)
            raise UsageError(f"there is no strategy '{self.strategy}'{guess}", hint=strategies)
        if self.by is not None and self.strategy != "stratified":
            raise UsageError("--by names the strata of --strategy stratified")
        self._check_numbers()
        self._check_rounds()

    def _check_numbers(self) -> None:
        if self.n < 1:
            raise UsageError(f"-n takes a number of examples, not {self.n}")
        if not 0 <= self.share <= 1 or not 0 <= self.repeats <= 0.5:
            raise UsageError("--overlap takes a share from 0 to 1, --repeats one from 0 to 0.5")
        if self.several < 2:
            raise UsageError("an example that several rate has two raters or more")
        if self.share > 0 and 1 < len(self.raters) < self.several:
            raise UsageError(
                f"--several {self.several} needs as many raters, and there are {len(self.raters)}",
                hint=f"name more raters, or --several {len(self.raters)}",
            )
        if self.share > 0 and len(self.raters) < 2:
            raise UsageError(
                f"--overlap {self.share:g} needs two raters, and there is one",
                hint="name another rater, or --overlap 0 (then no agreement can be computed)",
            )

    def _check_rounds(self) -> None:
        if self.versus == self.round:
            raise UsageError(f"round {self.round} cannot be compared with itself")
        if self.rubric.pairwise and self.versus is None:
            raise UsageError(
                f"rubric {self.rubric.id} compares two answers, and one round is given",
                hint="--vs J names the round to compare with",
            )
        if self.strategy == "changed" and self.versus is None:
            raise UsageError("what changed is known between two rounds", hint="--vs J")


def _check_name(rater: str) -> None:
    if not RATER.fullmatch(rater):
        raise UsageError(f"--raters: {rater!r} cannot be a name", hint=f"use {RATER_RULE}")
    if rater.startswith(SETTLED):
        raise UsageError(
            f"--raters: {rater!r} cannot be a rater's name",
            hint=f"names that begin with {SETTLED} are those of adjudicators",
        )
