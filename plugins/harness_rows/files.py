"""Which files the rows are read from, and which reader each needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from itertools import islice
from pathlib import Path

from harness import DataError
from harness.kit.readers import (
    SUFFIXES,
    Fault,
    File,
    Problems,
    encodings,
    kind_of,
    packed,
    packed_or_wide,
    reader_of,
)
from harness_rows import documents
from harness_rows.documents import Part
from harness_rows.splits import split_of, with_dev

BESIDE = ("dataset_info.json", "state.json", "dataset_dict.json", "dataset_infos.json")
"""Files that `datasets` writes beside the rows."""
HEAD = 4096
MOST = 10_000
"""Files of a folder."""
_BINARY = 64
"""Bytes of which none is NUL in a text."""


def files_at(path: Path) -> list[tuple[File, str]]:
    """The files at a path, sorted by name, each with the split that its name says, or "".

    Raises:
        DataError: there is nothing, or nothing that can be read.
    """
    if path.is_file():
        return [(File(path, path.name), "")]
    if not path.is_dir():
        if path.exists():
            raise DataError("it is a pipe or a device, not a file or folder", where=shown(path))
        raise DataError("there is no such file or folder", where=shown(path))
    paths = sorted(islice((p for p in path.rglob("*") if _holds_rows(p, path)), MOST + 1))
    if len(paths) > MOST:
        raise DataError(
            f"the folder holds more than {MOST:,} files of rows",
            where=shown(path),
            hint="join them, or name one that holds fewer: each row of JSON lines is one line",
        )
    if not paths:
        suffixes = ", ".join(SUFFIXES)
        raise DataError(f"the folder holds no file of rows ({suffixes})", where=shown(path))
    labels = short_names(paths, lambda file: file.relative_to(path).as_posix())
    splits = with_dev([split_of(file.relative_to(path)) for file in paths])
    return [(File(file, labels[file]), split) for file, split in zip(paths, splits, strict=True)]


def parts(file: File, split: str, problems: Problems, encoding: str = "") -> list[Part]:
    """Readers of a file; none where it cannot be read: its problem has been noted.

    Args:
        encoding: that of texts; empty takes UTF-8, and UTF-16 and UTF-32 where they are.
    """
    suffix = file.path.suffix if file.path else ""
    try:
        with file.open() as stream:
            head = stream.read(HEAD)
        kind = kind_of(file, suffix)
        if kind not in ("parquet", "arrow") and not packed(head):
            text = _text(file, head, encoding, problems)
            if text is None:
                return []
            if text is not file:
                file = text
                head, kind = file.data[:HEAD], kind_of(file, suffix)
    except OSError as error:
        problems.add(Fault(f"cannot be read: {error.strerror}", file.label))
        return []
    reason = "" if head.strip() else "the file is empty"
    if not reason and kind not in ("parquet", "arrow"):
        reason = no_text(head)
        if not reason and kind is None:
            reason = f"unknown kind of file (known: {', '.join(SUFFIXES)})"
    if reason:
        problems.add(Fault(reason, file.label))
        return []
    if kind == "document":
        return documents.parts(file, split, problems)
    return [Part(reader_of(file, kind, problems.add), split)]


def _text(file: File, head: bytes, encoding: str, problems: Problems) -> File | None:
    """The file in UTF-8; None where it is not in its encoding: the problem has been noted.

    Raises:
        OSError: it cannot be read.
    """
    wide = encodings.wide(head)
    if not wide and (not encoding or not _is_ascii(file)):
        fault = encodings.fault(file, "--encoding")
        if fault is None:  # also in a folder of which other files are in that encoding
            return file
        if not encoding:
            problems.add(fault)
            return None
    encoding = wide or encoding
    try:
        return encodings.in_utf8(file, encoding)
    except UnicodeError as error:
        at = f": byte {error.start + 1}" if isinstance(error, UnicodeDecodeError) else ""
        hint = "name another --encoding" if not wide else "export the file again: it may be cut"
        problems.add(Fault(f"not {encoding}{at}", file.label, hint=hint))
        return None


def _is_ascii(file: File) -> bool:
    """Whether all bytes are ASCII, as those of encodings with shifts (`iso2022_jp`) are too."""
    with file.open() as stream:
        return all(chunk.isascii() for chunk in iter(lambda: stream.read(2**18), b""))


def no_text(head: bytes) -> str:
    """Why a file that begins so holds no rows of text, or empty."""
    reason = packed_or_wide(head)
    if not reason and 0 in head[:_BINARY]:
        reason = f"byte {head.index(0) + 1} is NUL: the file is no text"
    return reason


def shown(path: Path) -> str:
    """The path as people would type it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _holds_rows(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    return not hidden and path.suffix.lower() in SUFFIXES and path.name not in BESIDE


def short_names(paths: Collection[Path], longer: Callable[[Path], str]) -> dict[Path, str]:
    """Names that tell different files apart and do not depend on the machine.

    Args:
        longer: the name of a file where another one has its short name.
    """
    names = Counter(path.name for path in paths)
    return {path: path.name if names[path.name] == 1 else longer(path) for path in paths}
