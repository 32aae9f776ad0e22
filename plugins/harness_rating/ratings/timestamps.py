"""Times of events: ISO UTC texts with milliseconds, which sort as the times do."""

from __future__ import annotations

from datetime import datetime, timedelta

LAST = "9999-12-31T23:59:59.999Z"
"""Nothing can be said to be later."""


def later(at: str, milliseconds: int) -> str:
    """The time so much later, or :data:`LAST`."""
    try:
        moved = datetime.fromisoformat(at) + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return LAST
    return moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")
