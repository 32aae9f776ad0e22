"""Rows written as JSON lines with their original columns: new files, and all of them or none."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import UsageError
from harness.kit.files import remove
from harness.kit.inside import inside
from harness.kit.readers import Record
from harness.kit.terminal.targets import check_target, write_target
from harness_rows.reading import Reading
from harness_rows.roles import MISSING, value_of

SUFFIXES = (".jsonl", ".ndjson")


def need_new_file(option: str, path: Path) -> None:
    """Raises UsageError where no new ``.jsonl`` file can be."""
    if path.suffix not in SUFFIXES:
        raise UsageError(
            f"{option} {path}: rows are written as JSON lines", hint="name a new .jsonl file"
        )
    check_target(option, path)
    if path.exists():
        raise UsageError(f"{option} {path}: this file is there already", hint="name a new one")


def need_new(option: str, path: Path) -> None:
    """Raises UsageError where neither a new ``.jsonl`` file nor a new folder can be."""
    if path.suffix in SUFFIXES:
        need_new_file(option, path)
        return
    if path.suffix and not path.is_dir():
        raise UsageError(
            f"{option} {path}: rows are written as JSON lines",
            hint="name a .jsonl file, or a folder",
        )
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(f"{option} {path}: it is there and not empty", hint="name a new folder")
    if not path.resolve().parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {path.resolve().parent}")


def records(reading: Reading) -> Iterator[Record]:
    """The original columns of each row; a split that only the name of its file said is added."""
    column = (*reading.columns.get("split", ()), "split")[0]
    for row, record in zip(reading.rows, reading.records, strict=True):
        is_known = not row.split or value_of(record, column) not in (MISSING, None, "")
        yield record if is_known else {**record, column: row.split}


def write(files: Iterable[tuple[str, Path, Iterable[Record]]]) -> None:
    """Write all files of (option, path, rows), or none.

    Raises:
        EnvironmentFailure: the system refuses.
    """
    written: list[Path] = []
    try:
        for option, path, rows in files:
            write_target(option, path, encoded(rows))
            written.append(path)
    except BaseException:
        for path in written:
            with contextlib.suppress(OSError):
                path.unlink()
        raise


def write_folder(option: str, folder: Path, splits: Mapping[str, Sequence[Record]]) -> list[Path]:
    """Write a folder with a file for each split, or nothing; returns the files.

    Raises:
        EnvironmentFailure: the system refuses.
    """
    # The folder appears under its name once it is whole.
    making = folder.resolve().with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        for split, rows in splits.items():
            write_target(option, inside(making, f"{split}.jsonl"), encoded(rows))
        os.replace(making, folder)
    finally:
        remove(making)
    return sorted(folder.glob("*.jsonl"))


def encoded(records: Iterable[Record]) -> bytes:
    """One JSON object a line. What JSON has not becomes text: dates, decimals, bytes (base64)."""
    lines = bytearray()
    for record in records:
        line = json.dumps(_storable(record), ensure_ascii=False, default=_text, allow_nan=False)
        lines += f"{line}\n".encode("utf-8", "backslashreplace")
    return bytes(lines)


def _storable(value: Any) -> Any:
    """The value without numbers that are none: JSON has no NaN."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {str(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    return value


def _text(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
