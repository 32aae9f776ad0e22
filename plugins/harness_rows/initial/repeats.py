"""Rows that repeat each other: one prompt twice, prompts that are nearly one, other answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness import Example
from harness.kit.draws import spaced
from harness.kit.folding import loosely
from harness_rows.prompts import COMPARED, NEAR, evened

LARGEST = 0.05
"""Largest share of the rows that one set of near-duplicates may have to be kept together."""

Watch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Repeats:
    """What is there more than once.

    Attributes:
        equal: rows whose prompt an earlier row has.
        near: prompts that are a near-duplicate of an earlier, different one.
        looked: different prompts among which these were looked for.
        conflicts: prompts whose rows have different answers.
        largest: share of the prompts in the largest set of near-duplicates.
    """

    equal: int
    near: int
    looked: int
    conflicts: int
    largest: float

    @property
    def separable(self) -> bool:
        """Whether near-duplicates can be kept together and still be dealt out."""
        return self.largest <= LARGEST


def look(rows: Sequence[Example], watch: Watch) -> Repeats:
    """The repeats among the prompts of rows."""
    from harness.kit.alike.pairs import clusters

    answers: dict[str, set[tuple[str, ...]]] = {}
    for row in rows:
        answers.setdefault(evened(row.messages), set()).add(row.references)
    prompts = list(answers)
    looked = [loosely(prompt) for prompt in spaced(prompts, COMPARED)]
    sizes = Counter(clusters(looked, NEAR, watch)) if len(looked) > 1 else Counter([0])
    return Repeats(
        equal=len(rows) - len(prompts),
        near=len(looked) - len(sizes),
        looked=len(looked),
        conflicts=sum(len(different) > 1 for different in answers.values()),
        largest=max(sizes.values(), default=1) / max(1, len(looked)),
    )
