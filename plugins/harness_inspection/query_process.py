"""A question in a process of its own, which can be ended whatever it does.

DuckDB stops a query between two pieces of its work, and one call of a function is one piece: alone
in its process it could go on long after its time, and take an interrupt from the keyboard late.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import signal
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import harness

MORE_TIME = "--seconds N gives it more time"
GRACE = 0.5
"""Seconds that a query gets to end by itself when its time is over."""


def ask_apart(
    path: Path, sql: str, seconds: float, limit: int, *, sealed: bool
) -> harness.QueryResult:
    """What :func:`harness.safe_query` gives, in the time given or not at all.

    Raises:
        UsageError, DataError: as there.
        EnvironmentFailure: the process was ended by others (the machine's memory is used up).
    """
    # Loaded before the time begins.
    ask = functools.partial(harness.safe_query, path, sql, seconds, limit, sealed=sealed)
    # A copy of this process: another interpreter would take longer to start than most queries.
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(theirs, ask), daemon=True)
    with warnings.catch_warnings():  # no thread of ours is at work, and the child needs none
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    theirs.close()
    try:
        if not ours.poll(seconds + GRACE):
            raise harness.UsageError(
                f"the query took longer than {seconds:g} s", where=str(path), hint=MORE_TIME
            )
        answer = ours.recv()
    except EOFError:
        child.join()
        raise harness.EnvironmentFailure(
            f"the query was ended from outside (exit code {child.exitcode})",
            where=str(path),
            hint="it may have needed more memory than the machine has: ask for less at a time",
        ) from None
    finally:
        child.kill()
        child.join()
        ours.close()
    if isinstance(answer, harness.HarnessError):
        if "longer than" in answer.what:
            answer.hint = MORE_TIME
        raise answer
    assert isinstance(answer, harness.QueryResult)
    return answer


def _work(answers: Connection, ask: Callable[[], harness.QueryResult]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    answer: harness.QueryResult | harness.HarnessError
    try:
        answer = ask()
    except harness.HarnessError as problem:
        answer = problem
    with contextlib.suppress(BrokenPipeError):  # whoever asked is gone
        answers.send(answer)
