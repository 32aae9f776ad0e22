"""Memory that runs out: the same rows, fewer of them at once.

Rows that are computed in parts give what they give together, up to rounding: a training step still
learns from the same rows, with more forward passes.
"""

from __future__ import annotations

import contextlib
import gc
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch

import harness
from harness_transformers import devices, state

T = TypeVar("T")
_WORDS = (
    "can't allocate memory", "not enough memory", "out of memory", "could not create a memory",
    "STATUS_ALLOC_FAILED",
)  # fmt: skip
"""Of RuntimeErrors by which torch's allocators, oneDNN, cuBLAS and MPS say that memory ran out."""
FILE = "memory.json"


def ran_out(error: BaseException) -> bool:
    """Whether an exception says that memory ran out: a device's, or the machine's."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS)


@contextlib.contextmanager
def told(what: str, hint: str) -> Iterator[None]:
    """Within it, memory that runs out is one message.

    Args:
        what: ends the sentence *the memory is not enough*.
        hint: what to do.

    Raises:
        OutOfMemory: instead of what said that memory ran out.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not ran_out(error):
            raise
        reason = str(error).strip().splitlines() or ["MemoryError"]
        raise harness.OutOfMemory(
            f"the memory is not enough {what}",
            hint=hint,
            details=[reason[0][:300]],
        ) from error


class AtOnce:
    """How many rows are computed at once: halved whenever memory runs out, to one at least.

    Args:
        rows: at first.
        say: told of each halving.
        what: the rows, as a person calls them.
    """

    def __init__(self, rows: int, say: Callable[[str], None], what: str) -> None:
        self.rows, self.say, self.what = rows, say, what
        self.asked = rows

    @property
    def halved(self) -> bool:
        """Whether memory has run out."""
        return self.rows < self.asked

    def parts(self, rows: Sequence[T]) -> list[Sequence[T]]:
        """The rows, as many at a time as are computed at once."""
        return [rows[start : start + self.rows] for start in range(0, len(rows), self.rows)]

    def run(
        self, rows: Sequence[T], work: Callable[[Sequence[T]], Any], again: Callable[[], None]
    ) -> list[Any]:
        """What ``work`` gives for each part of the rows.

        Args:
            again: takes back what unfinished work has left, before it is done anew.

        Raises:
            MemoryError, RuntimeError: memory ran out for one row.
        """
        while True:
            try:
                return [work(part) for part in self.parts(rows)]
            except (MemoryError, RuntimeError) as error:
                self._halve(error, len(rows))
            # Not above: the exception holds every tensor that the work had in hand.
            again()
            _release()

    def stream(
        self,
        places: Sequence[int],
        work: Callable[[Sequence[int], int], Iterator[tuple[int, T]]],
    ) -> Iterator[tuple[int, T]]:
        """What ``work(places, at once)`` gives for each place, with the place, as it comes.

        Raises:
            MemoryError, RuntimeError: memory ran out for one of them.
        """
        waiting = list(places)
        while waiting:
            done = set()
            try:
                for place, result in work(waiting, self.rows):
                    done.add(place)
                    yield place, result
            except (MemoryError, RuntimeError) as error:
                waiting = [place for place in waiting if place not in done]
                self._halve(error, len(waiting))
            else:
                return
            _release()

    def keep(self, folder: Path) -> None:
        """See :class:`harness_transformers.resuming.Remembering`."""
        (folder / FILE).write_text(json.dumps(self.rows))

    def recall(self, folder: Path) -> None:
        """See :class:`harness_transformers.resuming.Remembering`."""
        self.rows = json.loads((folder / FILE).read_text())

    def _halve(self, error: BaseException, rows: int) -> None:
        """Halve what fits no more, or raise the error where it is no matter of memory, or one."""
        tried = min(self.rows, rows)
        if not ran_out(error) or tried == 1:
            raise error
        self.rows = (tried + 1) // 2
        self.say(f"memory ran out with {tried} {self.what} at once; going on with {self.rows}")


class Before:
    """What a training step changes before it is finished: gradients and random states."""

    def __init__(self, model: Any) -> None:
        self.gradients = [
            (value, None if value.grad is None else value.grad.clone())
            for _, value in state.trained(model)
        ]
        self.random = state.random_states()

    def restore(self) -> None:
        """Make the model and the generators what they were."""
        for value, gradient in self.gradients:
            value.grad = None if gradient is None else gradient.clone()
        state.set_random_states(self.random)


def peak(device: str) -> int | None:
    """Most bytes that this process has used so far: of the card's memory, else of this machine's.

    Args:
        device: type of the device that computes (``cuda``, ``cpu``).
    """
    if device == "cuda":
        return int(torch.cuda.max_memory_allocated())
    try:
        import resource
    except ImportError:  # Windows has no such module
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if sys.platform == "darwin" else 1024 * most) or None


def _release() -> None:
    """Give back what is free by now."""
    gc.collect()
    if (module := devices.module()) is not None:
        module.empty_cache()
