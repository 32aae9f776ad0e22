"""A folder without a config, in which no model is at hand: lengths are in words, and quick."""

from __future__ import annotations

import pytest

from tests.support.project import Project


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A project's folder, still empty."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    return Project(tmp_path / "work")
