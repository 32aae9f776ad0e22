"""Projects, with or without a run in them, for the tests of all rooms."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.data import screening
from harness.data.screening import Rules
from harness.data.splits import rows_digest
from harness.engine.steps import gating
from harness.kit import files
from harness.records import Example
from tests.support.project import Project, Result


@pytest.fixture(autouse=True, scope="session")
def _no_fsync() -> Iterator[None]:
    """No test cuts the power: what was written is there for the next process without it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def screened() -> Iterator[dict[str, Any]]:
    """Rows are screened once by the same rules: most runs of the tests have the same rows.

    A test that compares two screenings empties it in between.
    """
    known: dict[str, Any] = {}
    screen = gating.screen

    def remembered(rows: Sequence[Example], rules: Rules, **rest: Any) -> Any:
        limits = screening.MOST_COMPARED, gating.MOST_HELD_OUT
        key = f"{rows_digest(rows, lineage=True)} {rules} {rest['seed']} {limits}"
        rest.get("check", lambda: None)()
        if key not in known:
            known[key] = screen(rows, rules, **rest)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gating, "screen", remembered)
        patch.setattr(screening, "screen", remembered)
        yield known


@pytest.fixture(scope="session")
def run_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Result]:
    """A run that has ended, made once for all tests; they get copies of it."""
    made = Project(tmp_path_factory.mktemp("once"))
    made.write()
    return made, made.inside("iterate", "--json")


@pytest.fixture(scope="module")
def finished(
    run_once: tuple[Project, Result], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, Result]:
    """A run that has ended, shared by the tests of a file: to be looked at, not changed."""
    made, result = run_once
    folder = tmp_path_factory.mktemp("finished") / "copy"
    shutil.copytree(made.folder, folder)
    return Project(folder), result


@pytest.fixture(scope="session")
def _short_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Result]:
    made = Project(tmp_path_factory.mktemp("short"))
    made.write()
    return made, made.inside("iterate", "--rounds", "1", "--json")


@pytest.fixture
def short(_short_once: tuple[Project, Result], tmp_path: Path) -> tuple[Project, Result]:
    """A run of one round that has ended, in a folder that the test may change."""
    made, result = _short_once
    shutil.copytree(made.folder, tmp_path / "short")
    return Project(tmp_path / "short"), result


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A temporary experiment of fakes; nothing has been run in it."""
    made = Project(tmp_path)
    made.write()
    return made
