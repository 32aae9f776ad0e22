"""Which files the rows are read from, and which reader each needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path

from harness import DataError
from harness_rows.heads import HEAD, unreadable
from harness_rows.problems import Problems
from harness_rows.readers import documents
from harness_rows.readers.base import File, Reader
from harness_rows.readers.columnar import ARROW_FILE, Arrow, Parquet
from harness_rows.readers.delimited import Delimited
from harness_rows.readers.lines import JsonLines
from harness_rows.splits import split_of, with_dev

LINES = (".jsonl", ".ndjson", ".jsonlines")
TABLES = (".csv", ".tsv")
PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".feather", ".ipc")
SUFFIXES = (*LINES, ".json", *TABLES, *PARQUET, *ARROW)
BESIDE = ("dataset_info.json", "state.json", "dataset_dict.json", "dataset_infos.json")
"""Files that `datasets` writes beside the rows."""
_PARQUET_FILE = b"PAR1"
_STREAM = b"\xff\xff\xff\xff"


def found(path: Path) -> list[File]:
    """The files at a path, sorted by name, each with the split that its name says.

    Raises:
        DataError: there is nothing, or nothing that can be read.
    """
    if path.is_file():
        return [File(path, path.name)]
    if not path.is_dir():
        raise DataError("there is no such file or folder", where=shown(path))
    paths = sorted(one for one in path.rglob("*") if _holds_rows(one, path))
    if not paths:
        known = ", ".join(SUFFIXES)
        raise DataError(f"the folder holds no file of rows ({known})", where=shown(path))
    labels = short_names(paths, lambda one: one.relative_to(path).as_posix())
    splits = with_dev([split_of(one.relative_to(path)) for one in paths])
    return [File(one, labels[one], split) for one, split in zip(paths, splits, strict=True)]


def readers(file: File, problems: Problems) -> list[Reader]:
    """Readers of a file; none where it cannot be read: its problem has been noted."""
    try:
        with file.path.open("rb") as stream:
            head = stream.read(HEAD)
    except OSError as error:
        problems.add(f"cannot be read: {error.strerror}", file.label)
        return []
    if not head.strip():
        problems.add("the file is empty", file.label)
        return []
    make = _by_content(head) or _by_suffix(file.path.suffix.lower(), head)
    if make is None:
        reason = unreadable(head) or f"unknown kind of file (known: {', '.join(SUFFIXES)})"
        problems.add(reason, file.label)
        return []
    return make(file, problems)


Make = Callable[[File, Problems], list[Reader]]


def _by_content(head: bytes) -> Make | None:
    """The readers of files that are no text, whatever they are called."""
    if head.startswith(_PARQUET_FILE):
        return _one(Parquet)
    return _one(Arrow) if head.startswith((ARROW_FILE, _STREAM)) else None


def _by_suffix(suffix: str, head: bytes) -> Make | None:
    """The readers of texts."""
    if unreadable(head):
        return None
    if suffix == ".json":
        return documents.readers
    if suffix in LINES:
        return documents.readers if head.lstrip()[:1] == b"[" else _one(JsonLines)
    return _one(Delimited) if suffix in TABLES else None


def _one(kind: type[Reader]) -> Make:
    return lambda file, problems: [kind(file, problems)]


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
