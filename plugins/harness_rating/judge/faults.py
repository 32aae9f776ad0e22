"""What goes wrong between here and a model, counted and told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import harness

NOT_ASKED = "not asked any more"


class Fault(Exception):
    """A request without a reply.

    Args:
        words: which kind, in a few words; equal ones are counted together.
        again: whether another try may help.
        after: seconds that the server wants to be left alone.
    """

    def __init__(self, words: str, *, again: bool = True, after: float = 0.0) -> None:
        super().__init__(words)
        self.words, self.again, self.after = words, again, after


@dataclass
class Faults:
    """The items that could not be judged, each with its first fault."""

    where: str
    of: dict[str, str] = field(default_factory=dict)

    def add(self, item: str, words: str) -> None:
        if self.of.get(item, NOT_ASKED) == NOT_ASKED:
            self.of[item] = words

    def told(self, items: Sequence[str]) -> None:
        """One message for all.

        Raises:
            EnvironmentFailure: there is any fault.
        """
        if not self.of:
            return
        counts = Counter(self.of.values())
        # What went wrong comes before what was given up for it.
        ordered = sorted(counts.items(), key=lambda kind: (kind[0] == NOT_ASKED, -kind[1]))
        kinds = ", ".join(f"{count} x {words}" for words, count in ordered)
        raise harness.EnvironmentFailure(
            f"{len(self.of)} of {len(items)} answers could not be judged: {kinds}; what is judged "
            "is kept",
            where=self.where,
            hint="the same command asks only for the missing",
        )


@dataclass
class Breaker:
    """Stops asking where one request after another fails."""

    limit: int
    in_a_row: int = 0

    @property
    def open(self) -> bool:
        return self.in_a_row >= self.limit

    def count(self, *, fine: bool) -> None:
        self.in_a_row = 0 if fine else self.in_a_row + 1
