"""How a training went: over- and underfitting in a word, and the numbers behind it in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CourseKind = Literal["still learning", "converged", "overfitting", "unstable"]


@dataclass(frozen=True, slots=True)
class Course:
    """What the losses of one training show.

    Attributes:
        kind: None where too little is known.
        since: epoch with the least validation loss, of *overfitting*; epoch before the loss rose,
            of *unstable*.
        sentence: the kind, or why there is none, with its numbers.
        advice: what to change; empty where nothing has to be.
        valid_rows: validation rows that were measured at every point.
        valid_of: validation rows there are; None where the log does not say.
    """

    kind: CourseKind | None
    since: float | None
    sentence: str
    advice: str = ""
    valid_rows: int = 0
    valid_of: int | None = None
