"""Python, libraries, extras, memory and disk."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from harness.errors.installing import install_again
from harness.kit import cgroups
from harness_doctor import machine

GB = 1_000_000_000
Usage = namedtuple("Usage", "total used free")
METADATA = """\
Metadata-Version: 2.4
Name: iteration-harness
Version: 0.1.0
Requires-Dist: typer>=0.1
Requires-Dist: rich<2
Requires-Dist: acme-nowhere>=3
Requires-Dist: acme-windows; sys_platform == 'win32'
Provides-Extra: judge
Provides-Extra: all
Requires-Dist: acme-judge>=2; extra == 'judge'
Requires-Dist: pydantic<1; extra == 'judge'
Requires-Dist: iteration-harness[judge]; extra == 'all'
"""


@pytest.fixture
def declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "iteration_harness-0.1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(METADATA)
    own = importlib.metadata.PathDistribution(folder)
    monkeypatch.setattr(machine, "distribution", lambda name: own)


def test_needed_libraries_that_are_missing_or_unfit_are_problems(declared: None) -> None:
    section = machine.libraries()
    assert list(section.values["needed"]) == ["acme-nowhere", "rich", "typer"]
    problems = {t.what: t.cure for t in section.troubles if t.level == "problem"}
    version = importlib.metadata.version("rich")
    assert problems == {
        "acme-nowhere is missing: acme-nowhere>=3 is needed": "pip install 'acme-nowhere>=3'",
        f"rich {version} does not fit: rich<2 is needed": "pip install 'rich<2'",
    }


def test_missing_extras_are_no_problem_and_their_way_is_told(declared: None) -> None:
    section = machine.libraries()
    way = "not installed: acme-judge (pip install 'iteration-harness[judge]')"
    assert way in section.facts["[judge]"]
    [unfit] = [trouble for trouble in section.troubles if trouble.level == "warning"]
    assert unfit.what.startswith("pydantic ") and "[judge]" in unfit.what
    assert section.values["[judge]"]["acme-judge"] is None
    assert section.values["[all]"] == {}


def test_another_projects_package_of_the_same_name_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [t for t in machine.libraries().troubles if "another project" in t.what] == []
    other = tmp_path / "harness-0.1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: harness\nVersion: 0.1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    [trouble] = [t for t in machine.libraries().troubles if "another project" in t.what]
    assert trouble.level == "problem" and "'harness' 0.1.0" in trouble.what
    remove, put_back = trouble.cure.split(" && ")
    assert remove == "pip uninstall -y harness" and put_back == install_again()


def test_without_an_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(machine, "distribution", missing)
    [trouble] = machine.libraries().troubles
    assert trouble.level == "problem" and trouble.cure == "pip install -e ."


def test_the_real_installation_has_its_libraries() -> None:
    values = machine.libraries().values
    assert values["[train]"]["torch"] == importlib.metadata.version("torch")
    assert {"[remote]", "[web]", "[dev]"} <= set(values)


def test_another_harness_on_the_path_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, other = tmp_path / "own" / "harness", tmp_path / "other" / "harness"
    for path in (running, other):
        path.parent.mkdir()
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(running)])
    monkeypatch.setenv("PATH", str(other.parent))
    section = machine.python()
    [trouble] = section.troubles
    assert trouble.level == "warning" and str(other) in trouble.what
    assert trouble.cure == str(running) and section.values["command"] == str(other)
    monkeypatch.setenv("PATH", str(running.parent))
    assert not machine.python().troubles
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.python().facts["command"] == "harness is not on the PATH"


def test_little_memory_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "limits", lambda: cgroups.Limits(1.0, GB, GB))
    section = machine.resources()
    [trouble] = [t for t in section.troubles if "memory" in t.what]
    assert trouble.level == "warning" and trouble.what.startswith("1.0 GB of memory are available")
    assert trouble.cure == "raise the container's limit"
    assert section.facts["memory"] == "1.0 GB (limit of the control group), 1.0 GB available"
    assert section.facts["cores"] == f"1 of {os.cpu_count()} may be used"


@pytest.mark.parametrize(
    ("free", "level"), [(1_000_000, "problem"), (GB, "warning"), (50 * GB, None)]
)
def test_a_full_disk_is_told_once(
    monkeypatch: pytest.MonkeyPatch, free: int, level: str | None
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(100 * GB, 100 * GB - free, free))
    monkeypatch.setattr(machine, "_places", lambda: {"a": Path.cwd(), "b": Path.cwd() / "deep"})
    troubles = [t for t in machine.resources().troubles if "disk" in t.what]
    assert [t.level for t in troubles] == ([level] if level else [])


def test_a_folder_that_cannot_be_written_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    [first, *_] = [t for t in machine.resources().troubles if t.level == "problem"]
    assert first.what.startswith("nothing can be written into")


def test_the_real_disk_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_places", lambda: {"models": tmp_path / "not" / "there"})
    values = machine.resources().values
    assert values["disk"]["models"]["total"] == shutil.disk_usage(tmp_path).total


def test_a_busy_machine_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    told = []
    for load in (3.0, 3.1):
        monkeypatch.setattr(os, "getloadavg", lambda load=load: (load, 0.0, 0.0))
        troubles = machine.resources().troubles
        told.append([t for t in troubles if "load" in t.what and t.level == "warning"])
    assert told[0] == [] and "(load 3.1 on 2 cores)" in told[1][0].what
