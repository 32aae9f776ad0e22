"""The stage that rates as people do: judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.boundary.results import refused, returned
from harness.records.context import Context
from harness.records.rubrics import Item, Judgement, Rubric
from harness.stages.base import Plugin, signature_of


class Judge(Plugin):
    """A model that rates items by a rubric, as raters do.

    What it says is kept apart from what people say, and is called *uncalibrated* until enough
    ratings by people agree with it.
    """

    stage = "judge"

    def signature(self) -> str:
        """What decides what it says (the model above all); judgements are kept by it."""
        return signature_of(self)

    def rate(self, rubric: Rubric, items: Sequence[Item], context: Context) -> Iterator[Judgement]:
        """One judgement for each criterion that is asked of each item, in any order.

        Each is kept as soon as it is yielded. A criterion of which the model says nothing that
        can be read has a judgement with an ``error``, never a value. What could not be asked
        (a service that fails) is left out, and told at the end by raising.

        Raises:
            harness.errors.EnvironmentFailure: some items could not be judged.
        """
        raise NotImplementedError


def rated(judge: Judge, rubric: Rubric, items: Sequence[Item], context: Context) -> list[Judgement]:
    """What a judge says, where it says it once of each criterion of each item."""
    due = {(item.id, criterion.id) for item in items for criterion in rubric.criteria}
    judgements = []
    for judgement in returned(Judge.rate, judge.rate(rubric, items, context)):
        place = (judgement.item, judgement.criterion)
        if place not in due:
            raise refused(f"rate() judges {place}, which it was not asked or has said before")
        due.remove(place)
        judgements.append(judgement)
    if due:
        left = len({item for item, _ in due})
        raise refused(f"rate() leaves {left} of {len(items)} items without a judgement")
    return judgements
