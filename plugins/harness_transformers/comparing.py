"""What makes trainings with different settings comparable: losses on the same rows of valid.

Which rows, and how many, does not depend on the settings, unlike those of the validation
(:mod:`harness_transformers.validation`), which grow with the length of a training.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from transformers import TrainerCallback

from harness_transformers.validation import Sample, affordable, losses, place


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
        rows, _ = affordable(len(train), len(self.limits))
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
