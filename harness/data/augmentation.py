"""From a plan to rows: takes proposals, shows each to the gate, keeps to the budget."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from harness.data.filters import RowGate
from harness.errors import STOPPING, HarnessError, PluginError, reason
from harness.errors.machine import raise_trouble
from harness.records import Dataset, Example, Growth, Plan, PlanItem
from harness.records.context import Context
from harness.stages import Augmenter
from harness.stages.augmenter import proposed

PROPOSALS_PER_ROW = 50
"""An augmenter may propose this many rows for each row of an item before it is stopped."""


@dataclass(frozen=True, slots=True)
class AugmenterPlan:
    """One entry of the config's ``augment`` list, with the plan made under its budget.

    Attributes:
        name: the entry's name in this run; becomes ``origin["by"]``.
        plan: ``plan.rows`` is the entry's budget of accepted rows.
        guard: what stands around the calls of the augmenter (see :mod:`harness.boundary.calls`).
    """

    name: str
    augmenter: Augmenter
    plan: Plan
    guard: Callable[[], AbstractContextManager[None]] = nullcontext


def collect(
    plans: Sequence[AugmenterPlan], data: Dataset, gate: RowGate, context: Context
) -> tuple[tuple[Example, ...], Growth]:
    """Carry out the plans of all entries.

    Each item gets as many *accepted* rows as it plans. What an item's supply cannot give is
    asked for again as exploration (slice None), so that a budget is missed only where the
    augmenter has nothing left. After each item the augmenter sees the data as they are then:
    train with the rows accepted so far, the pool without them.

    Args:
        data: a data set; rows other than of train and pool are withheld from augmenters.
        gate: knows dev, test, train and pool; it learns the accepted rows.
        context: ``context.seed`` goes to every augmenter; ``context.round`` is the round that
            was analysed, and is written into each row's origin.

    Returns:
        The accepted rows in order of acceptance, with ``split="train"`` and ``origin`` set
        (``{"by", "round", "slice"}``, and what the augmenter says there of a row that it made),
        and the counts. A row that was refused twice for the same reason by the same entry counts
        once; what an augmenter itself refused is counted beside it.

    Raises:
        PluginError: an augmenter raised.
        Cancelled: the user asked to stop.
    """
    work = _Collection(data, gate, context, sum(entry.plan.rows for entry in plans))
    for entry in plans:
        with entry.guard():
            missing = sum(item.rows - work.take(entry, item) for item in entry.plan.items)
            if missing:
                work.take(entry, PlanItem(None, missing, "explore", "left over from other items"))
    accepted = tuple(work.accepted)
    by = Counter(str((row.origin or {})["by"]) for row in accepted)
    refused = Counter(reason for _, _, reason in work.refused) + context.refused
    return accepted, Growth(len(accepted), dict(by), dict(sorted(refused.items())))


class _Collection:
    """The rows accepted and refused so far."""

    def __init__(self, data: Dataset, gate: RowGate, context: Context, total: int) -> None:
        self.data, self.gate, self.context, self.total = data, gate, context, total
        self.source = {row.id for row in data.examples}
        self.accepted: list[Example] = []
        self.refused: dict[tuple[str, str, str], None] = {}

    def take(self, entry: AugmenterPlan, item: PlanItem) -> int:
        """Accept up to ``item.rows`` rows for one item; returns how many it were."""
        taken = 0
        proposals = _proposals(entry, item, self._visible(), self.context)
        while taken < item.rows:
            row = next(proposals, None)
            if row is None:
                break
            if self._admit(entry.name, item, row):
                taken += 1
                self.context.progress(len(self.accepted), self.total, entry.name)
        proposals.close()
        return taken

    def _admit(self, name: str, item: PlanItem, row: Example) -> bool:
        reason = self.gate.refuse(row)
        if reason:
            self.refused[name, row.id, reason] = None
            return False
        slice_ = item.slice.words if item.slice else None
        # What an augmenter says of a row that a source gave is not believed: it did not make it.
        own = row.origin if isinstance(row.origin, Mapping) and row.id not in self.source else {}
        origin = {**own, "by": name, "round": self.context.round, "slice": slice_}
        accepted = replace(row, split="train", origin=origin)
        self.gate.accept(accepted)
        self.accepted.append(accepted)
        return True

    def _visible(self) -> Dataset:
        """Train and pool as they stand now."""
        taken = {row.id for row in self.accepted}
        pool = (row for row in self.data.split("pool") if row.id not in taken)
        return Dataset((*self.data.split("train"), *self.accepted, *pool))


def _proposals(
    entry: AugmenterPlan, item: PlanItem, data: Dataset, context: Context
) -> Generator[Example, None, None]:
    """The augmenter's rows, bounded in number, with its failures named."""
    limit = PROPOSALS_PER_ROW * item.rows
    proposals: Iterator[Example] | None = None
    for _ in range(limit):
        try:
            if proposals is None:
                proposals = proposed(entry.augmenter, item, data, context)
            row = next(proposals, None)
        except (*STOPPING, HarnessError):
            raise
        except BaseException as error:
            raise_trouble(error)
            asked = item.slice.words if item.slice else "everywhere"
            place = f"augmenter '{entry.name}' ({entry.augmenter.name}), round {context.round}"
            raise PluginError(
                f"the augmenter failed: {reason(error)}",
                where="" if entry.guard is not nullcontext else place,
                hint="correct the plugin, or take it out of `augment:`",
                details=(f"it was asked for {item.rows} rows: {asked}",),
            ) from error
        if row is None:
            return
        context.check()
        # Its own copy: what the gate has let in nobody may change afterwards.
        yield copy.deepcopy(row)
