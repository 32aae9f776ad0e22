"""Which files the rows are read from, and which reader each needs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from harness import DataError
from harness_rows.converting import SPLIT_NAMES
from harness_rows.heads import HEAD, unreadable
from harness_rows.problems import Problems
from harness_rows.readers.base import File, Reader
from harness_rows.readers.delimited import Delimited
from harness_rows.readers.lines import JsonLines

READERS: dict[str, type[Reader]] = {
    ".jsonl": JsonLines, ".ndjson": JsonLines, ".jsonlines": JsonLines,
    ".csv": Delimited, ".tsv": Delimited,
}  # fmt: skip


def found(path: Path) -> list[File]:
    """The files at a path, sorted by name, each with the split that its name says.

    Raises:
        DataError: there is nothing, or nothing that can be read.
    """
    if path.is_file():
        return [File(path, shown(path))]
    if not path.is_dir():
        raise DataError("there is no such file or folder", where=shown(path))
    paths = sorted(
        one for one in path.rglob("*") if one.suffix.lower() in READERS and _visible(one, path)
    )
    if not paths:
        raise DataError(
            f"the folder holds no file of rows ({', '.join(sorted(READERS))})", where=shown(path)
        )
    labels = _labels(paths, path)
    splits = [split_of(one.relative_to(path)) for one in paths]
    # `valid` is a split of its own only where there is a file for dev, too.
    if "dev" not in splits:
        splits = ["dev" if split == "valid" else split for split in splits]
    return [File(one, labels[one], split) for one, split in zip(paths, splits, strict=True)]


def reader_for(file: File, problems: Problems) -> Reader | None:
    """A reader of the file, or None where it cannot be read: its problem has been noted."""
    try:
        with file.path.open("rb") as stream:
            head = stream.read(HEAD)
    except OSError as error:
        problems.add(f"cannot be read: {error.strerror}", file.label)
        return None
    reason = "the file is empty" if not head.strip() else unreadable(head)
    kind = READERS.get(file.path.suffix.lower())
    if kind is None:
        reason = reason or f"unknown kind of file (known: {', '.join(sorted(READERS))})"
    if reason or kind is None:
        problems.add(reason, file.label)
        return None
    return kind(file, problems)


def shown(path: Path) -> str:
    """The path as people would type it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def split_of(path: Path) -> str:
    """The split that a file's name (``squad-train-v1.json``) or its folder says, or empty."""
    for part in (path.stem, *reversed(path.parent.parts)):
        words = re.split(r"[^a-z]+", part.casefold())
        splits = {SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES}
        if len(splits) == 1:
            return splits.pop()
    return ""


def _visible(path: Path, folder: Path) -> bool:
    return not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)


def _labels(paths: Sequence[Path], folder: Path) -> dict[Path, str]:
    """Short names that tell the files apart and do not depend on the machine."""
    names = Counter(path.name for path in paths)
    return {
        path: path.name if names[path.name] == 1 else path.relative_to(folder).as_posix()
        for path in paths
    }
