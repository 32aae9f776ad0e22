from __future__ import annotations

import shutil

import pytest


@pytest.fixture
def done(finished, tmp_path_factory):
    """A copy of a run that has ended, and its name."""
    project, result = finished
    folder = tmp_path_factory.mktemp("copy") / "project"
    shutil.copytree(project.folder, folder)
    return type(project)(folder), result.document["run"]
