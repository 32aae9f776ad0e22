"""What a run answered, as candidates for rating.

Rows of dev come with stored answers, and with scores where they are needed. Rows of the pool are
drawn first, and then answered by the models of closed rounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness import DataError, Example, UsageError, Watcher, near
from harness_rating.batches.sampling import GROUP, VERDICTS, Candidate, SampleSpec, draw
from harness_rating.batches.spec import BatchSpec

if TYPE_CHECKING:
    from harness import PoolModels, RunView

FROM_DEV = "--from dev rates stored answers and needs no model"


def candidates(run: RunView, rounds: Sequence[int], split: str, strategy: str) -> list[Candidate]:
    """Every example of dev with these rounds' answers.

    Args:
        rounds: the one that is rated, perhaps followed by the one that it is compared with.
        strategy: decides which scores are looked up; what is not stored is scored now.

    Raises:
        UsageError: the run has no such round, or the split is not for rating.
        DataError: answers are gone, or were never made.
    """
    if split == "test":
        raise UsageError("the test set is sealed and cannot be rated", hint="--from dev")
    if split != "dev":
        raise UsageError(f"--from takes dev or pool, not '{split}'{near(split, ['dev', 'pool'])}")
    answers = {number: run.answers(number) for number in rounds}
    rows = run.rows(split)
    scores: Mapping[str, Sequence[float | None]] = {}
    if strategy == "disagreement":
        scores = run.values(rounds[0])
    primary: Sequence[float | None] = [None] * len(rows)
    if strategy == "worst":
        primary = run.primary_values(rounds[0])
    right: Mapping[int, Sequence[bool | None]] = {}
    if strategy == "changed":
        right = {number: run.right(number) for number in rounds}
    answered: list[Candidate] = []
    for at, row in enumerate(rows):
        texts = {number: of_round[at].text for number, of_round in answers.items()}
        values = {name: of_score[at] for name, of_score in scores.items()}
        marks = {number: of_round[at] for number, of_round in right.items()}
        answered.append(Candidate(row, texts, primary[at], values, marks))
    return answered


# -- rows of the pool ---------------------------------------------------------------------------


def pool_models(run: RunView, spec: BatchSpec) -> PoolModels:
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


def pool_rows(run: RunView, pool: PoolModels, spec: BatchSpec) -> Sequence[Example]:
    """The rows that are to be answered, in the order of the pool, so that it does not matter how
    they were drawn.

    Raises:
        DataError: too few rows are left.
    """
    if not pool.rows:
        what = "every row of the pool was trained on" if pool.trained else "the data have no pool"
        raise DataError(what, where=run.name, hint="--from dev")
    condition = "are in the pool"
    if pool.trained:
        condition = f"are left in the pool ({pool.trained} were trained on)"
    sample = SampleSpec(spec.strategy, spec.n, spec.seed, spec.by or GROUP, condition)
    unanswered = [Candidate(row, {}) for row in pool.rows]
    chosen = {candidate.example.id for candidate in draw(unanswered, sample)}
    return tuple(row for row in pool.rows if row.id in chosen)


def pool_candidates(pool: PoolModels, rows: Sequence[Example], watcher: Watcher) -> list[Candidate]:
    """The rows with each model's answers, made now where they are not stored."""
    answers = pool.answer(rows, watcher)
    return [
        Candidate(row, {number: of_round[at].text for number, of_round in answers.items()})
        for at, row in enumerate(rows)
    ]
