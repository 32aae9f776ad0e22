"""The greatest memory of the processes that a probe started."""

from __future__ import annotations

import sys


def peak(*, inline: bool) -> int | None:
    """Bytes of resident memory: of the greatest process that has ended, or of this one.

    Args:
        inline: whether the work was done in this process.
    """
    try:
        import resource
    except ImportError:  # Windows has no such module
        return None
    who = resource.RUSAGE_SELF if inline else resource.RUSAGE_CHILDREN
    found = resource.getrusage(who).ru_maxrss
    return (found if sys.platform == "darwin" else 1024 * found) or None
