"""Troubles of the machine, told by number, by a library's words, by a process's last ones."""

from __future__ import annotations

import errno
import os

import pytest

from harness.errors import EnvironmentFailure, OutOfMemory
from harness.errors.machine import machine_trouble, trouble_in

FULL, MEMORY = "the disk is full", "the memory is not enough"
WORDS = {
    'IO Error: Could not write file "x": No space left on device': FULL,
    "OSError: [Errno 122] Disk quota exceeded": FULL,
    "Out of Memory Error: could not allocate block": MEMORY,
    "torch.OutOfMemoryError: CUDA out of memory": MEMORY,
    "libtorch.so: failed to map segment from shared object": MEMORY,
    "RuntimeError: can't start new thread": MEMORY,
    "IO Error: Cannot open file: Permission denied": "permission is refused",
    "ValueError: a wrong shape": "",
    "": "",
}


@pytest.mark.parametrize("text", WORDS)
def test_words_of_a_library(text: str) -> None:
    assert trouble_in(text) == WORDS[text]


def test_numbers_of_the_system() -> None:
    for number, words in [
        (errno.ENOSPC, FULL),
        (errno.EDQUOT, FULL),
        (errno.ENOMEM, MEMORY),
        (errno.EACCES, "refused"),
        (errno.EMFILE, "`ulimit -n`"),
        (errno.EIO, "input/output"),
    ]:
        error = OSError(number, os.strerror(number), "/data/x")
        trouble = machine_trouble(error)
        assert trouble is not None and words in trouble.what and trouble.where == "/data/x", number
        assert trouble_in(str(error)) in trouble.what, number
        in_rust = machine_trouble(
            RuntimeError(f"I/O error ({os.strerror(number)}) (os error {number})")
        )
        assert in_rust is not None and in_rust.what == trouble.what, number


def test_a_file_that_is_not_there_may_be_anybodys_fault() -> None:
    assert machine_trouble(FileNotFoundError(errno.ENOENT, "no such file", "x")) is None
    assert machine_trouble(ImportError("No module named 'nowhere'")) is None


def test_memory_is_told_from_the_disk() -> None:
    library = ImportError("libcudart.so: failed to map segment from shared object")
    assert isinstance(machine_trouble(library), OutOfMemory)
    full = machine_trouble(OSError(errno.ENOSPC, "full"))
    assert isinstance(full, EnvironmentFailure) and not isinstance(full, OutOfMemory)
