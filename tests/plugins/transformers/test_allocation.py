from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from harness_transformers import allocation

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        part = bytearray(4 << 20)
        del part
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

with allocation.kept():
    inside = faults()
print(inside, faults())
"""


@pytest.mark.nightly
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator")
def test_freed_memory_is_paid_for_once_inside_and_given_back_outside():
    """50 times 4 MiB are 51,200 pages of 4 KiB, if each time is paid for."""
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True
    )
    inside, outside = map(int, done.stdout.split())
    assert inside < 5_000 < 20_000 < outside
