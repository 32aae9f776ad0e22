"""A training that is interrupted goes on after its last checkpoint, to the same bytes.

What makes the rest of a training: the trained weights, the optimizer and the schedule, the random
states of Python, NumPy and torch, where in the data's order it is, the log so far, and what other
parts of it remember. The frozen base model is loaded as at a training's beginning.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import safetensors.torch
import torch
from transformers import TrainerCallback

import harness
from harness_transformers.checkpoints import Checkpoints, write_tensors
from harness_transformers.ranks.exchange import Ranks
from harness_transformers.state import random_states, set_random_states, trained

WEIGHTS = "trained.safetensors"
STATE, OPTIMIZER, SCHEDULER = "trainer_state.json", "optimizer.pt", "scheduler.pt"
"""The names under which transformers' Trainer looks for them in the folder that it is handed."""
RANDOM, ORDER = "random.pt", "order.pt"
"""The states of all generators, and that of torch's at the epoch's beginning, which made the order
of its rows."""


class Remembering(Protocol):
    """A part of a training with a state of its own."""

    def keep(self, folder: Path) -> None:
        """Write the state into a checkpoint's folder, draw no random number."""

    def recall(self, folder: Path) -> None:
        """Take the state that :meth:`keep` wrote."""


def train(trainer: Any, context: harness.Context, belongs: Mapping[str, Any]) -> None:
    """Train, from the newest checkpoint in the context's scratch if one verifies.

    Args:
        trainer: a Trainer with ``remembering``, the parts of the training with states of their own.
        belongs: see :class:`Checkpoints`.
    """
    if context.scratch is None:
        trainer.train()
        return
    checkpoints = Checkpoints(context.scratch, belongs, context.say)
    ranks = trainer.ranks
    newest = ranks.agreed(checkpoints.newest() if ranks.first else None)
    trainer.add_callback(Saving(trainer, checkpoints, newest, context))
    trainer.train(resume_from_checkpoint=newest and str(newest))


class Saving(TrainerCallback):
    """Writes a checkpoint when one is due, or when the user asks to stop.

    The Trainer calls it last, after the parts that it saves. At the end of an epoch it waits for
    the other callbacks' ``on_epoch_end``, which a training that goes on does not call again.

    Args:
        found: the checkpoint that the training goes on from.
    """

    def __init__(
        self, trainer: Any, checkpoints: Checkpoints, newest: Path | None, context: harness.Context
    ) -> None:
        self.trainer, self.kept, self.found, self.context = trainer, checkpoints, newest, context
        self.ranks: Ranks = trainer.ranks
        self.last = time.monotonic()
        self.failed = False
        self.order = torch.get_rng_state()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.last = time.monotonic()
        if self.found is not None:
            for part in self.trainer.remembering:
                part.recall(self.found)
            steps = f"step {state.global_step:,} of {state.max_steps:,}"
            self.context.say(f"training goes on after {steps}, from its last checkpoint")

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.found is not None:
            # The order of the rows is drawn next. The Trainer skips those that were learned, and
            # sets the random states of the checkpoint after that.
            torch.set_rng_state(torch.load(self.found / ORDER))
            self.found = None
        self.order = torch.get_rng_state()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """After each step, once its loss is in the log."""
        if "loss" in (logs or {}) and not float(state.epoch).is_integer():
            self._save_if_due(state, control)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.order = torch.get_rng_state()
        self._save_if_due(state, control)

    def _save_if_due(self, state: Any, control: Any) -> None:
        minutes = self.context.checkpoint_minutes
        is_last = control.should_training_stop or state.global_step >= state.max_steps
        if is_last or not minutes:
            return
        due = time.monotonic() - self.last >= 60 * minutes or self.context.cancelled()
        if not self.ranks.agreed(due):
            return
        self.ranks.remember()
        try:
            if self.ranks.first:
                self.kept.save(state.global_step, self._fill)
        except OSError as error:
            if not self.failed:
                reason = error.strerror or str(error)
                self.context.say(f"no checkpoint can be written ({reason}); training goes on")
            self.failed = True
        self.last = time.monotonic()

    def _fill(self, folder: Path) -> None:
        # Written plainly: the folder is synced and renamed as a whole.
        trainer = self.trainer
        weights = {name: value.detach().contiguous() for name, value in trained(trainer.model)}
        (folder / WEIGHTS).write_bytes(safetensors.torch.save(weights))
        trainer.state.save_to_json(str(folder / STATE))
        write_tensors(folder / OPTIMIZER, trainer.optimizer.state_dict())
        write_tensors(folder / SCHEDULER, trainer.lr_scheduler.state_dict())
        write_tensors(folder / RANDOM, random_states())
        write_tensors(folder / ORDER, self.order)
        for part in self.trainer.remembering:
            part.keep(folder)


def take_weights(model: Any, folder: Path) -> None:
    """Set the trained weights of a model to those of a checkpoint."""
    weights = safetensors.torch.load_file(folder / WEIGHTS)
    with torch.no_grad():
        for name, value in trained(model):
            value.copy_(weights[name])


def take_random_states(folder: Path) -> None:
    """Set all random generators to the states of a checkpoint.

    Transformers' Trainer would set neither those of XPU nor those of MPS.
    """
    set_random_states(torch.load(folder / RANDOM))
