"""How this process gets its memory: kept once it is there, in large pages.

Left alone, glibc gives memory back to the system whenever a tensor of some megabytes is freed, and
the next one pays for every page again. On a CPU that is up to half of a training step.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
from collections.abc import Iterator

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's mallopt (malloc.h)."""
_LARGEST_THRESHOLD = 32 << 20
"""The largest size, in bytes, below which glibc can be told to take memory from its heap."""


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Keep freed memory for the process while the block runs; give it back afterwards.

    Works with glibc; elsewhere nothing is changed. The size from which memory does not come from
    the heap stays as it is set here. PyTorch reads the variable for large pages when
    it allocates for the first time, so a process that has done so goes without them.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    glibc = ctypes.CDLL(None)
    glibc.mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    glibc.mallopt(_MMAP_THRESHOLD, _LARGEST_THRESHOLD)
    try:
        yield
    finally:
        glibc.mallopt(_TRIM_THRESHOLD, _TRIM_DEFAULT)
        glibc.malloc_trim(0)


_TRIM_DEFAULT = 128 << 10
"""glibc's own threshold, in bytes, from which freed memory is given back."""
