"""Finding Python source files of installed packages and folders, without importing any."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import DataError, EnvironmentFailure, near

STDLIB = "stdlib"

# Tests and examples say what they check and not what they do; codecs are generated.
_SKIPPED_FOLDERS = {
    "site-packages", "dist-packages", "test", "tests", "testing", "idle_test", "__pycache__",
    "node_modules", "vendor", "_vendor", "_vendored",
}  # fmt: skip
_SKIPPED_STDLIB = {
    "encodings", "turtledemo", "pydoc_data", "__phello__", "_pyio", "_sysconfigdata",
}  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class PythonFile:
    """A source file and the dotted name of its module."""

    module: str
    path: Path


def find(packages: Sequence[str], folder: Path | None) -> list[PythonFile]:
    """All source files of the packages and the folder, each once, sorted by module.

    Where neither is given, those of the standard library.

    Raises:
        EnvironmentFailure: a package is not installed or has no Python source.
        DataError: the folder is missing or holds no Python file.
    """
    found: dict[Path, str] = {}
    for name in packages or (() if folder else (STDLIB,)):
        for item in _stdlib() if name == STDLIB else _package(name):
            found.setdefault(item.path, item.module)
    if folder is not None:
        for item in _folder(folder):
            found.setdefault(item.path, item.module)
    return sorted(PythonFile(module, path) for path, module in found.items())


def _walk(root: Path, prefix: str = "") -> Iterator[PythonFile]:
    for at, folders, names in os.walk(root):
        folders[:] = [n for n in folders if n not in _SKIPPED_FOLDERS and n.isidentifier()]
        parts = [part for part in (prefix, *Path(at).relative_to(root).parts) if part]
        for name in names:
            if name.endswith(".py") and not _is_test(name):
                stem = [] if name == "__init__.py" else [name[:-3]]
                yield PythonFile(".".join([*parts, *stem]) or "__init__", Path(at, name))


def _is_test(name: str) -> bool:
    return name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py"


def _stdlib() -> Iterator[PythonFile]:
    for item in _walk(Path(sysconfig.get_path("stdlib"))):
        top = item.module.partition(".")[0]
        if top not in _SKIPPED_STDLIB and not top.startswith("_sysconfigdata"):
            yield item


def _folder(folder: Path) -> list[PythonFile]:
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "there is no such folder"
        raise DataError(what, where=str(folder), hint="`folder` names a folder with .py files")
    found = list(_walk(folder))
    if not found:
        raise DataError("the folder holds no .py file (tests are skipped)", where=str(folder))
    return found


def _package(name: str) -> list[PythonFile]:
    found = _by_import_name(name) or _by_distribution(name)
    if not found:
        known = sorted({d.name for d in importlib.metadata.distributions() if d.name})
        raise EnvironmentFailure(
            f"no Python source of a package '{name}' is installed here{near(name, known)}",
            where="data.packages",
            hint=f"pip install {name}, or name an installed package, or 'stdlib'",
        )
    return found


def _by_import_name(name: str) -> list[PythonFile]:
    top, *inner = name.split(".")
    try:
        # Only of the top level: asking for a dotted name would import its parents.
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return []
    if spec is None:
        return []
    if spec.submodule_search_locations is None:
        path = Path(spec.origin or "")
        single = path.suffix == ".py" and path.is_file() and not inner
        return [PythonFile(top, path)] if single else []
    roots = [Path(place) for place in spec.submodule_search_locations]
    found = [item for root in roots if root.is_dir() for item in _walk(root, top)]
    return [item for item in found if f"{item.module}.".startswith(f"{name}.")]


def _by_distribution(name: str) -> list[PythonFile]:
    """Files of a distribution whose import name is another one (``scikit-learn``)."""
    try:
        files = importlib.metadata.files(name) or []
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return []
    tops = {file.parts[0].removesuffix(".py") for file in files if file.suffix == ".py"}
    return [item for top in sorted(tops) if top.isidentifier() for item in _by_import_name(top)]
