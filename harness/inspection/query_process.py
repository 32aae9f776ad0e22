"""A question in a process of its own, which can be ended whatever it does.

DuckDB stops a query between two pieces of its work, and one call of a function is one piece: alone
in its process it could go on long after its time, and take an interrupt from the keyboard late.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import warnings
from multiprocessing.connection import Connection
from pathlib import Path

from harness.errors import EnvironmentFailure, HarnessError, UsageError
from harness.store.asking import safe_query
from harness.store.writing import QueryResult

MORE_TIME = "--seconds N gives it more time"
GRACE = 0.5
"""Seconds that a query gets to end by itself when its time is over."""


def ask_apart(
    path: Path, sql: str, seconds: float, limit: int, *, sealed: bool = False
) -> QueryResult:
    """What :func:`harness.store.asking.safe_query` gives, in the time given or not at all.

    Raises:
        UsageError, DataError: as there.
        EnvironmentFailure: the process was ended by others (the machine's memory is used up).
    """
    # A copy of this process: another interpreter would take longer to start than most queries.
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(
        target=_work, args=(theirs, path, sql, seconds, limit, sealed), daemon=True
    )
    with warnings.catch_warnings():  # no thread of ours is at work, and the child needs none
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    theirs.close()
    try:
        if not ours.poll(seconds + GRACE):
            raise UsageError(
                f"the query took longer than {seconds:g} s", where=str(path), hint=MORE_TIME
            )
        found = ours.recv()
    except EOFError:
        child.join()
        raise EnvironmentFailure(
            f"the query was ended from outside (exit code {child.exitcode})",
            where=str(path),
            hint="it may have needed more memory than the machine has: ask for less at a time",
        ) from None
    finally:
        child.kill()
        child.join()
        ours.close()
    if isinstance(found, HarnessError):
        if "longer than" in found.what:
            found.hint = MORE_TIME
        raise found
    assert isinstance(found, QueryResult)
    return found


def _work(
    answers: Connection, path: Path, sql: str, seconds: float, limit: int, sealed: bool
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    found: QueryResult | HarnessError
    try:
        found = safe_query(path, sql, seconds, limit, sealed=sealed)
    except HarnessError as problem:
        found = problem
    with contextlib.suppress(BrokenPipeError):  # whoever asked is gone
        answers.send(found)
