"""Seconds of a run's trainings and answers, from what was measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from harness.forecast.beside import Beside
from harness.forecast.listing import DEV, TRAIN, Item
from harness.forecast.rates import Rates, mean_answer
from harness.forecast.records import OWN, PlannedWork
from harness.records import Dataset


class Costs:
    """What each training and each answering costs.

    A probe says it in detail. Without one, the last stage of the same kind that this run has
    stored says what a character of its rows costs, start-up included.
    """

    def __init__(self, items: Sequence[Item], data: Dataset, rates: Rates | None) -> None:
        self._rates = rates
        self._learned = mean_answer(data.split("train"))
        self._own: dict[str, float] = {}
        for item in items:
            if item.took is not None and item.rows:
                kind = TRAIN if item.stage == TRAIN else DEV
                self._own[kind] = item.took / item.passed

    @property
    def measured(self) -> str:
        """Where it comes from."""
        return self._rates.at if self._rates else OWN

    def timed(self, item: Item, work: PlannedWork) -> PlannedWork:
        """The work with its seconds, where it is not stored and they are known."""
        if item.took is not None:
            return work
        return dataclasses.replace(work, seconds=self.of(item))

    def of(self, item: Item) -> float | None:
        """Seconds of making it; None where nothing is measured."""
        if self._rates is None:
            own = self._own.get(TRAIN if item.stage == TRAIN else DEV)
            return None if own is None else round(own * item.passed, 1)
        if item.stage == TRAIN:
            return round(self._rates.train.seconds(item.passed), 1)
        answering = self._rates.tuned if item.tuned else self._rates.base
        learned = self._learned if item.tuned else None
        return round(answering.seconds(item.rows, learned), 1)

    def beside(self, found: Beside) -> float | None:
        """Seconds of what is trained beside the rounds; None where it takes another time."""
        each = [(times, self.of(item)) for times, item in found.work]
        known = [times * one for times, one in each if one is not None]
        if found.moved or len(known) < len(each):
            return None
        return round(sum(known), 1)

    def seconds(self, items: Sequence[Item], beside: Sequence[Beside] = ()) -> float | None:
        """Of all that is not stored, with what comes before; scoring and reports come on top.

        What takes another time than the rounds is not in it.
        """
        left = [self.of(item) for item in items if item.took is None]
        left += [self.beside(one) for one in beside if not one.moved]
        known = [one for one in left if one is not None]
        if len(known) < len(left):
            return None
        begin = self._rates.begin if self._rates and left else 0.0
        return round(sum(known) + begin, 1)
