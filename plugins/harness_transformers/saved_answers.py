"""The answers that an interrupted generation has given, and where it goes on.

Which prompts are in a forward pass together decides the last bits of what it gives, and in bf16 now
and then a word. So a generation goes on in the same company: with the keys and values of the
answers in work, the prompts that wait, and the random states. It then ends with the same answers as
an unbroken one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import harness
from harness_transformers.checkpoints import Checkpoints, write_tensors
from harness_transformers.memory import AtOnce
from harness_transformers.state import random_states, set_random_states

FOLDER, STATE = "answers", "answers.pt"


class SavedAnswers:
    """Saves answers when that is due, or when the user asks to stop.

    Args:
        at_once: how many prompts are answered at once; part of what is saved.
        belongs: see :class:`Checkpoints`.
        total: answers that are wanted.

    Attributes:
        answers: place of a prompt -> tokens of its answer, those of earlier attempts at first.
    """

    def __init__(
        self, context: harness.Context, at_once: AtOnce, belongs: Mapping[str, Any], total: int
    ) -> None:
        self.context, self.at_once, self.total = context, at_once, total
        self.answers: dict[int, list[int]] = {}
        self.last, self.number = time.monotonic(), 0
        self.failed = False
        self._found: Any = None
        self._checkpoints: Checkpoints | None = None
        if context.scratch is not None:
            root = context.scratch / FOLDER
            root.mkdir(exist_ok=True)
            self._checkpoints = Checkpoints(root, belongs, context.say)
            if (newest := self._checkpoints.newest()) is not None:
                self._recall(newest)

    def _recall(self, folder: Path) -> None:
        saved = torch.load(folder / STATE)
        self.answers, self.number = saved["answers"], saved["number"]
        self.at_once.recall(folder)
        self._found = saved
        done = f"{len(self.answers):,} of {self.total:,}"
        self.context.say(f"answering goes on after {done} answers, which were saved")

    def take(self) -> Any:
        """The state of what answers, as :meth:`pause` was handed it; None where nothing is.

        Random states are then those of that moment. It is taken once: what begins anew after that,
        with fewer prompts at once, goes on from the answers alone.
        """
        saved, self._found = self._found, None
        if saved is None:
            return None
        set_random_states(saved["random"])
        return saved["state"]

    def pause(self, state: Any = None) -> None:
        """A moment at which the work can be saved; ends it if the user asked for that.

        Args:
            state: of what answers; ``torch.save`` takes it.

        Raises:
            Cancelled: the user asked to stop.
        """
        minutes = self.context.checkpoint_minutes
        due = time.monotonic() - self.last >= 60 * minutes or self.context.cancelled()
        if self._checkpoints is not None and minutes and due and len(self.answers) < self.total:
            self._save(self._checkpoints, state)
        self.context.check()

    def _save(self, checkpoints: Checkpoints, state: Any) -> None:
        def fill(folder: Path) -> None:
            state_of_answers = {
                "answers": self.answers,
                "number": self.number,
                "random": random_states(),
            }
            write_tensors(folder / STATE, {**state_of_answers, "state": state})
            self.at_once.keep(folder)

        self.number += 1
        try:
            checkpoints.save(self.number, fill)
        except OSError as error:
            if not self.failed:
                reason = error.strerror or str(error)
                self.context.say(f"answers cannot be saved yet ({reason}); answering goes on")
            self.failed = True
        self.last = time.monotonic()
