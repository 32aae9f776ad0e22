"""What validation decides of a training: when it ends, and which step's adapter is saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from harness.kit.files import read_json, write_bytes, write_json
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
        self.losses: list[float] = []
        self.places: list[tuple[int, float]] = []
        self.stopped: tuple[int, float] | None = None
        self.weights: dict[str, torch.Tensor] = {}

    def see(self, state: Any, loss: float, control: Any) -> None:
        """Take the validation loss after a step, and end the training where that is due."""
        better = loss < min(self.losses, default=float("inf"))
        self.losses.append(loss)
        self.places.append((state.global_step, round(state.epoch or 0.0, 4)))
        if self.keep_best and better:
            self.weights = {
                name: value.detach().to("cpu", copy=True) for name, value in self._trained()
            }
        rule = self.early_stop
        if rule and state.global_step < state.max_steps and exhausted(self.losses, rule):
            self.stopped = self.places[-1]
            control.should_training_stop = True

    def settle(self, write: Callable[..., None]) -> None:
        """At the end: give the model the weights that are kept, tell the log what was decided."""
        if self.stopped is not None:
            step, epoch = self.stopped
            write(step=step, epoch=epoch, stopped=True)
        if self.weights:
            with torch.no_grad():
                for name, value in self._trained():
                    value.copy_(self.weights[name])
            step, epoch = self._least()
            write(step=step, epoch=epoch, kept=True)

    @property
    def facts(self) -> dict[str, int]:
        """What was decided, for the facts of the training."""
        stopped = {} if self.stopped is None else {"stopped_step": self.stopped[0]}
        return {**stopped, **({"kept_step": self._least()[0]} if self.weights else {})}

    def _least(self) -> tuple[int, float]:
        return self.places[self.losses.index(min(self.losses))]

    def keep(self, folder: Path) -> None:
        """See :class:`harness_transformers.resuming.Remembering`."""
        write_json(folder / STATE, {"losses": self.losses, "places": self.places})
        if self.weights:
            write_bytes(folder / WEIGHTS, safetensors.torch.save(self.weights))

    def recall(self, folder: Path) -> None:
        """See :class:`harness_transformers.resuming.Remembering`."""
        found = read_json(folder / STATE)
        self.losses = found["losses"]
        self.places = [(step, epoch) for step, epoch in found["places"]]
        if self.keep_best:
            self.weights = safetensors.torch.load_file(folder / WEIGHTS)

    def _trained(self) -> list[tuple[str, torch.Tensor]]:
        return [(name, one) for name, one in self.model.named_parameters() if one.requires_grad]
