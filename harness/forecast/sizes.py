"""How long rows are: in characters, which is known at once, and in tokens, which the trainer says.

Seconds scale with characters, so no tokenizer is needed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harness.boundary import results
from harness.boundary.calls import plainly
from harness.boundary.lending import Lent
from harness.config.loading import Config
from harness.context import Context
from harness.errors import PluginError, UsageError
from harness.forecast.records import Tokens
from harness.kit.draws import spaced
from harness.records import Checkpoint, Example

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


class _Counts(NamedTuple):
    """Tokens of a row: all, those within the trainer's length limit, and the learned of these."""

    tokens: int
    kept: int
    learned: int


class Counting:
    """Counts tokens by the config's trainer, each row once.

    Attributes:
        problems: row -> why training refuses it.
        unable: why the trainer cannot count rows; empty where it can.
        unable_prompts: the same of rows without references.
    """

    def __init__(self, config: Config, base: Checkpoint, context: Context) -> None:
        self._entry, self._base, self._context = config.train, base, context
        self._known: dict[str, _Counts] = {}
        self.problems: dict[str, str] = {}
        self.unable = self.unable_prompts = ""

    def train(self, rows: Sequence[Example]) -> Tokens | None:
        """Training rows, up to the length limit."""
        try:
            found = self._counted(rows)
        except PluginError as error:
            self.unable = error.placed
            return None
        if found is None:
            return None
        return Tokens(sum(row.kept for row in found), sum(row.learned for row in found))

    def prompts(self, rows: Sequence[Example]) -> Tokens | None:
        """Prompts alone, which a trainer's length limit does not cut."""
        bare = [dataclasses.replace(row.as_asked(), id=f"prompt of {row.id}") for row in rows]
        try:
            found = None if self.unable_prompts else self._counted(bare)
        except PluginError as error:
            self.unable_prompts = error.placed
            return None
        return None if found is None else Tokens(sum(row.tokens for row in found))

    def mean(self, pool: Sequence[Example]) -> tuple[float, float] | None:
        """Tokens and learned tokens of a row of the pool, on average."""
        drawn = spaced(pool, MOST_OF_POOL)
        found = self.train(drawn) if drawn else None
        if found is None:
            return None
        return found.tokens / len(drawn), (found.learned or 0) / len(drawn)

    def _counted(self, rows: Sequence[Example]) -> list[_Counts] | None:
        """The rows as the trainer shows them; None where it cannot.

        Raises:
            PluginError: it fails at that, which need not keep it from training.
        """
        if self.unable:
            return None
        new = tuple(row for row in rows if row.id not in self._known)
        try:
            with plainly(f"{self._entry.named}, rendered()", lent=Lent(new)):
                given = self._entry.instance.rendered(self._base, new, self._context)
                for one in results.rendered(given, new) if new else ():
                    kept = len(one.tokens) - one.cut
                    self._known[one.id] = _Counts(len(one.tokens), kept, sum(one.trained[:kept]))
                    if one.problem:
                        self.problems[one.id] = one.problem
        except UsageError as error:
            # Settings that cannot be used are errors of the config, not of this trainer.
            if type(error) is not UsageError:
                raise
            self.unable = error.what
            return None
        return [self._known[row.id] for row in rows]
