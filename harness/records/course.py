"""How a training went: over- and underfitting, with the numbers behind the word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CourseKind = Literal["still learning", "converged", "overfitting", "unstable"]


@dataclass(frozen=True, slots=True)
class Noisy:
    """A number with noise.

    Attributes:
        value: an estimate in nats per token.
        se: its standard error, where that is known.
    """

    value: float
    se: float | None


@dataclass(frozen=True, slots=True)
class Course:
    """What the losses of one training show.

    Attributes:
        kind: None where too little is known.
        since: epoch with the least validation loss, of *overfitting*; epoch before the loss rose,
            of *unstable*.
        sentence: the kind, or why there is none, with its numbers.
        advice: what to change; empty where nothing has to be.
        valid_rows, train_rows: rows that were measured at every point.
        valid_of: validation rows there are; None where the log does not say.
        gap: validation loss minus training loss, at the end.
        rise: validation loss at the end, minus its least value.
        slope: change of the validation loss in an epoch, over the second half of the training
            (by learning rate).
        late_share: what the second half (by learning rate) took off the validation loss, as a
            share of what all of it took off; a share, not nats.
        best_step, best_epoch: where the validation loss was least.
        kept_step: the step whose adapter was kept, where that was chosen by validation loss.
        stopped_step: where the training was stopped early.
    """

    kind: CourseKind | None
    since: float | None
    sentence: str
    advice: str = ""
    valid_rows: int = 0
    valid_of: int | None = None
    train_rows: int = 0
    gap: Noisy | None = None
    rise: Noisy | None = None
    slope: Noisy | None = None
    late_share: float | None = None
    best_step: int | None = None
    best_epoch: float | None = None
    kept_step: int | None = None
    stopped_step: int | None = None
