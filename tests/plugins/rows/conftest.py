"""Fixtures of the tests of people's own rows: real files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import harness
from harness_rows.jsonl import Jsonl

Rows = list[dict[str, Any]]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write rows (or bytes) as a JSONL file."""

    def write(content: Rows | bytes, name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in content), "utf-8")
        return path

    return write


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., list[harness.Example]]:
    """Load with the source ``jsonl``, options as a config would give them."""

    def load(**options: Any) -> list[harness.Example]:
        source = Jsonl(Jsonl.Options.model_validate(options))
        return list(source.load(harness.Context(tmp_path)))

    return load
