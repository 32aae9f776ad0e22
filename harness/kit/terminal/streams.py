"""Standard output and standard error: whose they are, and what happens when nobody reads them."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import NoReturn, TextIO

from harness.errors import Unread as Unread
from harness.kit.text import one_line


class _Outlet(io.TextIOWrapper):
    """A stream that ends the program once its reader is gone.

    SIGPIPE would do the same, but also kill a server whose browser leaves, and a run whose
    child process does.
    """

    optional = False
    """Whether a failed write is ignored: exit codes need no standard error."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            self._end()
        except OSError:
            if not self.optional:
                raise
            self.discard()
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            self._end()
        except OSError:
            if not self.optional:
                raise
            self.discard()

    def _end(self) -> NoReturn:
        self.discard()
        raise Unread

    def discard(self) -> None:
        """From here on, and with what is still held back, to nowhere."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


@contextlib.contextmanager
def outlets() -> Iterator[None]:
    """Within it the program's streams raise :class:`Unread` when their reader is gone.

    Reports hold any character; a terminal that lacks one shows a question mark.
    """
    with contextlib.ExitStack() as stack:
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if isinstance(stream, io.TextIOWrapper):
                stack.enter_context(_outlet(name, stream))
            elif stream is None:
                stack.enter_context(_nowhere(name))
        yield


@contextlib.contextmanager
def _nowhere(name: str) -> Iterator[None]:
    """For a stream that was closed before we began (``>&-``); it gets the number that is free."""
    with open(os.devnull, "w", encoding="utf-8") as stream:
        setattr(sys, name, stream)
        try:
            yield
        finally:
            setattr(sys, name, None)


@contextlib.contextmanager
def _outlet(name: str, stream: io.TextIOWrapper) -> Iterator[None]:
    stream.flush()
    made = _Outlet(
        stream.buffer, stream.encoding, "replace", line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )  # fmt: skip
    made.optional = name == "stderr"
    setattr(sys, name, made)
    try:
        yield
    finally:
        setattr(sys, name, stream)
        if not made.closed:  # by a plugin, which was told of before
            try:
                made.flush()
            except OSError:
                made.discard()  # the disk is full, and that was said before
            finally:
                made.detach()  # or the stream would be closed with it


_alone = False


@contextlib.contextmanager
def document_alone() -> Iterator[None]:
    """Around a command with ``--json``: what is not written by its own code is on stderr.

    ``sys.stdout`` gets a descriptor of its own, so that writes to descriptor 1, of child processes
    too, cannot reach the document; :func:`within_plugin` sees to what plugins print.
    """
    global _alone
    before, out = _alone, sys.stdout
    _alone = True
    try:
        if out is None or not _is_the_process_output(out):
            yield
            return
        out.flush()
        with open(os.dup(1), "w", encoding=out.encoding, errors=out.errors) as own:
            os.dup2(2, 1)
            sys.stdout = own
            try:
                yield
            finally:
                os.dup2(own.fileno(), 1)
                sys.stdout = out
    finally:
        _alone = before


_calls, _outside = 0, sys.stdout


@contextlib.contextmanager
def within_plugin() -> Iterator[None]:
    """Around a call of a plugin: what it prints is on stderr where a document has to be alone.

    Calls that go on side by side may end in another order than that in which they began.
    """
    global _calls, _outside
    if not _alone:
        yield
        return
    if not _calls:
        _outside, sys.stdout = sys.stdout, sys.stderr
    _calls += 1
    try:
        yield
    finally:
        _calls -= 1
        if not _calls:
            sys.stdout = _outside


@contextlib.contextmanager
def plugins_on_stderr() -> Iterator[None]:
    """Within it, all that is printed, by other processes that are started too, is on stderr."""
    out = sys.stdout
    saved = os.dup(1) if _is_the_process_output(out) else None
    out.flush()
    sys.stdout = sys.stderr
    if saved is not None:
        os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stderr.flush()
        if saved is not None:
            os.dup2(saved, 1)
            os.close(saved)
        sys.stdout = out


def _is_the_process_output(stream: TextIO) -> bool:
    try:
        return stream.fileno() == 1
    except (OSError, ValueError):
        return False


def say(sentence: str, style: str = "") -> None:
    """Say it on standard error, in one line."""
    from rich.console import Console
    from rich.text import Text

    text = Text(one_line(sentence), style)
    Console(stderr=True).print(text, highlight=False, soft_wrap=True)
