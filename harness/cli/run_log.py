"""The log file of one run, with what threads of plugins raise while it is carried out."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.errors import reason
from harness.kit.inside import not_a_link
from harness.kit.text import plain


@contextlib.contextmanager
def log_to(path: Path) -> Iterator[None]:
    """The log of this run, and of no other one that the same process carries out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger("harness")
    before = logger.level, logger.propagate
    hooks = threading.excepthook, sys.unraisablehook, logging.raiseExceptions
    with open(path, "a", encoding="utf-8", opener=not_a_link) as stream:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(_Plain("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        threading.excepthook, sys.unraisablehook = _thread_failed, _lost
        logging.raiseExceptions = False  # a plugin that logs wrongly
        try:
            yield
        finally:
            threading.excepthook, sys.unraisablehook, logging.raiseExceptions = hooks
            logger.removeHandler(handler)
            logger.level, logger.propagate = before


class _Plain(logging.Formatter):
    """Lines that do nothing in a terminal, and that UTF-8 can hold."""

    def format(self, record: logging.LogRecord) -> str:
        return plain(super().format(record))


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    """A thread of a plugin raised: that ends the thread, and nothing else."""
    name = failed.thread.name if failed.thread else "a thread"
    what = reason(failed.exc_value) if failed.exc_value else failed.exc_type.__name__
    text = "".join(traceback.format_tb(failed.exc_traceback))
    logging.getLogger("harness.run").error("thread %s failed: %s\n%s", name, what, text)


def _lost(lost: Any) -> None:
    """What cannot be raised anywhere, such as from the end of an object."""
    what = reason(lost.exc_value) if lost.exc_value else lost.exc_type.__name__
    logging.getLogger("harness.run").error("ignored: %s", what)
