"""Files that a command writes where its user says: checked before the work, told in one message."""

from __future__ import annotations

from pathlib import Path

from harness.errors import EnvironmentFailure, UsageError
from harness.errors.machine import machine_trouble
from harness.kit.files import write_bytes


def check_target(option: str, path: Path) -> None:
    """Raises UsageError where no file can be: a whole file is written, or replaced.

    A device or a pipe (``/dev/stdout``) would be replaced by a file, not written to.
    """
    try:
        what = _trouble(path)
    except OSError as error:  # such as a name that is too long
        what = str(error.strerror)
    if what:
        raise UsageError(f"{option} {path}: {what}")


def _trouble(path: Path) -> str:
    if path.is_dir():
        return "this is a folder"
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    if path.exists() and not path.is_file():
        return "this is a device or a pipe, and no file that can be replaced"
    return ""


def write_target(option: str, path: Path, data: bytes) -> None:
    """Write the file whole, or not at all.

    Raises:
        EnvironmentFailure: the system refuses; named by the path that was given, not by the one
            that is written first.
    """
    try:
        write_bytes(path, data)
    except OSError as error:
        trouble = machine_trouble(error)
        what = trouble.what if trouble else f"cannot write: {error.strerror}"
        hint = trouble.hint if trouble else ""
        raise EnvironmentFailure(what, where=f"{option} {path}", hint=hint) from None
