"""A call into a plugin: whatever it raises has a name.

A plugin of the main process may raise anything, end the process, or never return. Around each call
stand: a line in a small file that says who is at work (read at the next start, if the process ended
meanwhile), a note after three minutes of silence, and a conversion of whatever was raised into an
error that names plugin, version, stage and round.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from harness.boundary.lending import Lent
from harness.errors import STOPPING, HarnessError, InputChanged, PluginError, reason
from harness.errors.machine import machine_trouble
from harness.kit.files import overwrite
from harness.kit.numbers import duration
from harness.kit.terminal.streams import within_plugin
from harness.kit.text import one_line
from harness.records.context import Report

SILENCE = 180.0
"""Seconds without a sign of life after which it is said who is at work: a first batch may take
longer than a minute on a busy machine."""


class PluginCalls:
    """The calls of one run, in this process.

    Args:
        path: the small file; None writes none.
        say: where a person reads a sentence.
    """

    ending = "Ctrl-C twice ends it, and finished work is saved"

    def __init__(self, path: Path | None, say: Callable[[str], None]) -> None:
        self.path, self.say = path, say
        self._heard = 0.0

    def into(
        self,
        where: str,
        *,
        here: bool = False,
        watched: bool = False,
        lent: Lent | None = None,
    ) -> PluginCall:
        """A call of the plugin that ``where`` names.

        Args:
            here: it is carried out in this process.
            watched: silence is said (:data:`SILENCE`).
            lent: records that the plugin is given, and must not change; the same for several calls
                where these are given the same.
        """
        return PluginCall(self, where, here=here, watched=watched, lent=lent)

    def heard(self) -> None:
        """The plugin at work has given a sign of life."""
        self._heard = time.monotonic()

    def hearing(self, report: Report) -> Report:
        """``report``, which counts as a sign of life."""

        def heard(done: int, total: int, what: str) -> None:
            self.heard()
            report(done, total, what)

        return heard

    def saying(self, label: str) -> Callable[[str], None]:
        """How a plugin says a sentence to the person at the terminal: a sign of life, too."""

        def said(sentence: str) -> None:
            self.heard()
            self.say(f"note: {label}: {sentence}")

        return said

    def left_by_a_dead_process(self) -> str:
        """Who was at work when an earlier process ended, in a sentence; empty if nobody was."""
        if self.path is None:
            return ""
        try:
            where = str(json.loads(self.path.read_bytes())["calling"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""
        self.clear()
        return (
            f"the last attempt ended within {where}. If nobody stopped it, that plugin "
            "ended the process"
        )

    def clear(self) -> None:
        """Nobody is at work."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)

    def _enter(self, where: str) -> None:
        if self.path is not None:
            # No fsync: it is for a process that ends, not for a machine that does.
            with contextlib.suppress(OSError):
                overwrite(self.path, json.dumps({"calling": where}).encode())

    @contextlib.contextmanager
    def watched(self, where: str) -> Iterator[None]:
        """Within it :data:`SILENCE` without a sign of life is said, once."""
        self.heard()
        over = threading.Event()

        def watch() -> None:
            while not over.wait(max(0.01, self._heard + SILENCE - time.monotonic())):
                if time.monotonic() - self._heard >= SILENCE:
                    self.say(
                        f"note: {where} has reported nothing for {duration(SILENCE)}. It may be at "
                        f"work all the same; {self.ending}"
                    )
                    return

        thread = threading.Thread(target=watch, name="harness-silence", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # memory, or a limit on threads: then nobody watches
            yield
            return
        try:
            yield
        finally:
            over.set()
            thread.join()


def plainly(
    where: str,
    say: Callable[[str], None] | None = None,
    *,
    lent: Lent | None = None,
) -> PluginCall:
    """A call outside of a run: what it raises names ``where``.

    Args:
        say: where silence is said (:data:`SILENCE`); None for what cannot take long.
        lent: see :meth:`PluginCalls.into`.
    """
    calls = PluginCalls(None, say or (lambda sentence: None))
    calls.ending = "Ctrl-C ends it"
    return calls.into(where, here=True, watched=say is not None, lent=lent)


def aloud(sentence: str) -> None:
    """Say it on standard error, for commands that have nobody else to say it."""
    print(one_line(sentence, 600), file=sys.stderr, flush=True)


class PluginCall:
    """One call; turns whatever a plugin raises into an error that names it.

    Raises:
        InputChanged: a record that was lent is another one by now, whatever the plugin raised but
            what ends a run without a failure (:data:`harness.errors.STOPPING`).
        PluginError: for anything that is no error of the harness and not the machine's.
        EnvironmentFailure: disk, memory or permissions.
    """

    def __init__(
        self,
        calls: PluginCalls,
        where: str,
        *,
        here: bool,
        watched: bool,
        lent: Lent | None,
    ) -> None:
        self.calls, self.where, self.here, self.watched = calls, where, here, watched
        self.lent = lent
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> None:
        self._stack.enter_context(within_plugin())
        if self.here:
            self.calls._enter(self.where)
        if self.watched:
            self._stack.enter_context(self.calls.watched(self.where))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        if self.here:
            self.calls.clear()
        if isinstance(error, STOPPING):
            return  # the run stops; whether rows were changed is seen when it goes on
        try:
            if self.lent is not None:
                self.lent.check()
        except InputChanged as changed:
            changed.where = self.where
            raise changed from error
        if isinstance(error, HarnessError):
            error.where = error.where or self.where
            return
        if error is not None:
            raise failure(error, self.where) from error


def failure(error: BaseException, where: str = "") -> HarnessError:
    """What a plugin raised, as an error for people: what the machine lacks, or its own fault."""
    trouble = machine_trouble(error)
    if trouble is not None:
        trouble.where = trouble.where or where
        return trouble
    return PluginError(reason(error), where=where)
