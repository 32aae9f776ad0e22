"""The judge ``sample``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import harness
from harness import Context, Criterion, Item, Judgement, Rubric


class Sample(harness.Judge):
    """Likes long answers. Put a call of your model in place of ``_value``."""

    name = "sample"

    def rate(
        self,
        rubric: Rubric,
        items: Sequence[Item],
        context: Context,
    ) -> Iterator[Judgement]:
        for done, item in enumerate(items, start=1):
            for criterion in rubric.criteria:
                value = self._value(criterion, item)
                yield Judgement(item.id, criterion.id, value, evidence="its length")
            context.progress(done, len(items))

    def _value(self, criterion: Criterion, item: Item) -> bool | float | None:
        long, scale = len(item.answers[0].split()) > 20, criterion.scale
        if scale.kind == "binary":
            return long
        if scale.kind in ("ordinal", "number"):
            return scale.most if long else scale.least
        return None  # cannot judge


@harness.hookimpl
def register_judges() -> list[type[harness.Judge]]:
    return [Sample]
