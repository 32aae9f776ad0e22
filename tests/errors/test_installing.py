"""The command for an extra fits the way harness was installed."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

import pytest

from harness.errors import installing
from harness.errors.installing import install_again, install_extra, missing, missing_package
from harness.errors.machine import machine_trouble

PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "iteration-harness"
version = "1"
optional-dependencies = {rate = []}
[tool.hatch.build.targets.wheel]
include = ["harness.py"]
"""
PUT_BACK = ("--force-reinstall", "--no-deps")
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
        {
            "url": "https://x.example/h.git",
            "vcs_info": {"vcs": "git", "requested_revision": "v1", "commit_id": "0a1b"},
        },
        "pip install 'iteration-harness[rate] @ git+https://x.example/h.git@v1'",
    ),
    (
        {
            "url": "https://x.example/h.git",
            "subdirectory": "a/b",
            "vcs_info": {"vcs": "git", "commit_id": "0a1b"},
        },
        "pip install 'iteration-harness[rate] @ git+https://x.example/h.git@0a1b#subdirectory=a/b'",
    ),
    (
        {"url": "https://x.example/h.zip", "subdirectory": "a", "archive_info": {}},
        "pip install 'iteration-harness[rate] @ https://x.example/h.zip#subdirectory=a'",
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
    own = installed(tmp_path, source)
    assert install_extra("rate", own) == command
    again = shlex.split(command.replace("[rate]", ""))[2:]
    assert shlex.split(install_again(own)) == ["pip", "install", *PUT_BACK, *again]


def test_in_the_clone_itself_it_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = {"url": tmp_path.as_uri(), "dir_info": {"editable": True}}
    assert install_extra("rate", installed(tmp_path, source)) == "pip install -e '.[rate]'"


def take(command: str) -> None:
    """What pip would install is worked out, and nothing is installed."""
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command), "--dry-run", "--no-deps",
         "--no-build-isolation", "-q"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.nightly
def test_pip_takes_the_command_of_this_installation() -> None:
    take(install_extra("rate"))
    take(install_again())


@pytest.mark.nightly
def test_pip_takes_the_command_of_a_revision_and_a_folder(tmp_path: Path) -> None:
    """The latest revision cannot be installed, and neither can the folder above."""
    root = tmp_path / "a repository"
    (root / "sub").mkdir(parents=True)
    project = root / "sub/pyproject.toml"
    project.write_text(PROJECT)
    (root / "sub/harness.py").touch()
    own = ["-c", "user.name=x", "-c", "user.email=x@x.example"]
    for words in (["init", "-q"], ["add", "."], [*own, "commit", "-qm", "one"], ["tag", "v1"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    project.write_text("[project]")
    subprocess.run(["git", *own, "commit", "-qam", "two"], cwd=root, check=True)
    vcs = {"vcs": "git", "requested_revision": "v1", "commit_id": "0a1b"}
    source = {"url": f"file://localhost{root.as_uri()[7:]}", "vcs_info": vcs, "subdirectory": "sub"}
    take(install_extra("rate", installed(tmp_path, source)))


ABSENT = "a-package-that-nobody-has"


def test_what_is_missing_is_named_with_the_command_of_its_extra(monkeypatch) -> None:
    assert missing([]) == missing(["pydantic", "rich"]) == ""
    assert missing([ABSENT]) == f"{ABSENT} is not installed: pip install {ABSENT}"
    monkeypatch.setattr(installing, "_is_installed", lambda name: name == "rich")
    shown = missing(["torch", "rich", "peft", "trl"])
    assert shown == (
        "torch, peft and trl are not installed: "
        f"{install_extra('preference')}; {install_extra('train')}"
    )


@pytest.mark.parametrize(
    ("package", "extra"),
    [("torch", "train"), ("jinja2", "train"), ("pyarrow", "arrow"), ("trl", "preference"),
     ("starlette", "web"), ("huggingface_hub", "train")],
)  # fmt: skip
def test_an_import_that_fails_names_the_extra(package: str, extra: str) -> None:
    error = ModuleNotFoundError(f"No module named '{package}'", name=f"{package}.deep")
    failure = machine_trouble(error)
    assert failure is not None and failure.exit_code == 3
    assert failure.hint == install_extra(extra) and failure.package == package


@pytest.mark.parametrize("name", [ABSENT, "", "rich", "pytest", "harness.nothing"])
def test_an_import_of_what_no_extra_brings_is_its_importers_fault(name: str) -> None:
    assert missing_package(ModuleNotFoundError("no module", name=name)) is None
