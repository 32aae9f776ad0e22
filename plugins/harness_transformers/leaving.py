"""The adapters that a training leaves, so that the run can choose one of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from transformers import TrainerCallback

from harness.kit.inside import inside
from harness_transformers.state import trained
from harness_transformers.stopping import checked_steps

HELD = "step-{}.safetensors"


class Leaving(TrainerCallback):
    """Holds the trained weights after some steps, the last one included.

    Args:
        checks: how many, evenly spaced; None: at the end of each epoch.
    """

    def __init__(self, model: Any, checks: int | None) -> None:
        self.model, self.checks = model, checks
        self.at: frozenset[int] = frozenset()
        self.held: dict[int, dict[str, torch.Tensor]] = {}

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        per_epoch = math.ceil(len(given["train_dataloader"]) / args.gradient_accumulation_steps)
        self.at = frozenset(checked_steps(state.max_steps, per_epoch, self.checks))

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step in self.at:
            self._hold(state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._hold(state.global_step)  # also where it was stopped early

    def _hold(self, step: int) -> None:
        self.held[step] = {
            name: value.detach().to("cpu", copy=True) for name, value in trained(self.model)
        }

    def write(self, save: Callable[[int], None]) -> None:
        """Have each saved, with the model as it was after that step; at the end it is the last."""
        for step, weights in sorted(self.held.items()):
            with torch.no_grad():
                for name, value in trained(self.model):
                    value.copy_(weights[name])
            save(step)

    def keep(self, folder: Path) -> None:
        """See :class:`harness_transformers.resuming.Remembering`."""
        for step, weights in self.held.items():
            inside(folder, HELD.format(step)).write_bytes(safetensors.torch.save(weights))

    def recall(self, folder: Path) -> None:
        """See :class:`harness_transformers.resuming.Remembering`."""
        for path in folder.glob(HELD.format("*")):
            step = int(path.stem.removeprefix("step-"))
            self.held[step] = safetensors.torch.load_file(path)
