"""A few of the worst answers on dev, for the summary."""

from __future__ import annotations

from collections.abc import Sequence

from harness.kit.documents import as_document, finite
from harness.kit.text import one_line, plain
from harness.kit.worddiff import closest
from harness.records import ErrorLabel, ScoredExample
from harness.records.summary import LONGEST_TEXT, ShownExample


def instructive(
    scored: Sequence[ScoredExample],
    labels: Sequence[ErrorLabel],
    *,
    score: str,
    higher_is_better: bool,
    count: int = 6,
) -> tuple[ShownExample, ...]:
    """A few of the worst dev examples, first one of each kind of error and each group.

    Rows of the test split are never taken. Ties go by id, so the choice is repeatable.
    """
    kinds: dict[str, list[str]] = {}
    for label in labels:
        kinds.setdefault(label.example_id, []).append(label.category)

    def badness(row: ScoredExample) -> tuple[float, str]:
        value = row.values[score] or 0.0
        return (value if higher_is_better else -value), row.example.id

    usable = (
        row
        for row in scored
        if row.example.split != "test" and finite(row.values.get(score)) is not None
    )
    ranked = sorted(usable, key=badness)
    chosen: list[ScoredExample] = []
    seen: set[str] = set()
    later: list[ScoredExample] = []
    for row in ranked:
        traits = {f"error {kind}" for kind in kinds.get(row.example.id, [])[:1]} or {"no error"}
        traits |= {f"group {row.example.group}"} if row.example.group else set()
        (later if traits & seen else chosen).append(row)
        seen |= traits
    best = sorted([*chosen[:count], *later[: max(0, count - len(chosen))]], key=badness)
    return tuple(_example(row, kinds.get(row.example.id, []), score) for row in best)


def _example(row: ScoredExample, kinds: Sequence[str], score: str) -> ShownExample:
    example, answer = row.example, row.prediction
    return as_document(
        ShownExample,
        example,
        prompt=plain(example.prompt, LONGEST_TEXT),
        reference=plain(closest(example.references, answer.text), LONGEST_TEXT),
        answer=plain(answer.text, LONGEST_TEXT),
        score=finite(row.values[score]),
        finish_reason=one_line(answer.finish_reason, 40),
        errors=tuple(one_line(kind, 80) for kind in dict.fromkeys(kinds)),
    )
