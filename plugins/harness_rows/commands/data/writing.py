"""Rows written as JSON lines: a new file, or a new folder with one for each split."""

from __future__ import annotations

import base64
import json
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import UsageError
from harness.kit.files import remove
from harness.terminal.targets import check_target, write_target
from harness_rows.commands.data.dealing import Dealing, by_split
from harness_rows.records import Record

SUFFIXES = (".jsonl", ".ndjson")
OUTPUT = "-o"


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows are written.

    Attributes:
        folder: whether it is a folder with a file for each split.
    """

    path: Path
    folder: bool

    @classmethod
    def of(cls, path: Path, option: str = OUTPUT) -> Target:
        """What is meant by an option; nothing that is there already is written over.

        Raises:
            UsageError: it cannot be written, or is there.
        """
        if path.suffix in SUFFIXES:
            check_target(option, path)
            if path.exists():
                raise UsageError(
                    f"{option} {path}: this file is there already", hint="name a new one"
                )
            return cls(path, False)
        if path.suffix and not path.is_dir():
            raise UsageError(
                f"{option} {path}: rows are written as JSON lines",
                hint="name a .jsonl file, or a folder",
            )
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise UsageError(
                f"{option} {path}: it is there and not empty", hint="name a new folder"
            )
        if not path.resolve().parent.is_dir():
            raise UsageError(f"{option} {path}: there is no folder {path.resolve().parent}")
        return cls(path, True)

    def write(self, dealing: Dealing) -> list[Path]:
        """Write all rows, or nothing.

        Raises:
            EnvironmentFailure: the system refuses.
        """
        if not self.folder:
            write_target(OUTPUT, self.path, encoded(dealing.records))
            return [self.path]
        making = self.path.resolve().with_name(f".{self.path.name}.{uuid.uuid4().hex[:8]}.tmp")
        try:
            for split, records in by_split(dealing).items():
                write_target(OUTPUT, making / f"{split}.jsonl", encoded(records))
            os.replace(making, self.path)
        finally:
            remove(making)
        return sorted(self.path.glob("*.jsonl"))


def encoded(records: Iterable[Record]) -> bytes:
    """One JSON object a line. What JSON has not becomes text: dates, decimals, bytes (base64)."""
    lines = (
        json.dumps(_storable(record), ensure_ascii=False, default=_text, allow_nan=False)
        for record in records
    )
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


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
