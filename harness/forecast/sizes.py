"""How long rows are: in characters, which is known at once, and in tokens, which the trainer says.

Seconds scale with characters, so no tokenizer is needed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from harness.boundary import results
from harness.config.loading import Config
from harness.context import Context
from harness.errors import UsageError
from harness.forecast.records import Tokens
from harness.kit.draws import spaced
from harness.records import Checkpoint, Example, Rendered

MOST_OF_POOL = 300
"""Rows of the pool whose mean stands for all of it."""


def prompt_size(row: Example) -> int:
    """Characters of the turns."""
    return sum(len(str(message.get("content") or "")) for message in row.messages)


def answer_size(row: Example) -> int:
    """Characters of the answer that is learned."""
    return len(row.references[0]) if row.references else 0


def size(row: Example) -> int:
    """Characters of a training row; at least one, so that rows can be compared."""
    return max(1, prompt_size(row) + answer_size(row))


@dataclass(frozen=True, slots=True)
class Growing:
    """What augmentation adds to a training set in one round, at most.

    Attributes:
        rows: of all augmenters.
        size: characters of a row of the pool, or of train where there is none, on average.
    """

    rows: int
    size: float


def mean_row(config: Config, train: Sequence[Example], pool: Sequence[Example]) -> Growing:
    """What the augmenters of the config add in one round."""
    rows = sum(entry.rows for entry in config.augment)
    if config.settings.plan.strategy == "none":
        rows = 0
    drawn = pool or train
    return Growing(rows, sum(map(size, drawn)) / max(1, len(drawn)))


class Counting:
    """Counts tokens by the config's trainer, each row once.

    Attributes:
        problems: row -> why training refuses it.
        unable: why the trainer cannot count; empty where it can.
    """

    def __init__(self, config: Config, base: Checkpoint, context: Context) -> None:
        self._entry, self._base, self._context = config.train, base, context
        self._known: dict[str, tuple[int, int]] = {}
        self.problems: dict[str, str] = {}
        self.unable = ""

    def train(self, rows: Sequence[Example]) -> Tokens | None:
        """Training rows, up to the length limit."""
        counted = self._counted(rows)
        if counted is None:
            return None
        return Tokens(sum(tokens for tokens, _ in counted), sum(learned for _, learned in counted))

    def prompts(self, rows: Sequence[Example]) -> Tokens | None:
        """Prompts alone."""
        bare = [dataclasses.replace(row.as_asked(), id=f"prompt of {row.id}") for row in rows]
        counted = self._counted(bare, trained=False)
        return None if counted is None else Tokens(sum(tokens for tokens, _ in counted))

    def mean(self, pool: Sequence[Example]) -> tuple[float, float] | None:
        """Tokens and learned tokens of a row of the pool, on average."""
        drawn = spaced(pool, MOST_OF_POOL)
        found = self.train(drawn) if drawn else None
        if found is None:
            return None
        return found.tokens / len(drawn), (found.learned or 0) / len(drawn)

    def _counted(
        self, rows: Sequence[Example], *, trained: bool = True
    ) -> list[tuple[int, int]] | None:
        new = [row for row in rows if row.id not in self._known]
        try:
            given = self._entry.instance.rendered(self._base, new, self._context)
            for one in results.rendered(given, new) if new else ():
                self._known[one.id] = _counts(one)
                if one.problem and trained:
                    self.problems[one.id] = one.problem
        except UsageError as error:
            # Settings that cannot be used are errors of the config, not of this trainer.
            if type(error) is not UsageError:
                raise
            self.unable = error.what
            return None
        return [self._known[row.id] for row in rows]


def _counts(row: Rendered) -> tuple[int, int]:
    kept = len(row.tokens) - row.cut
    return kept, sum(row.trained[:kept])
