"""The notebook of a first run: its cells run in their order, on a file of one's own."""

from __future__ import annotations

import csv
import re
import shlex
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from tests.support.notebook import code_cells, run_cells
from tests.support.project import CONFIG, Project

ROOT = Path(__file__).parents[2]
PATH = ROOT / "docs" / "notebooks" / "first-run.ipynb"
NOT_HERE = "is not installed: pip install -e '.[dev]'"


def tiny(rows: int) -> dict[str, str]:
    """The cells but the installation, of one round on so many rows of a file of our own."""
    cells = code_cells(PATH)
    del cells["install"]
    with open("desk.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["message", "desk"])
        for number in range(rows):
            desk = ("Card", "Fine", "Rooms")[number % 3]
            table.writerow([f"Question {number} of somebody's at the {desk} desk", desk])
    cells["parameters"] = 'FILE, SYSTEM, ROUNDS = "desk.csv", "Which desk\'s is it?", 1'
    return cells


def test_it_is_a_notebook_without_outputs() -> None:
    nbformat = pytest.importorskip("nbformat", reason=f"nbformat {NOT_HERE}")
    notebook = nbformat.read(PATH, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not [cell.id for cell in code if cell.outputs or cell.execution_count]


def test_it_installs_this_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (wanted,) = re.findall(r'"(.*)"', code_cells(PATH)["install"])
    assert wanted == f"{project['name']}[train] @ git+{project['urls']['Repository']}"
    assert PATH.read_text(encoding="utf-8").count(project["urls"]["Repository"]) == 1


def test_its_cells_run_with_tiny_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands run within this process, and the config that is written gives way to ours."""
    pytest.importorskip("IPython", reason=f"IPython {NOT_HERE}")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "no model"))  # lengths are counted in words
    monkeypatch.chdir(tmp_path)
    project, printed, main = Project(tmp_path), {}, sys.modules["__main__"]

    def command(line: str) -> int:
        program, *words = shlex.split(line)
        if program == "cat":
            (config,) = words
            printed["init"] = Path(config).read_text(encoding="utf-8")
            project.write(CONFIG)
            return 0
        assert program == "harness"
        done = project.inside(*words)
        printed[words[0]] = done.out + done.err
        return done.code

    shown = run_cells(tiny(60), tmp_path / "ipython", command)
    assert "path: desk.csv" in printed["init"] and "Which desk's is it?" in printed["init"]
    assert "harness-blocks" in (shown["report"] or "") and "Rounds" in (shown["report"] or "")
    assert "<table" in (shown["wrong"] or "") and "repeat dev" in (shown["wrong"] or "")
    assert sys.modules["__main__"] is main
    assert "Not worth it" in printed["advise"] or "Not known yet" in printed["advise"]


@pytest.mark.nightly
@pytest.mark.model
def test_its_cells_run_with_the_real_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("IPython", reason=f"IPython {NOT_HERE}")
    monkeypatch.chdir(tmp_path)
    scripts = sysconfig.get_path("scripts")
    monkeypatch.setenv("PATH", f"{scripts}:{Path(sys.executable).parent}", prepend=":")
    shown = run_cells(tiny(60), tmp_path / "ipython")
    assert "Rounds" in (shown["report"] or "")
    assert "harness-blocks" in (shown["wrong"] or "")
