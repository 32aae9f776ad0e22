"""Rows of the pool for rating: drawn first, then answered by the models of closed rounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness import DataError, Example, UsageError, Watcher
from harness_rating.batches.candidates import text
from harness_rating.batches.sampling import GROUP, VERDICTS, Candidate, Wanted, draw
from harness_rating.batches.spec import BatchSpec

if TYPE_CHECKING:
    from harness import PoolModels, RunView

FROM_DEV = "--from dev rates stored answers and needs no model"


def models(run: RunView, spec: BatchSpec) -> PoolModels:
    """The models of a batch's rounds; nothing is made. Hold the run's lock.

    Raises:
        UsageError: the strategy looks at answers, or a round is not closed.
        DataError: a model is not stored any more.
    """
    if spec.strategy not in VERDICTS:
        raise UsageError(
            f"--strategy {spec.strategy} looks at answers, and nobody has answered the rows of "
            "the pool yet",
            hint=f"--strategy {' or '.join(VERDICTS)}, or --from dev",
        )
    return run.pool(spec.rounds, FROM_DEV)


def drawn(run: RunView, pool: PoolModels, spec: BatchSpec) -> Sequence[Example]:
    """The rows that are to be answered, in the order of the pool, so that it does not matter how
    they were drawn.

    Raises:
        DataError: too few rows are left.
    """
    if not pool.rows:
        what = "every row of the pool was trained on" if pool.trained else "the data have no pool"
        raise DataError(what, where=run.name, hint="--from dev")
    what_is_left = "are in the pool"
    if pool.trained:
        what_is_left = f"are left in the pool ({pool.trained} were trained on)"
    wanted = Wanted(spec.strategy, spec.n, spec.seed, spec.by or GROUP, what_is_left)
    chosen = {
        candidate.example.id
        for candidate in draw([Candidate(row, {}) for row in pool.rows], wanted)
    }
    return tuple(row for row in pool.rows if row.id in chosen)


def answered(pool: PoolModels, rows: Sequence[Example], watcher: Watcher) -> list[Candidate]:
    """The rows with each model's answers, made now where they are not stored."""
    answers = pool.answer(rows, watcher)
    return [
        Candidate(
            row, {number: text(predictions[place]) for number, predictions in answers.items()}
        )
        for place, row in enumerate(rows)
    ]
