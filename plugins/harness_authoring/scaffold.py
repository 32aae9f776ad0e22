"""A new plugin's package: the files that ``harness plugins new`` writes.

The package is a working one from the start: a metric, a test that passes, an entry point. It is
written beside its place and then renamed, so that no half of it is ever left.
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
from harness.kit.text import one_line

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


def write_metric(name: str, folder: Path) -> Written:
    """Write a package with a metric of that name into a new folder.

    Raises:
        UsageError: the name or the folder cannot be used; nothing was written.
    """
    _check_name(name)
    _check_folder(folder)
    files = _files(name)
    temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
    try:
        temporary.chmod(0o755)
        for file, text in files.items():
            path = temporary / file
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
        f"harness plugins check {name}",
    )
    return Written(folder, tuple(files), commands)


def module_of(name: str) -> str:
    """The module of a plugin's name."""
    return name.replace("-", "_")


def class_of(name: str) -> str:
    """The class of a plugin's name."""
    return "".join(part.capitalize() for part in name.split("-"))


def _check_name(name: str) -> None:
    from harness.testing.contract import NAME, NAME_IN_WORDS

    where = f"name '{one_line(name, 60)}'"
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        what = f"it has to be {NAME_IN_WORDS}, {LONGEST} characters at most"
        raise harness.UsageError(what, where=where, hint="for example acme-recall")
    registry = harness.Registry.build()
    if name in registry.names("metric"):
        origin = registry.get("metric", name).origin
        raise harness.UsageError(f"there is a metric of that name, from {origin}", where=where)
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


def _files(name: str) -> dict[str, str]:
    """File -> its text."""
    module, made = module_of(name), class_of(name)
    texts = {
        "pyproject.toml": _PYPROJECT,
        f"{module}.py": _MODULE,
        f"tests/test_{module}.py": _TEST,
        "README.md": _README,
        ".gitignore": _IGNORED,
    }
    words = {"«name»": name, "«module»": module, "«class»": made}
    return {file: _filled(text, words) for file, text in texts.items()}


def _filled(text: str, words: dict[str, str]) -> str:
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text


_PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "«name»"
version = "0.1.0"
description = "A metric for harness: «name»."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["iteration-harness"]

[project.optional-dependencies]
dev = ["pytest"]

[project.entry-points.harness]
«module» = "«module»"

[tool.hatch.build.targets.wheel]
only-include = ["«module».py"]

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]
"""

_MODULE = '''\
"""The metric ``«name»``."""

from __future__ import annotations

import harness
from harness import Example, Prediction


class «class»(harness.Metric):
    """Share of a reference's words that the answer contains (the best reference)."""

    name = "«name»"
    revision = 1  # raise it whenever the same options give other numbers
    bounds = (0.0, 1.0)
    right_at = 0.5  # from this value on an answer counts as right

    class Options(harness.Options):
        ignore_case: bool = True

    def measure(self, prediction: Prediction, example: Example) -> float | None:
        """The best share; None (not scored) for an example without references."""
        if not example.references:
            return None
        said = self._words(prediction.text)
        return max(share(self._words(text), said) for text in example.references)

    def _words(self, text: str) -> set[str]:
        return set((text.casefold() if self.options.ignore_case else text).split())


def share(wanted: set[str], said: set[str]) -> float:
    """Share of ``wanted`` in ``said``; if nothing is wanted, 1 if nothing is said."""
    if not wanted:
        return float(not said)
    return len(wanted & said) / len(wanted)


@harness.hookimpl
def register_metrics() -> list[type[harness.Metric]]:
    return [«class»]
'''

_TEST = '''\
"""The rules that every metric obeys, and values worked out by hand."""

import harness
import pytest
from harness.testing import metric_rules

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

_IGNORED = """\
__pycache__/
.pytest_cache/
*.egg-info/
dist/
"""

_README = """\
# «name»

A metric for `harness`. From this folder:

    pip install -e '.[dev]'
    python -m pytest
    harness plugins check «name»

Without installing, the test runs too, and `harness plugins check «module».py` checks the file.

Score files with it:

    harness score --predictions out.jsonl --references refs.jsonl --metrics «name»

Or let it decide a run, in `harness.yaml`:

    metrics: [{plugin: «name»}]
    primary: «name»

Build and publish it:

    pip install build twine
    python -m build
    twine upload dist/*
"""
