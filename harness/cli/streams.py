"""Standard output belongs to results: what plugins print goes to standard error."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def plugins_on_stderr() -> Iterator[None]:
    """Within it, all that is printed, by other processes that are started too, is on stderr."""
    out = sys.stdout
    saved = os.dup(1) if out is sys.__stdout__ else None
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
