"""What the model loses on fixed rows of valid and of train, at points of a training.

The rows are drawn once and are the same at every point, so that two points can be compared row by
row (:mod:`harness.verdicts.course`). They are so few that validation stays a small share of the
training's time.

:class:`Comparison` measures what makes trainings with different settings comparable: which rows it
takes, and how many, does not depend on the settings, unlike those of :class:`Validation`, which
grow with the length of a training.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from transformers import TrainerCallback

from harness_transformers.decisions import Decisions

POINTS = 8
"""Evenly spaced points; the beginning, and the ends of up to as many epochs, are further ones."""
SHARE = 0.1
"""Share of a training's time that validation is planned to take."""
COST = 0.4
"""What a row costs without gradients, beside a row that is learned.

A frozen weight takes part in one product forwards and one backwards, and the adapter, the
attention and the logits in two backwards: between a half and a third. Reckoned, not measured.
"""
MOST_ROWS = 500
"""Rows of each side; more would make the log large and the noise hardly smaller."""


def points(steps: int, per_epoch: int) -> list[int]:
    """The steps after which losses are measured, 0 (before the first) included.

    Args:
        steps: of the whole training.
        per_epoch: steps of one epoch. Where there are more than :data:`POINTS` epochs, their ends
            lie closer together than the grid and are no points.
    """
    grid = {math.ceil(place * steps / POINTS) for place in range(POINTS + 1)}
    ends = range(per_epoch, steps + 1, per_epoch)
    return sorted(grid | set(ends) if len(ends) <= POINTS else grid)


def affordable(learned: float, points: int) -> tuple[int, int]:
    """How many rows of valid, and how many of train, each point can have; at least one.

    Overfitting shows on the rows that are not learned, so these get two thirds.

    Args:
        learned: rows that pass through the training, each counted as often as it does.
    """
    each = SHARE / COST * learned / points
    return max(1, int(each * 2 / 3)), max(1, int(each / 3))


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of a data set that are measured.

    Attributes:
        of: rows that the data set has.
        batches: the rows, of similar lengths together.
    """

    of: int
    batches: Sequence[Sequence[Any]]

    @classmethod
    def drawn(cls, rows: Any, most: int, batch_size: int, seed: str) -> Sample:
        """At most ``most`` of the rows."""
        count = min(len(rows), most, MOST_ROWS)
        chosen = sorted(random.Random(seed).sample(range(len(rows)), count))
        ordered = sorted((rows[number] for number in chosen), key=lambda row: row["length"])
        starts = range(0, count, batch_size)
        return cls(len(rows), [ordered[start : start + batch_size] for start in starts])

    @property
    def rows(self) -> int:
        return sum(map(len, self.batches))


def losses(trainer: Any, side: str, sample: Sample) -> dict[str, Any]:
    """What the model loses now: per token in the mean, and each row.

    Args:
        trainer: has ``row_losses``.
        side: ``eval`` or ``train``, of which the values are named.
    """
    sums: list[float] = []
    tokens: list[int] = []
    for batch in sample.batches:
        of_batch, counts = trainer.row_losses(batch)
        sums += of_batch
        tokens += counts
    of_rows = {"of": sample.of, "losses": [round(value, 4) for value in sums], "tokens": tokens}
    return {f"{side}_loss": sum(sums) / sum(tokens), f"{side}_rows": of_rows}


def place(state: Any) -> dict[str, Any]:
    """Where in a training a line of the log stands."""
    return {"step": state.global_step, "epoch": round(state.epoch or 0.0, 4)}


class Validation(TrainerCallback):
    """Measures at the points of a training and hands each measurement on.

    Attributes:
        trainer: has ``row_losses``, ``train_dataset`` and ``eval_dataset``; without validation
            rows nothing is measured.
        write: takes the values of one line of the log.
        decisions: see each validation loss, and settle what is saved at the end.
    """

    def __init__(
        self, trainer: Any, write: Callable[..., None], decisions: Decisions | None = None
    ) -> None:
        self.trainer, self.write, self.decisions = trainer, write, decisions
        self.at: frozenset[int] = frozenset()
        self.sides: dict[str, Sample] = {}

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        if self.trainer.eval_dataset is None:
            return
        train, valid = self.trainer.train_dataset, self.trainer.eval_dataset
        per_epoch = math.ceil(len(given["train_dataloader"]) / args.gradient_accumulation_steps)
        at = points(state.max_steps, per_epoch)
        self.at = frozenset(at)
        held, learned = affordable(len(train) * state.max_steps / per_epoch, len(at))
        size = args.per_device_eval_batch_size
        self.sides["eval"] = Sample.drawn(valid, held, size, f"valid {args.seed}")
        learned = min(learned, self.sides["eval"].rows)
        self.sides["train"] = Sample.drawn(train, learned, size, f"train {args.seed}")
        if state.global_step == 0:
            self._measure(state, control)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step in self.at:
            self._measure(state, control)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.decisions is not None:
            self.decisions.settle(self.write)

    def _measure(self, state: Any, control: Any) -> None:
        values: dict[str, Any] = {}
        for side, sample in self.sides.items():
            values |= losses(self.trainer, side, sample)
        self.write(**place(state), **values)
        if self.decisions is not None:
            self.decisions.see(state, values["eval_loss"], control)


class Comparison(TrainerCallback):
    """Measures some rows of valid at shares of a training, and all of them at its end.

    Attributes:
        trainer: has ``row_losses``, ``train_dataset`` and ``eval_dataset``; without validation
            rows nothing is measured.
        write: takes the values of one line of the log.
        limits: (share of the training, loss above which it ends there; None: it goes on).
        ended: whether it ended by one of them.
    """

    def __init__(
        self,
        trainer: Any,
        write: Callable[..., None],
        limits: Sequence[tuple[float, float | None]],
    ) -> None:
        self.trainer, self.write, self.limits = trainer, write, limits
        self.ended = False
        self.at: dict[int, list[tuple[float, float | None]]] = {}
        self.sample = Sample(0, ())

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        train, valid = self.trainer.train_dataset, self.trainer.eval_dataset
        if valid is None or not self.limits:
            return
        for share, limit in self.limits:
            self.at.setdefault(math.ceil(share * state.max_steps), []).append((share, limit))
        self.at.pop(state.max_steps, None)
        # By one epoch, whatever the settings are.
        rows = affordable(len(train), len(self.limits))[0]
        self.sample = self._drawn(args, rows)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        for share, limit in self.at.get(state.global_step, ()):
            loss = losses(self.trainer, "eval", self.sample)["eval_loss"]
            self.ended = limit is not None and loss > limit
            shares = {"share": share, "share_loss": loss}
            self.write(**place(state), **shares, **({"ended": True} if self.ended else {}))
            if self.ended:
                control.should_training_stop = True
                return

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        valid = self.trainer.eval_dataset
        if valid is None or self.ended:
            return
        self.write(**place(state), **losses(self.trainer, "eval", self._drawn(args, len(valid))))

    def _drawn(self, args: Any, most: int) -> Sample:
        size = args.per_device_eval_batch_size
        return Sample.drawn(self.trainer.eval_dataset, most, size, f"valid {args.seed}")
