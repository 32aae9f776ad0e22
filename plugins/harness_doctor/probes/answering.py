"""How a probe says what it found, whatever the libraries print meanwhile or do at their end."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from harness.kit.text import one_line


def answer(look: Callable[[], dict[str, Any]]) -> None:
    """Write what a look finds to standard output, as one JSON object, and end the process.

    What it raises becomes the key ``error``; what is printed meanwhile is on standard error, and
    nothing that a library left for its end is run.
    """
    out = os.dup(1)
    os.dup2(2, 1)
    try:
        found = look()
    except BaseException as error:  # a library may raise anything, or end the process
        found = {"error": reason(error)}
    with os.fdopen(out, "wb") as stream:
        stream.write(json.dumps(found, default=str).encode())
    os._exit(0)


def reason(error: BaseException) -> str:
    """An exception in one line; its text is a library's, and may be unreadable."""
    name = type(error).__name__
    try:
        text = one_line(str(error), 300)
    except Exception:
        return name
    return f"{name}: {text}" if text else name
