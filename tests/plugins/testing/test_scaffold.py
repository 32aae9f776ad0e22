"""``harness plugins new KIND NAME``: a package that works before a line of it is changed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness import stages
from harness.errors import UsageError
from harness.kit import gate
from harness_testing import scaffold
from harness_testing.command import check, new
from tests.support.waiting import LONG


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(folder: Path, *command: str, **environment: str) -> Any:
    return subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, timeout=LONG,
        env={**os.environ, **environment}, check=False,
    )  # fmt: skip


def test_it_writes_a_package_and_says_what_to_type_next(here, capsys):
    new("metric", "acme-recall", None)
    out = capsys.readouterr().out
    files = sorted(p.relative_to(here).as_posix() for p in here.rglob("*") if p.is_file())
    assert files == [
        "acme-recall/.gitignore",
        "acme-recall/README.md",
        "acme-recall/acme_recall.py",
        "acme-recall/pyproject.toml",
        "acme-recall/tests/test_acme_recall.py",
    ]
    assert "cd acme-recall\n" in out
    assert "pip install -e '.[dev]'\n" in out
    assert out.rstrip().endswith("harness plugins check metric:acme-recall")
    project = tomllib.loads((here / "acme-recall" / "pyproject.toml").read_text())["project"]
    assert project["name"] == "acme-recall"
    assert project["dependencies"] == ["iteration-harness"]
    assert project["entry-points"]["harness"] == {"acme_recall": "acme_recall"}
    assert not [p for p in here.iterdir() if p.name.startswith(".")]


@pytest.mark.nightly
def test_its_test_passes_without_installing(here):
    new("metric", "acme-recall", None)
    done = run(here / "acme-recall", "-m", "pytest", "-W", "error", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout
    assert "22 passed" in done.stdout


def test_it_passes_its_own_check_as_a_file(here, capsys):
    new("metric", "acme-recall", Path("elsewhere"))
    check("elsewhere/acme_recall.py", ["ignore_case=false"], False)
    assert "18 rules hold" in capsys.readouterr().out


KINDS = scaffold.kinds()


def test_every_kind_of_plugin_and_a_command_can_be_written():
    assert set(KINDS) == {*stages.KINDS, "command"}


@pytest.mark.nightly(but_each=18)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "command"])
def test_each_passes_the_kit(here, capsys, kind):
    new(kind, "acme-first", None)
    options = ["url=acme-first://try"] if kind == "store" else []
    check("acme-first/acme_first.py", options, False)
    out = capsys.readouterr().out
    # An experiment is asked for nothing by a config that does not name it.
    note = r" \(1 with a note\)" if kind == "experiment" else ""
    assert re.search(rf"acme_first\.py: \d+ rules hold{note}; ", out), out


@pytest.mark.nightly
def test_the_written_tests_pass_without_installing(here):
    """That of a metric has a test of its own above; all others are as that of an augmenter."""
    for kind in ("augmenter", "command"):
        new(kind, f"acme-{kind}", None)
        done = run(here / f"acme-{kind}", "-m", "pytest", "-W", "error", "-p", "no:cacheprovider")
        assert done.returncode == 0, done.stdout
        assert "skipped" not in done.stdout


def test_a_written_command_reads_the_latest_run(finished, tmp_path, monkeypatch):
    project, _ = finished
    new("command", "acme-hello", tmp_path / "acme-hello")
    app = gate.import_file(
        "command_of_a_package", tmp_path / "acme-hello" / "acme_hello.py", by="a test"
    ).app
    monkeypatch.chdir(project.folder)
    result = CliRunner().invoke(app, ["--round", "0"], catch_exceptions=False)
    assert re.fullmatch(r"\S+, round 0: \d+ of \d+ answers are right\n", result.output)


LONGEST = "a-name-of-the-greatest-length-that-is-ok"


@pytest.mark.nightly
@pytest.mark.parametrize("length", ["88", "100"])
def test_they_are_clean_to_a_linter_and_a_formatter(here, length):
    for kind in KINDS:
        for name in ("f-2", LONGEST):
            new(kind, name, Path(f"{kind}-{len(name)}"))
    options = ["--isolated", "--no-cache", f"--config=line-length={length}", "."]
    chosen = "E,F,I,B,UP,SIM,RUF,PT,C4,PIE,RET"
    source = "--config=src=['*']"  # each folder is a project of its own
    found = run(here, "-m", "ruff", "check", "--select", chosen, source, *options)
    assert found.returncode == 0, found.stdout
    found = run(here, "-m", "ruff", "format", "--diff", *options)
    assert found.returncode == 0, found.stdout


@pytest.mark.nightly
def test_built_and_unpacked_elsewhere_it_is_found_by_its_entry_point(here):
    """What an installer does with a wheel, without one: unpack it where Python looks."""
    pytest.importorskip("hatchling", reason="the build backend: pip install hatchling")
    new("metric", "acme-recall", None)
    code = "from hatchling.build import build_wheel; build_wheel('dist')"
    done = run(here / "acme-recall", "-c", code)
    assert done.returncode == 0, done.stderr
    wheel = zipfile.ZipFile(next((here / "acme-recall" / "dist").glob("*.whl")))
    assert "acme_recall.py" in wheel.namelist()
    assert not [name for name in wheel.namelist() if "test" in name]
    wheel.extractall(here / "site")
    code = (
        "from harness.registry import Registry\n"
        "print(Registry.build().get('metric', 'acme-recall').origin)\n"
        "import sys\n"
        "from harness.cli import main\n"
        "sys.argv = ['harness', 'plugins', 'check', 'acme-recall']\n"
        "main()"
    )
    done = run(here, "-c", code, PYTHONPATH=str(here / "site"), PYTHONUTF8="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "acme_recall (acme-recall 0.1.0)" in done.stdout
    assert "18 rules hold" in done.stdout


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Acme", "lower case letters and digits, separated by single dashes"),
        ("acme_recall", "separated by single dashes"),
        ("-acme", "a letter first"),
        ("acme--recall", "single dashes"),
        ("3acme", "a letter first"),
        ("", "lower case"),
        ("../acme", "lower case"),
        ("a" * 41, "40 characters at most"),
        ("[bold]x\x1b[2J", "name '[bold]x'"),
        ("class", "a word of Python's own"),
        ("match", "a word of Python's own"),
        ("rouge", "there is a metric of that name, from harness_rouge"),
        ("csv", "a Python module 'csv' already"),
        ("numpy", "a Python module 'numpy' already"),
        ("harness", "a Python module 'harness' already"),
        ("tests", "a Python module 'tests' already"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(here, name, words):
    with pytest.raises(UsageError) as caught:
        new("metric", name, None)
    assert words in str(caught.value)
    assert list(here.iterdir()) == []


def test_an_unknown_kind_is_named_with_the_near_one(here):
    with pytest.raises(UsageError, match="'augmentor' cannot be written, did you mean 'augmenter'"):
        new("augmentor", "acme-teacher", None)
    assert list(here.iterdir()) == []


def test_a_command_enters_by_its_own_group(here):
    new("command", "acme-hello", None)
    text = (here / "acme-hello" / "pyproject.toml").read_text()
    assert tomllib.loads(text)["project"]["entry-points"] == {
        "harness.commands": {"acme-hello": "acme_hello:app"}
    }


def test_what_is_there_already_stays(here):
    (here / "acme-recall").mkdir()
    (here / "linked").symlink_to("nowhere")
    for folder in (None, Path("linked")):
        with pytest.raises(UsageError, match="this is there already"):
            new("metric", "acme-recall", folder)
    with pytest.raises(UsageError, match="the folder around it does not exist"):
        new("metric", "acme-recall", Path("no/where"))
    assert sorted(p.name for p in here.iterdir()) == ["acme-recall", "linked"]
    assert list((here / "acme-recall").iterdir()) == []


def test_a_failure_in_the_middle_leaves_nothing(here, monkeypatch):
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scaffold.os, "rename", full)
    with pytest.raises(OSError, match="No space left"):
        new("metric", "acme-recall", None)
    assert list(here.iterdir()) == []


def test_the_augmenter_of_the_guide_is_the_written_one():
    page = (Path(__file__).parents[3] / "docs" / "plugins" / "augmenter.md").read_text("utf-8")
    shown = page.partition("# politely.py\n")[2].partition("```")[0]
    written = (scaffold.TEMPLATES / "augmenter.py").read_text("utf-8").partition("\n\n")[2]
    assert shown == written.replace('"sample"', '"politely"').replace("Sample", "Politely")
