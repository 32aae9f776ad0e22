"""What a rule answers, and how it says so."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NoReturn
from unittest import mock

from harness.kit.text import one_line

Status = Literal["ok", "note", "failed", "skipped"]


class Failed(Exception):
    """The rule is broken: what is wrong, and how to mend it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}. {mend}")


class Skipped(Exception):
    """The rule says nothing of this plugin, and why."""


class Noted(Exception):
    """Nothing is wrong, but whoever uses the plugin should know."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule says of a plugin.

    Attributes:
        rule: the rule's id.
        status: ``ok``, ``note`` (passed, with a remark), ``failed`` or ``skipped``.
        message: one line; for a failure, what is wrong and how to mend it.
        seconds: how long it took.
    """

    rule: str
    status: Status
    message: str
    seconds: float


def reason(error: BaseException) -> str:
    """An exception in one line."""
    text = one_line(str(error), 200)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@contextlib.contextmanager
def hushed() -> Iterator[io.StringIO]:
    """Nothing that a plugin prints or warns of gets out; what it prints is in the stream."""
    heard = io.StringIO()
    with warnings.catch_warnings(), contextlib.ExitStack() as stack:
        warnings.simplefilter("ignore")
        stack.enter_context(contextlib.redirect_stdout(heard))
        stack.enter_context(contextlib.redirect_stderr(heard))
        yield heard


@contextlib.contextmanager
def staying() -> Iterator[None]:
    """``os._exit()`` raises SystemExit in this process, so that a rule can tell who called it."""
    process, ends = os.getpid(), os._exit

    def leave(status: int) -> NoReturn:
        if os.getpid() != process:  # a child of the plugin's own ends as it should
            ends(status)
        raise SystemExit(f"os._exit({status})")

    with mock.patch.object(os, "_exit", leave):
        yield
