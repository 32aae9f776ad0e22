"""A new plugin's package: the files that ``harness plugins new`` writes.

The package is a working one from the start: a plugin, a test that passes, an entry point. Its
module is one of ``templates/``, each of which is a plugin called ``sample``. It is written beside
its place and then renamed, so that no half of it is ever left.
"""

from __future__ import annotations

import importlib.util
import keyword
import os
import shlex
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import harness
from harness.kit.inside import inside
from harness.kit.text import one_line

TEMPLATES = Path(__file__).parent / "templates"
LONGEST = 40
_TAKEN = frozenset({"tests", "test", "conftest"})


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        folder: the package's folder.
        files: the files in it, relative to ``folder``.
        commands: what to type next.
    """

    folder: Path
    files: tuple[str, ...]
    commands: tuple[str, ...]


def kinds() -> list[str]:
    """What can be written: each kind of plugin, and a command."""
    return sorted(path.stem for path in TEMPLATES.glob("[a-z]*.py"))


def write_package(kind: str, name: str, folder: Path) -> Written:
    """Write a package with a plugin of that kind and name into a new folder.

    Raises:
        UsageError: the kind, name or folder cannot be used; nothing was written.
    """
    if kind not in (known := kinds()):
        what = f"'{one_line(kind, 40)}' cannot be written{harness.near(kind, known)}"
        raise harness.UsageError(what, hint=f"what can be: {', '.join(known)}")
    _check_name(kind, name)
    _check_folder(folder)
    files = _files(kind, name)
    temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
    try:
        temporary.chmod(0o755)
        for file, text in files.items():
            path = inside(temporary, *file.split("/"))
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        os.rename(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    commands = (
        f"cd {shlex.quote(str(folder))}",
        "pip install -e '.[dev]'",
        "python -m pytest",
        f"harness {name}" if kind == COMMAND else _check(kind, name),
    )
    return Written(folder, tuple(files), commands)


def _check(kind: str, name: str) -> str:
    option = f" --option url={name}://try" if kind == "store" else ""
    return f"harness plugins check {kind}:{name}{option}"


def module_of(name: str) -> str:
    """The module of a plugin's name."""
    return name.replace("-", "_")


def class_of(name: str) -> str:
    """The class of a plugin's name."""
    return "".join(part.capitalize() for part in name.split("-"))


def _check_name(kind: str, name: str) -> None:
    from harness_testing.contract import NAME, NAME_IN_WORDS

    where = f"name '{one_line(name, 60)}'"
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        what = f"it has to be {NAME_IN_WORDS}, {LONGEST} characters at most"
        raise harness.UsageError(what, where=where, hint="for example acme-recall")
    registry = harness.Registry.build()
    if kind != COMMAND and name in registry.names(kind):
        origin = registry.get(kind, name).origin
        raise harness.UsageError(f"there is a {kind} of that name, from {origin}", where=where)
    module = module_of(name)
    if keyword.iskeyword(module) or keyword.issoftkeyword(module):
        raise harness.UsageError("this is a word of Python's own", where=where, hint=_LONGER)
    if module in _TAKEN or module in sys.stdlib_module_names or _importable(module):
        raise harness.UsageError(
            f"there is a Python module '{module}' already", where=where, hint=_LONGER
        )


_LONGER = "put your team's name before it, as acme-recall"


def _importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return True


def _check_folder(folder: Path) -> None:
    if folder.exists() or folder.is_symlink():
        raise harness.UsageError(
            "this is there already", where=str(folder), hint="choose another folder"
        )
    if not folder.parent.is_dir():
        raise harness.UsageError("the folder around it does not exist", where=str(folder))


def _files(kind: str, name: str) -> dict[str, str]:
    """File -> its text."""
    module = module_of(name)
    config = _CONFIG.get(kind, "")
    use = f"In `harness.yaml`:\n\n    {config}\n\n" if config else ""
    group, value = "harness", module
    if kind == COMMAND:
        group, value = '"harness.commands"', f"{module}:app"
    words = {
        "«name»": name,
        "«module»": module,
        "«class»": class_of(name),
        "«kind»": kind,
        "«check»": "" if kind == COMMAND else f"\n    {_check(kind, name)}",
        "«group»": group,
        "«entry»": name if kind == COMMAND else module,
        "«value»": value,
    }
    texts = {
        "pyproject.toml": _PYPROJECT,
        f"{module}.py": _module(kind),
        f"tests/test_{module}.py": _TESTS.get(kind, _TEST),
        "README.md": _README.replace("«use»", use + _MORE.get(kind, "")),
        ".gitignore": _IGNORED,
    }
    return {file: _filled(text, words) for file, text in texts.items()}


def _module(kind: str) -> str:
    """A template with marks in place of the names that it has as a plugin of its own."""
    text = (TEMPLATES / f"{kind}.py").read_text(encoding="utf-8")
    text = text.replace('"sample"', '"«name»"').replace("``sample``", "``«name»``")
    return text.replace("Sample", "«class»").replace("def sample(", "def «module»(")


def _filled(text: str, words: dict[str, str]) -> str:
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text


COMMAND = "command"
_CONFIG = {
    "source": "data: {source: «name»}",
    "model": "model: {source: «name»}",
    "trainer": "train: {plugin: «name»}",
    "generator": "generate: {plugin: «name»}",
    "metric": "metrics: [{plugin: «name»}]\n    primary: «name»",
    "detector": "detect: [basic, «name»]",
    "analyzer": "analyze: [slices, «name»]",
    "augmenter": "augment: [{plugin: «name», rows: 40}]",
    "baseline": "baselines: [«name»]",
    "searcher": "search: «name»",
    "probe": "probes: [general, «name»]",
    "reporter": "report: [terminal, «name»]",
    "section": "sections: [«name»]",
    "verifier": "augment: [{plugin: teacher, rows: 40, verify: [{plugin: «name»}], …}]",
    "runner": "execution: {launcher: «name», workers: 2}",
    "store": 'execution: {store: "«name»://project"}',
}
"""Kind -> how a config names it; the others are named by no config."""
_MORE = {
    "metric": """\
Score files with it:

    harness score --predictions out.jsonl --references refs.jsonl --metrics «name»

""",
    COMMAND: """\
Once it is installed, in a folder with a run:

    harness «name»

""",
    "judge": """\
Have it rate a batch:

    harness rate judge --judge «name»

""",
}

_PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "«name»"
version = "0.1.0"
description = "The «kind» «name» for harness."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["iteration-harness"]

[project.optional-dependencies]
dev = ["pytest"]

[project.entry-points.«group»]
«entry» = "«value»"

[tool.hatch.build.targets.wheel]
only-include = ["«module».py"]

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]
"""

_TEST = '''\
"""The rules that every «kind» obeys."""

import pytest
from harness_testing import rules

from «module» import «class»


@pytest.mark.parametrize("rule", rules("«kind»"), ids=str)
def test_conformance(rule):
    rule.check(«class»)
'''

_TEST_OF_METRIC = '''\
"""The rules that every metric obeys, and values worked out by hand."""

import harness
import pytest
from harness_testing import metric_rules

from «module» import «class»

OPTIONS = {"ignore_case": True}


@pytest.mark.parametrize("rule", metric_rules(), ids=str)
def test_conformance(rule):
    rule.check(«class», OPTIONS)


@pytest.mark.parametrize(
    ("answer", "value"),
    [("The refund takes five days", 1.0), ("five days", 0.5), ("No.", 0.0), ("", 0.0)],
)
def test_value(answer, value):
    options = «class».Options(**OPTIONS)
    metric = «class»(options)
    question = {"role": "user", "content": "When is my refund there?"}
    example = harness.Example("a", (question,), ("Refund takes five days",))
    assert metric.measure(harness.Prediction("a", answer), example) == value
'''

_TEST_OF_COMMAND = '''\
"""What the command says in a folder without runs."""

import harness
from typer.testing import CliRunner

from «module» import app


def test_a_folder_without_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [])
    assert isinstance(result.exception, harness.UsageError)
    assert "no run of this folder has answered anything yet" in str(result.exception)
'''
_TEST_OF_EXPERIMENT = _TEST.replace("(«class»)", '(«class», {"once_more": True})')
_TEST_OF_STORE = _TEST.replace("(«class»)", "(«class», OPTIONS)").replace(
    "\n@pytest", 'OPTIONS = {"url": "«name»://try"}\n\n\n@pytest'
)
_TESTS = {
    "store": _TEST_OF_STORE,
    "metric": _TEST_OF_METRIC,
    "experiment": _TEST_OF_EXPERIMENT,
    COMMAND: _TEST_OF_COMMAND,
}

_IGNORED = """\
__pycache__/
.pytest_cache/
*.egg-info/
dist/
"""

_README = """\
# «name»

The «kind» `«name»` for `harness`. From this folder:

    pip install -e '.[dev]'
    python -m pytest«check»

Without installing, the test runs too.

«use»Build and publish it:

    pip install build twine
    python -m build
    twine upload dist/*
"""
