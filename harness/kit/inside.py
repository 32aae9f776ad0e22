"""Names that files, stores and folders of other people hold, as paths that stay in their folder.

Whatever is removed or written under such a name gets its path here, and a file that is written in
its place is opened here (``tests/repository/test_paths.py``).
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from harness.errors import DataError
from harness.kit.text import one_line

LONGEST = 255
"""Bytes of one name that file systems take."""


class Outside(DataError):
    """A name that is no name of a file, or a link in the place of a folder."""


def inside(folder: Path, *names: str) -> Path:
    """The path of ``names`` below a folder.

    Args:
        folder: chosen by the caller, never by what a file says; it may be a link.
        names: one for each level, the outermost first. A relative path that a file holds is given
            by its parts: ``*path.split("/")``.

    Raises:
        Outside: a name is empty, ``.`` or ``..``, has a separator or cannot be a file's; or what
            lies there, or on the way there, is a link.
    """
    path = folder
    for name in names:
        if not is_name(name):
            raise Outside(
                f"'{one_line(str(name), 80)}' is no name of a file in this folder",
                where=str(path),
                hint="nothing was written or removed; whoever made this run or store has put it "
                "there",
            )
        path /= name
        if path.is_symlink():
            raise _a_link(path)
    return path


def not_a_link(path: str, flags: int) -> int:
    """The ``opener`` of whatever is written in its place, not anew.

    Raises:
        Outside: the file is a link.
        OSError: as ``os.open``.
    """
    try:
        return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _a_link(Path(path)) from None
        raise


def _a_link(path: Path) -> Outside:
    return Outside(
        "this is a link, and nothing is written or removed through it",
        where=one_line(str(path), 200),
        hint="put a real file or folder in its place; to keep all runs on another disk make "
        ".harness itself the link",
    )


def is_name(name: object) -> bool:
    """Whether it can be the name of one file or folder, in whatever folder it lies."""
    if not isinstance(name, str) or name in ("", ".", "..") or "/" in name or "\0" in name:
        return False
    try:
        return len(os.fsencode(name)) <= LONGEST
    except UnicodeEncodeError:
        return False


def is_below(path: object) -> bool:
    """Whether it is a relative path of such names, with ``/`` between them."""
    return isinstance(path, str) and all(map(is_name, path.split("/")))
