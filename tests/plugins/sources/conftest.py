"""Fixtures of the tests of ``docstrings``: real functions."""

from __future__ import annotations

import pytest

import harness
from harness_sources.docstrings import Docstrings


@pytest.fixture(scope="session")
def stdlib(tmp_path_factory: pytest.TempPathFactory) -> tuple[harness.Example, ...]:
    """The default draw of the standard library, read once."""
    context = harness.Context(tmp_path_factory.mktemp("stdlib"))
    return tuple(Docstrings().load(context))
