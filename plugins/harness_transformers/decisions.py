"""What validation decides of a training: when it ends, and which step's adapter is saved."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from harness_transformers.state import trained
from harness_transformers.stopping import EarlyStop, exhausted

STATE, WEIGHTS = "decisions.json", "best.safetensors"


class Decisions:
    """Sees every validation loss; the weights of the least one are held where they are wanted.

    Args:
        early_stop: None where the training goes on to its end.
        keep_best: whether the adapter of the least validation loss is saved, not the last one.
    """

    def __init__(self, model: Any, early_stop: EarlyStop | None, *, keep_best: bool) -> None:
        self.model, self.early_stop, self.keep_best = model, early_stop, keep_best
        self.seen: list[tuple[int, float, float]] = []
        self.stopped: tuple[int, float] | None = None
        self.weights: dict[str, torch.Tensor] = {}

    def see(self, state: Any, loss: float, control: Any) -> None:
        """Take the validation loss after a step, and end the training where that is due."""
        better = loss < min((earlier for *_, earlier in self.seen), default=float("inf"))
        self.seen.append((state.global_step, round(state.epoch or 0.0, 4), loss))
        if self.keep_best and better:
            self.weights = {
                name: value.detach().to("cpu", copy=True) for name, value in trained(self.model)
            }
        rule, losses = self.early_stop, [earlier for *_, earlier in self.seen]
        if rule and state.global_step < state.max_steps and exhausted(losses, rule):
            self.stopped = self.seen[-1][:2]
            control.should_training_stop = True

    def settle(self, write: Callable[..., None]) -> None:
        """At the end: give the model the weights that are kept, tell the log what was decided."""
        if self.stopped is not None:
            step, epoch = self.stopped
            write(step=step, epoch=epoch, stopped=True)
        if self.weights:
            with torch.no_grad():
                for name, value in trained(self.model):
                    value.copy_(self.weights[name])
            step, epoch = self._least()
            write(step=step, epoch=epoch, kept=True)

    @property
    def facts(self) -> dict[str, int]:
        """What was decided, for the facts of the training."""
        stopped = {} if self.stopped is None else {"stopped_step": self.stopped[0]}
        return {**stopped, **({"kept_step": self._least()[0]} if self.weights else {})}

    def _least(self) -> tuple[int, float]:
        return min(self.seen, key=lambda validation: validation[2])[:2]

    def keep(self, folder: Path) -> None:
        """See :class:`harness_transformers.resuming.Remembering`."""
        (folder / STATE).write_text(json.dumps(self.seen))
        if self.weights:
            (folder / WEIGHTS).write_bytes(safetensors.torch.save(self.weights))

    def recall(self, folder: Path) -> None:
        """See :class:`harness_transformers.resuming.Remembering`."""
        self.seen = [tuple(validation) for validation in json.loads((folder / STATE).read_text())]
        if self.keep_best:
            self.weights = safetensors.torch.load_file(folder / WEIGHTS)
