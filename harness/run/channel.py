"""What the run and its worker say to each other: lines, most of them of JSON.

The worker is told ``[number, folder]`` of a job, or :data:`STOP` for the one at work. It tells, and
so does the job's own process on the same pipe, messages with the job's number before them.
A message is ``("step", done, total, what)``, ``("say", sentence)`` or ``("failure", {...})``, and
from the worker ``("began", pid)`` or ``("ended", code, goes on)``.
"""

from __future__ import annotations

import json
import os
import select
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from harness import errors
from harness.boundary.calls import failure as failure_of
from harness.errors import BudgetSpent, Cancelled, HarnessError

LOAD = 0
"""In place of a job's number: load ahead what it needs, and do nothing."""
STOP = b"stop"
STOPPED = {kind.__name__: kind for kind in (Cancelled, BudgetSpent)}
_KINDS = {
    "step": [int, int, str], "say": [str], "failure": [dict],
    "began": [int], "ended": [int, bool],
}  # fmt: skip


def send(channel: int, number: int, *message: Any) -> None:
    """Write one message, whole.

    Raises:
        OSError: nobody reads it any more, or the descriptor was closed.
    """
    # What a process that was killed has left half written ends where this begins.
    data = b"\n" + json.dumps([number, *message]).encode() + b"\n"
    while data:
        data = data[os.write(channel, data) :]


def message(line: bytes, number: int) -> list[Any] | None:
    """The message of job ``number`` in a line; None if it is none, or that of another job."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, list) or value[:1] != [number] or type(value[0]) is not int:
        return None
    # The None is there for a message without a kind, and is no part of one with it.
    _, kind, *parts = [*value, None]
    known = isinstance(kind, str) and [type(part) for part in parts[:-1]] == _KINDS.get(kind)
    return value[1:] if known else None


def heard(
    channel: int, number: int, ended: Callable[[], bool], seconds: float
) -> Iterator[list[Any]]:
    """The messages of job ``number``, until whoever writes them has ended.

    A process that a plugin has left behind may hold the channel open for ever: the writer's end
    counts.

    Args:
        ended: whether it has; asked at least each so many ``seconds``.
    """
    pending, over = b"", False
    while not over:
        # Asked before reading: what was written before the end is read once more after it.
        over = ended()
        readable, _, _ = select.select([channel], [], [], 0 if over else seconds)
        if not readable:
            continue
        data = os.read(channel, 1 << 20)
        if not data:
            return
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            if (said := message(line, number)) is not None:
                yield said


def described(error: BaseException) -> dict[str, Any]:
    """A failure as JSON, for another process; what is unforeseen becomes an error for people, with
    its traceback."""
    if isinstance(error, Cancelled):
        kind = BudgetSpent if isinstance(error, BudgetSpent) else Cancelled
        return {"kind": kind.__name__, "what": str(error)}
    if not isinstance(error, HarnessError):
        failure = failure_of(error)
        failure.__cause__ = error
        error = failure
    known = hasattr(errors, type(error).__name__)
    return {
        "kind": type(error).__name__ if known else "PluginError",
        "what": str(error.what),
        "where": str(error.where),
        "hint": str(error.hint),
        "details": [str(line) for line in error.details],
        "traceback": "".join(traceback.format_exception(error)),
    }


def raised(failure: dict[str, Any]) -> Exception:
    """The exception that :func:`described` was given, without its type where that is unknown."""
    if failure["kind"] in STOPPED:
        return STOPPED[failure["kind"]](failure["what"])
    kind: type[HarnessError] = getattr(errors, failure["kind"])
    # Not by its own __init__, whose parameters differ from kind to kind.
    error = kind.__new__(kind)
    HarnessError.__init__(
        error,
        failure["what"],
        where=failure["where"],
        hint=failure["hint"],
        details=failure["details"],
    )
    error.add_note(failure["traceback"])
    return error
