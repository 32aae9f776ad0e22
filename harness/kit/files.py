"""All writing to disk: whole or not at all, and known by content."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import hashlib
import json
import os
import shutil
import stat
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

from harness.errors import DataError
from harness.errors.machine import storing
from harness.kit.inside import not_a_link
from harness.kit.text import storable

SEAL = "seal"
"""Key of a line's checksum: the digest of all that the line says besides."""


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces: equal values give equal bytes.

    Lone surrogates are kept as escapes, so that any text has a digest.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest(value: Any) -> str:
    """sha256 (hex) of a JSON value's canonical form."""
    return hashlib.sha256(canonical(value)).hexdigest()


def file_digest(path: Path) -> str:
    """sha256 (hex) of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


LARGE = 1 << 20
"""Bytes from which a file is not read twice for :func:`files_digest`, as the weights of a model."""
SETTLED = 2.0
"""Seconds since a file's last change after which its state tells whether it changed again: so
coarse is the clock of a file system at most."""


def _read_once(path: Path) -> str:
    """The digest of a file; of a large one that has not changed since, the one of before."""
    state = path.stat()
    if state.st_size < LARGE or time.time() - max(state.st_mtime, state.st_ctime) < SETTLED:
        return file_digest(path)
    return _digest_of(path, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


@functools.lru_cache(maxsize=1024)
def _digest_of(path: Path, *_state: int) -> str:
    return file_digest(path)


def files_digest(paths: Iterable[Path]) -> str:
    """One digest for the content of many files, whatever folder they lie in.

    Raises:
        DataError: a file is missing or cannot be read.
    """
    whole = hashlib.sha256()
    for path in paths:
        try:
            whole.update(f"{path.name}\0{_read_once(path)}\n".encode("utf-8", "surrogatepass"))
        except OSError as error:
            raise DataError(f"cannot read it: {error.strerror}", where=str(path)) from None
    return whole.hexdigest()


def open_regular(path: Path) -> BinaryIO:
    """The bytes of somebody's file, which is a file: no pipe, device or socket, by no link either.

    Raises:
        OSError: it is none, or cannot be read; ``strerror`` says so.
    """
    _check_regular(path, os.stat(path).st_mode)
    # Without O_NONBLOCK a pipe that has taken the file's place would be waited for.
    stream = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")  # noqa: SIM115
    try:
        _check_regular(path, os.fstat(stream.fileno()).st_mode)
    except OSError:
        stream.close()
        raise
    return stream


def _check_regular(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        names = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
        name = names.get(stat.S_IFMT(mode), "device")
        raise OSError(errno.EINVAL, f"it is a {name}, not a file", str(path))


def read_whole(path: Path, most: int) -> bytes:
    """A regular file, or what a shell hands over as one (``<(command)``, ``/dev/stdin``).

    Args:
        most: bytes that it may have.

    Raises:
        OSError: as :func:`open_regular`, or it is larger.
    """
    handed = str(path).startswith(("/dev/fd/", "/proc/self/fd/")) or str(path) == "/dev/stdin"
    is_pipe = handed and stat.S_ISFIFO(os.stat(path).st_mode)
    with path.open("rb") if is_pipe else open_regular(path) as stream:
        return read_at_most(stream, most, str(path))


def read_at_most(stream: BinaryIO, most: int, name: str) -> bytes:
    """What stands in an open file, a pipe or standard input for one.

    Raises:
        OSError: it is larger; or it cannot be read.
    """
    data = stream.read(most + 1)
    if len(data) > most:
        size = f"{most >> 20} MiB" if most >> 20 else f"{most >> 10} KiB"
        raise OSError(errno.EFBIG, f"it is larger than {size}", name)
    return data


def fsync(descriptor: int) -> None:
    """Wait until what was written to an open file is on the disk: the one place that does."""
    os.fsync(descriptor)


def write_bytes(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a whole file under a temporary name, fsync, and rename it into place.

    Args:
        durable: False: no fsync. Where the machine itself ends, the file may be empty or missing,
            which whoever reads it has to notice.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as stream:
                stream.write(data)
                stream.flush()
                if durable:
                    fsync(stream.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
    if durable:
        sync_folder(path.parent)


def write_first(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a whole file unless there is one already: of two who do so, all read the first one's.

    Args:
        mode: of the file, less the umask.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
            stream.write(data)
            stream.flush()
            fsync(stream.fileno())
        try:
            os.link(temporary, path)  # unlike a rename, it replaces nothing
        except FileExistsError:
            pass
        except OSError:  # a disk without links
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def made_once(
    path: Path, is_whole: Callable[[bytes], object], make: Callable[[], bytes], mode: int = 0o666
) -> bytes:
    """The content of a file that whoever needs it first has made; anew where it is damaged.

    Args:
        mode: see :func:`write_first`.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        pass
    else:
        if is_whole(content):
            return content
        path.unlink(missing_ok=True)
    write_first(path, make(), mode)
    return path.read_bytes()


def overwrite(path: Path, data: bytes) -> None:
    """Write a note that may be cut by a crash, in its place and without waiting for the disk.

    Raises:
        Outside: the file is a link.
        OSError: the system refuses.
    """
    with open(path, "wb", opener=not_a_link) as stream:
        stream.write(data)


def write_text(path: Path, text: str) -> None:
    """Write a whole UTF-8 file, or nothing; NUL and lone surrogates become U+FFFD."""
    write_bytes(path, storable(text).encode())


def write_json(path: Path, value: Any) -> None:
    """A JSON document for people and programs: indented, keys in the order given."""
    write_bytes(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """The JSON value in a file.

    Raises:
        ValueError, OSError: it is not there or no JSON.
    """
    return json.loads(path.read_bytes())


def write_jsonl(path: Path, values: Iterable[Any]) -> None:
    """One compact JSON value a line."""
    write_bytes(path, b"".join(canonical(value) + b"\n" for value in values))


def read_jsonl(path: Path) -> Iterator[Any]:
    """The values of a JSONL file that the harness wrote."""
    with path.open("rb") as stream:
        for line in stream:
            yield json.loads(line)


def append_line(path: Path, value: Mapping[str, Any]) -> None:
    """Append one sealed JSON line and fsync it before returning.

    A cut last line, left by a crash, is dropped first, so that it cannot spoil the new one.
    """
    with storing(path):
        AppendLog(path).append(lambda lines, whole: sealed(value))


def sealed(value: Mapping[str, Any]) -> bytes:
    """The line that says ``value``, with its checksum and its end."""
    return canonical({**value, SEAL: digest(value)}) + b"\n"


class AppendLog:
    """A file of lines to which threads and processes append: each time one write, under a lock.

    A line that a crash has cut was never acknowledged, and is cut off before the next one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._end, self._inode = 0, -1

    def skip(self, end: int) -> None:
        """Count so many first bytes of the file as read."""
        self._end, self._inode = end, os.stat(self.path).st_ino

    def append(self, make: Callable[[list[bytes], bool], bytes]) -> None:
        """Append what ``make`` gives; it is on the disk when this returns.

        Args:
            make: gets the lines that came since the last call, and whether these are all that the
                file holds (at first, and where another file has taken its place).

        Raises:
            OSError: the disk is full or not writable; the file is as it was.
            DataError: the end of the last line is damaged, or the file is a link; what there is
                is as it was.
        """
        created = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a+b", buffering=0, opener=not_a_link) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            state = os.fstat(stream.fileno())
            same = state.st_ino == self._inode and state.st_size >= self._end
            start = self._end if same else 0
            stream.seek(start)
            data = stream.read()
            end = start + data.rfind(b"\n") + 1
            if _is_whole(data[end - start :]):
                # To cut it off would lose what was acknowledged.
                raise DataError(
                    "the end of its last line is damaged",
                    where=str(self.path),
                    hint="take the file from a backup",
                )
            fresh = make(data[: end - start].split(b"\n")[:-1], start == 0)
            if end != start + len(data):
                stream.truncate(end)
            self._end, self._inode = end, state.st_ino
            if fresh:
                _write_whole(stream, fresh, end)
                self._end += len(fresh)
        if created:
            sync_folder(self.path.parent)


def _write_whole(stream: FileIO, data: bytes, end: int) -> None:
    """One write and its fsync; if that fails, the file ends where it did."""
    try:
        if stream.write(data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), stream.name)
        fsync(stream.fileno())
    except OSError:
        stream.truncate(end)
        raise


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an append-only file.

    Attributes:
        number: from 1.
        value: what it says, without its seal; None where it is damaged.
        trouble: what is wrong with a damaged one.
    """

    number: int
    value: dict[str, Any] | None
    trouble: str = ""


def scan_lines(path: Path, offset: int = 0) -> list[Line]:
    """The complete lines of an append-only file, damaged ones among them; a cut tail is ignored.

    A line is believed if its seal is the digest of the rest and its bytes are the canonical form.

    Args:
        offset: bytes before the first line that is wanted.
    """
    if not path.exists():
        return []
    with path.open("rb") as stream:
        stream.seek(offset)
        lines = whole_lines(stream.read())
    return [Line(number, *read_sealed(raw)) for number, raw in enumerate(lines, start=1)]


def whole_lines(data: bytes) -> list[bytes]:
    """The lines of an append-only file without their ends; a tail that a crash has cut is left out.

    A last line that is complete but for its end was damaged, not cut: it is one of them.
    """
    *lines, tail = data.split(b"\n")
    return [*lines, tail] if _is_whole(tail) else lines


def _is_whole(tail: bytes) -> bool:
    return bool(tail) and read_sealed(tail[:-1])[0] is not None


def read_sealed(raw: bytes) -> tuple[dict[str, Any] | None, str]:
    """What a line says (None: damaged), and what is wrong with it."""
    try:
        value = json.loads(raw)
        if not isinstance(value, dict):
            return None, "it is no JSON object"
        if SEAL not in value:
            return None, "it has no checksum: an earlier version wrote it, or it was edited"
        is_canonical = canonical(value) == raw
    except (ValueError, RecursionError):
        return None, "it is no JSON that the harness wrote"
    if not is_canonical or value.pop(SEAL) != digest(value):
        return None, "its checksum is wrong"
    return value, ""


def manifest_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Relative name -> sha256 and size of every file below a folder, sorted."""
    return {
        path.relative_to(folder).as_posix(): {
            "sha256": file_digest(path),
            "size": path.stat().st_size,
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, under a temporary name beside ``path``; renamed once the block ends.

    Where the block raises, by Ctrl-C too, nothing of it is left.

    Args:
        path: does not exist, or is an empty folder; no link.

    Raises:
        StorageError: the system refuses, or something lies at ``path`` by now.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    with storing(path):
        temporary.mkdir()
    try:
        yield temporary
        with storing(path):
            sync_tree(temporary)
            os.rename(temporary, path)
    finally:
        remove(temporary)
    sync_folder(path.parent)


def sync_tree(folder: Path) -> None:
    """fsync every file and folder below ``folder``, and the folder itself."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as stream:
                fsync(stream.fileno())
        elif path.is_dir():
            sync_folder(path)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make a rename inside the folder durable (a no-op where folders cannot be opened)."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file or a folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
