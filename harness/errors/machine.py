"""Troubles of the machine (disk, memory, permissions, limits), told from those of plugins."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import resource
from collections.abc import Iterator
from pathlib import Path

from harness.errors import EnvironmentFailure, OutOfMemory
from harness.errors.installing import missing_package

_FULL = "the disk is full"
_NO_MEMORY = "the memory is not enough"
_TROUBLES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.ENOMEM: _NO_MEMORY,
    errno.EACCES: "permission is refused",
    errno.EPERM: "permission is refused",
    errno.EROFS: "the file system is read-only",
    errno.EIO: "the disk gives an input/output error",
    errno.ESTALE: "the network disk has lost the file",
    errno.EFBIG: "the file would be larger than is allowed (`ulimit -f`)",
    errno.EMFILE: "too many files are open (`ulimit -n`)",
    errno.ENFILE: "too many files are open on this machine",
}
"""Errors that are the machine's, whoever meets them."""

_WORDS_OF_MEMORY = (
    "MemoryError", "Out of Memory", "bad allocation", "failed to map segment", "start new thread",
)  # fmt: skip
"""What Python, DuckDB, C++, the loader of libraries and threads say where memory is out."""


class StorageError(OSError):
    """A file of the harness itself could not be written: never a plugin's failure."""


@contextlib.contextmanager
def storing(path: Path) -> Iterator[None]:
    """Within it the harness writes ``path``.

    Raises:
        StorageError: instead of any other OSError, with the place (fsync and write name none).
    """
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        where = str(error.filename or path)
        raise StorageError(error.errno or errno.EIO, error.strerror or str(error), where) from error


def machine_trouble(error: BaseException) -> EnvironmentFailure | None:
    """The error for people, if it is the machine's: disk, memory, permissions, limits, packages.

    None where it may as well be the fault of whoever met it (a file that is not there).
    """
    if isinstance(error, MemoryError):
        return _memory_is_out(error)
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error.args[:1]):
        return _memory_is_out(error)
    if isinstance(error, ImportError) and trouble_in(str(error)) == _NO_MEMORY:
        return _memory_is_out(error)
    if isinstance(error, ModuleNotFoundError):
        return missing_package(error)
    if _device_is_full(error):
        return OutOfMemory(
            "the memory of the device (a GPU) is not enough; finished work is saved",
            hint="lower batch_size, shorten the longest rows, or close what else uses the device",
        )
    number = _number(error)
    where = str(getattr(error, "filename", None) or "")
    trouble = _TROUBLES.get(number) if number else None
    if trouble == _FULL:
        return EnvironmentFailure(
            f"{_FULL}; finished work is saved",
            where=where,
            hint="free some space and run the same command again",
        )
    if trouble == _NO_MEMORY:
        return _memory_is_out(error)
    if trouble:
        return EnvironmentFailure(trouble, where=where, hint=_AGAIN)
    if isinstance(error, StorageError):
        return EnvironmentFailure(f"cannot write: {error.strerror}", where=where, hint=_AGAIN)
    return None


def _number(error: BaseException) -> int | None:
    """The system's number of an error; libraries in Rust (safetensors) have it in their text."""
    if isinstance(error, OSError):
        return error.errno
    texts = (text for text in error.args[:1] if isinstance(text, str))  # str() may fail
    match = re.search(r"\(os error (\d+)\)", next(texts, ""))
    return int(match[1]) if match else None


def trouble_in(text: str) -> str:
    """The machine's trouble that the words of a library or of a process tell; empty if none."""
    if any(words in text for words in _WORDS_OF_MEMORY):
        return _NO_MEMORY
    troubles = (trouble for number, trouble in _TROUBLES.items() if os.strerror(number) in text)
    return next(troubles, "")


def raise_trouble(error: BaseException) -> None:
    """Raise the machine's trouble, if ``error`` is one: for those who go on after failures."""
    trouble = machine_trouble(error)
    if trouble is not None:
        raise trouble from error


_AGAIN = "finished work is saved: fix the cause and run the same command again"


def _memory_is_out(error: BaseException) -> EnvironmentFailure:
    # A library's own name may be a mere "lib"; where it lies says more.
    places = (getattr(error, key, None) for key in ("path", "name", "filename"))
    return OutOfMemory(
        f"{_NO_MEMORY}; finished work is saved",
        where=str(next(filter(None, places), "")),
        hint="close other programs or raise the limit (`ulimit -v`), and run it again",
    )


def _device_is_full(error: BaseException) -> bool:
    """Whether a library says so of a GPU; the exception is torch's, which is not loaded here."""
    return isinstance(error, RuntimeError) and type(error).__name__ == "OutOfMemoryError"


LEAST_ADDRESSES = 400 << 20
"""Bytes of address space below which OpenBLAS, when it is loaded, asks for memory without end."""


def check_addresses() -> None:
    """Raise OutOfMemory where the limit of address space is too small for the libraries."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < LEAST_ADDRESSES:
        raise OutOfMemory(
            f"{_NO_MEMORY}: this process may have {limit >> 20} MiB of address space, and the "
            f"libraries alone take more than {LEAST_ADDRESSES >> 20} MiB",
            hint="raise the limit (`ulimit -v`)",
        )


def check_name(folder: Path) -> None:
    """Raise EnvironmentFailure where no database could lie in a folder, by its name.

    DuckDB takes what follows a ``?`` for settings, and puts its log beside what comes before it.
    """
    hint = "rename it, or work in another folder"
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        raise EnvironmentFailure(
            "the name of this folder is no UTF-8, and no database can lie in it",
            where=str(folder).encode("utf-8", "replace").decode(),
            hint=hint,
        ) from None
    if "?" in str(folder):
        raise EnvironmentFailure(
            "the name of this folder, or of one above it, has a question mark, and DuckDB can "
            "write no database there",
            where=str(folder),
            hint=hint,
        )
