"""The command for an extra fits the way harness was installed."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

import pytest

from harness.kit.installing import install_extra

CLONE = {"url": "file:///home/a%20b/clone", "dir_info": {"editable": True}}
CASES: list[tuple[Any, str]] = [
    (None, "pip install 'iteration-harness[rate]'"),
    (CLONE, "pip install -e '/home/a b/clone[rate]'"),
    ({**CLONE, "dir_info": {}}, "pip install '/home/a b/clone[rate]'"),
    (
        {"url": "https://x.example/h.git", "vcs_info": {"vcs": "git"}},
        "pip install 'iteration-harness[rate] @ git+https://x.example/h.git'",
    ),
    (
        {"url": "file:///tmp/h.whl", "archive_info": {}},
        "pip install 'iteration-harness[rate] @ file:///tmp/h.whl'",
    ),
    ("not JSON", "pip install 'iteration-harness[rate]'"),
    ([1], "pip install 'iteration-harness[rate]'"),
]


def installed(folder: Path, source: Any) -> PathDistribution:
    if source is not None:
        text = source if isinstance(source, str) else json.dumps(source)
        (folder / "direct_url.json").write_text(text)
    return PathDistribution(folder)


@pytest.mark.parametrize(("source", "command"), CASES, ids=range(len(CASES)))
def test_the_command_names_where_harness_came_from(
    tmp_path: Path, source: Any, command: str
) -> None:
    assert install_extra("rate", installed(tmp_path, source)) == command


def test_in_the_clone_itself_it_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = {"url": tmp_path.as_uri(), "dir_info": {"editable": True}}
    assert install_extra("rate", installed(tmp_path, source)) == "pip install -e '.[rate]'"


def test_pip_takes_the_command_of_this_installation() -> None:
    words = install_extra("rate").replace("'", "").split()
    done = subprocess.run(
        [sys.executable, "-m", *words, "--dry-run", "--no-deps", "--no-build-isolation", "-q"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "No matching distribution" not in done.stderr
