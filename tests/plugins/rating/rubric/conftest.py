"""The small rubric, as a file and read."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.records.rubrics import Rubric
from harness_rating.rubric import file
from tests.plugins.rating.tiny import write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tiny.yaml"


@pytest.fixture
def tiny(path: Path) -> Rubric:
    write(path)
    return file.load(path)
