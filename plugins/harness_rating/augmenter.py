"""The augmenter ``better-answers``: what raters would have answered to rows of the pool."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

import harness
from harness import Context, Dataset, Example, PlanItem
from harness.kit.features import addresses

if TYPE_CHECKING:
    from harness import Correction


class BetterAnswers(harness.Augmenter):
    """Proposes rows of the pool with the better answer that a rater typed.

    The new row asks what the pool's row asks and teaches the typed text; several texts for one
    row become its references, the oldest first. Answers to which they were preferred are its
    rejected ones, which a trainer such as ``preference`` learns to avoid. Those for rows of dev
    are passed over. Rows are proposed in the order of the file, which is that of typing.
    """

    name = "better-answers"
    draws_from = ("pool",)
    remedy = "learn answers that raters corrected"

    class Options(harness.Options):
        file: Path = Field(description="what `harness rate accept` wrote")

    options: Options

    def inputs(self) -> Sequence[Path]:
        """The accepted corrections."""
        return (self.options.file,)

    def propose(self, item: PlanItem, data: Dataset, context: Context) -> Iterator[Example]:
        """The corrected rows that fall under the item's slice and are not in train yet.

        Raises:
            DataError: the file is none, or a row asks something else than when it was rated.
        """
        from harness import check_fits

        conditions = item.slice.conditions if item.slice else ()
        pool = {row.id: row for row in data.split("pool")}
        trained = {row.id for row in data.split("train")}
        for name, corrections in self._typed().items():
            row = pool.get(name)
            if row is None:
                context.log.info("%s is no row of the pool (any more)", name)
                continue
            for correction in corrections:
                check_fits(correction, row)
            proposal = _answered(row, corrections)
            if not (proposal.references or proposal.rejected):
                continue  # what some preferred, others rejected
            if proposal.id not in trained and addresses(conditions, row):
                yield proposal

    def _typed(self) -> dict[str, list[Correction]]:
        """Row of the pool -> what was typed for it."""
        from harness import read_corrections

        typed: dict[str, list[Correction]] = defaultdict(list)
        for correction in read_corrections(self.options.file):
            if correction.split == "pool":
                typed[correction.example_id].append(correction)
        return typed


def _answered(row: Example, corrections: Sequence[Correction]) -> Example:
    """The row under a name of its own, with the typed answers; its place is where they stand."""
    texts = tuple(
        dict.fromkeys(correction.reference for correction in corrections if correction.reference)
    )
    rejected = dict.fromkeys(
        text for correction in corrections for text in correction.rejected if text not in texts
    )
    return replace(
        row, id=f"{row.id}~better", references=texts, rejected=tuple(rejected), thought="",
        parent=row.id, origin=None, place=corrections[0].place,
    )  # fmt: skip
