"""The stage that proposes training rows: augmenter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from harness.boundary.results import refused, returned, short
from harness.records import (
    Dataset,
    Example,
    PlanItem,
)
from harness.records.context import Context
from harness.stages.base import Plugin


class Augmenter(Plugin):
    """Proposes training rows for one item of the plan.

    Attributes:
        remedy: what the report calls it.
        draws_from: splits without a row of which it can propose nothing.
        moves: whether each row of these is proposed once at most, so that they run out.
        writes: whether it makes rows of its own and, asked for the control arm (``context.arm``),
            proposes real ones drawn at random instead.
    """

    stage = "augmenter"
    remedy: ClassVar[str] = "add rows"
    draws_from: ClassVar[Sequence[str]] = ()
    moves: ClassVar[bool] = False
    writes: ClassVar[bool] = False

    def propose(self, item: PlanItem, data: Dataset, context: Context) -> Iterator[Example]:
        """Rows for ``item`` (its slice, or anything where ``item.slice`` is None), lazily.

        The core takes rows until the item's budget of *accepted* rows is met; so yield the
        best first, and more than the budget. ``data`` holds only train and pool. A row that
        is moved from the pool keeps its id; a new one gets an id of its own and ``parent``.
        The core sets ``split``, and in ``origin`` who made the row (``by``, ``round``, ``slice``);
        what else the augmenter says there of how it made it, in JSON values, stays; where it says
        ``replaces`` with the id of a row of train, that one leaves train. Rows that it
        made and does not propose are counted by :meth:`harness.Context.refuse`.
        """
        raise NotImplementedError


def proposed(
    augmenter: Augmenter, item: PlanItem, data: Dataset, context: Context
) -> Iterator[Example]:
    """The rows that an augmenter proposes, each with a turn."""
    rows = returned(Augmenter.propose, augmenter.propose(item, data, context))
    for place, row in enumerate(rows, start=1):
        if not row.messages:
            what = f"propose(): item {place} ('{short(row.id)}')"
            raise refused(f"{what} has no turn in its messages")
        yield row
