"""What goes wrong between here and a model, counted and told once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.errors import EnvironmentFailure

NOT_ASKED = "not asked any more"


class Fault(Exception):
    """A request without an answer.

    Args:
        words: which kind, in a few words; equal ones are counted together.
        again: whether another try may help.
        after: seconds that the server wants to be left alone.
        free: whether it surely cost nothing: no model worked for it.
    """

    def __init__(
        self, words: str, *, again: bool = True, after: float = 0.0, free: bool = False
    ) -> None:
        super().__init__(words)
        self.words, self.again, self.after, self.free = words, again, after, free


@dataclass
class Faults:
    """The items that got no answer, each with its first fault.

    Attributes:
        where: whom it is about.
        undone: what did not happen: ``answers could not be judged``.
        kept: whether the answers that came are kept for the next attempt.
    """

    where: str
    undone: str
    kept: bool = True
    of: dict[str, str] = field(default_factory=dict)

    def add(self, item: str, words: str) -> None:
        if self.of.get(item, NOT_ASKED) == NOT_ASKED:
            self.of[item] = words

    def check(self, total: int) -> None:
        """One message for all of so many items.

        Raises:
            EnvironmentFailure: there is any fault.
        """
        if not self.of:
            return
        counts = Counter(self.of.values())
        # What went wrong comes before what was given up for it.
        ordered = sorted(counts.items(), key=lambda kind: (kind[0] == NOT_ASKED, -kind[1]))
        kinds = ", ".join(f"{count} x {words}" for words, count in ordered)
        raise EnvironmentFailure(
            f"{len(self.of)} of {total} {self.undone}: {kinds}"
            + ("; the others are kept" if self.kept else ""),
            where=self.where,
            hint=f"the same command asks {'only for the missing' if self.kept else 'all again'}",
        )
