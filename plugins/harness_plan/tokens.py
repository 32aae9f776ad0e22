"""Rows as tokens, counted by the trainer itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import harness
from harness.kit.draws import spaced
from harness.kit.numbers import counted
from harness_plan.listing import TRAIN, Item
from harness_plan.records import Remark

MOST_OF_POOL = 300
"""Rows of the pool whose mean stands for all of it."""
TOKENS, OF_PROMPTS = "tokens", "tokens of prompts"
"""What may be unknown: all of them, or those of rows without references alone."""


class _Counts(NamedTuple):
    """Tokens of a row: all, those within the trainer's length limit, and the learned of these."""

    tokens: int
    within: int
    learned: int


class Counting:
    """Counts tokens, each row once.

    Attributes:
        problems: row -> why training refuses it.
    """

    def __init__(self, run: harness.PlannedRun) -> None:
        self._run = run
        self._known: dict[str, _Counts] = {}
        self.problems: dict[str, str] = {}
        self._unable: dict[str, str] = {}
        """What the trainer cannot count -> why."""
        self._general = run.general()
        self._count(TOKENS, [*run.rows("valid"), *self._general])

    def of(self, item: Item) -> tuple[int | None, int | None]:
        """Tokens of the rows of an item, and how many of them the loss sees; None if not known.

        Rows that may be added have those of the mean row of the pool.
        """
        if item.stage != TRAIN:
            # A length limit of training does not cut prompts.
            bare = [dataclasses.replace(row.as_asked(), id=f"prompt of {row.id}")
                    for row in item.rows]  # fmt: skip
            prompts = self._count(OF_PROMPTS, bare)
            return (None if prompts is None else sum(row.tokens for row in prompts)), None
        counts = self._count(TOKENS, item.rows)
        if counts is None:
            return None, None
        drawn = spaced(self._run.rows("pool"), MOST_OF_POOL) if item.more else ()
        mean = self._count(TOKENS, drawn) or counts
        more = item.more / len(mean) if item.more else 0
        within = sum(row.within for row in counts) + round(more * sum(row.within for row in mean))
        learned = sum(r.learned for r in counts) + round(more * sum(r.learned for r in mean))
        return within, learned

    @property
    def refused(self) -> dict[str, str]:
        """Row that a training of the plan meets -> why it refuses it."""
        names = {row.id for name in ("train", "valid") for row in self._run.rows(name)}
        names |= {row.id for row in self._general}
        return {name: why for name, why in self.problems.items() if name in names}

    def remarks(self) -> Iterator[Remark]:
        """What training would refuse, and what cannot be counted."""
        for what in (TOKENS, OF_PROMPTS):
            if what in self._unable:
                yield Remark("note", f"{what} are not known: {self._unable[what]}")
                break
        if refused := self.refused:
            name, why = next(iter(refused.items()))
            rows = counted(len(refused), "row")
            yield Remark("problem", f"training refuses {rows}, as '{name}': {why}; harness check")

    def _count(self, what: str, rows: Sequence[harness.Example]) -> list[_Counts] | None:
        """The rows as the trainer shows them; None where it cannot, which is noted."""
        if what in self._unable or TOKENS in self._unable:
            return None
        new = tuple(row for row in rows if row.id not in self._known)
        try:
            for row in self._run.rendered(new) if new else ():
                within = len(row.tokens) - row.cut
                learned = sum(row.trained[:within])
                self._known[row.id] = _Counts(len(row.tokens), within, learned)
                if row.problem:
                    self.problems[row.id] = row.problem
        except harness.PluginError as error:  # which need not keep it from training
            self._unable[what] = error.placed
            return None
        except harness.UsageError as error:
            # Settings that cannot be used are errors of the config, not of this trainer.
            if type(error) is not harness.UsageError:
                raise
            self._unable[TOKENS] = error.what
            return None
        return [self._known[row.id] for row in rows]
