"""Loads a metric script of the `evaluate` library and calls it: local, quiet, in memory.

``evaluate.load`` takes a name that is no local file for one of the Hub's; so nothing gets
there from here but the absolute path of a file that exists, or a name that was asked for.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import io
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import harness
from harness.kit.text import one_line, storable

SEED = 1
_RELATIVE = re.compile(r"^(?:from|import)\s+\.(\w+)", re.MULTILINE)


class Wrong(Exception):
    """The script's result has no such number, whatever the answers were."""


def script_file(path: Path) -> Path:
    """The script: the file itself, or the one in a folder that bears the folder's name.

    Raises:
        ConfigError: there is none.
    """
    path = path.absolute()
    script = path / f"{path.name}.py" if path.is_dir() else path
    if script.suffix != ".py" or not script.is_file():
        raise harness.ConfigError(
            "there is no such metric script",
            where=str(script),
            hint="path: names a .py file, or a folder with a .py file of the folder's name",
        )
    return script


def files(path: Path) -> list[Path]:
    """The script and what it imports from beside it."""
    script = script_file(path)
    if path.is_dir():
        return sorted(path.absolute().rglob("*.py"))
    text = script.read_text(encoding="utf-8", errors="replace")
    beside = {script.with_name(f"{name}.py") for name in _RELATIVE.findall(text)}
    return [script, *sorted(one for one in beside - {script} if one.is_file())]


def digest(path: Path) -> str:
    """Ten digits that change with the script."""
    content = hashlib.sha256()
    for file in files(path):
        content.update(hashlib.sha256(file.read_bytes()).digest())
    return content.hexdigest()[:10]


@functools.lru_cache(8)
def local(path: Path, _digest: str) -> Any:
    """The loaded script.

    Raises:
        ConfigError: there is none.
        PluginError: it cannot be read, or fails to import.
    """
    script = script_file(path)
    with _quiet():
        try:
            _check_imports(script)
            return _load(script)
        except harness.PluginError:
            raise
        except (Exception, SystemExit) as error:
            what = f"the metric script cannot be loaded: {reason(error)}"
            hint = "it must be a script that evaluate.load() takes"
            raise harness.PluginError(what, where=str(script), hint=hint) from error


@functools.lru_cache(8)
def from_hub(name: str) -> Any:
    """A metric of the Hub, or of the cache of those that were fetched before.

    Raises:
        ConfigError: a local folder has that name, and would be taken instead.
        EnvironmentFailure: it is not available here.
    """
    if Path(name, f"{name.rpartition('/')[2]}.py").exists():
        what = f"a folder here has the name of the Hub's metric '{name}'"
        raise harness.ConfigError(what, where=name, hint="give it as path:, or rename it")
    with _quiet() as evaluate:
        try:
            return evaluate.load(name, keep_in_memory=True, seed=SEED)
        except (Exception, SystemExit) as error:
            raise harness.EnvironmentFailure(
                f"the Hub's metric is not available: {reason(error)}",
                where=f"hub: {name}",
                hint="fetch it once where there is a network, or give a local script as path:",
            ) from error


def compute(
    script: Any, texts: Sequence[str], references: Sequence[Sequence[str]], args: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The script's result for these answers.

    References are given as lists where the script's features take lists, else as one text.

    Raises:
        ValueError: an answer has several references and the script takes one.
        Wrong: the result is no mapping.
    """
    given: list[Any] = [[storable(text) for text in one] for one in references]
    if not _takes_lists(script):
        if any(len(one) != 1 for one in given):
            raise ValueError("the script takes one reference per answer, and here are several")
        given = [one[0] for one in given]
    with _quiet():
        try:
            found = script.compute(predictions=list(map(storable, texts)), references=given, **args)
        except SystemExit as error:
            raise RuntimeError(f"the script left with {error.code!r}") from error
    if not isinstance(found, Mapping):
        raise Wrong(f"compute() gave a {type(found).__name__} where a dict is due")
    return found


def numbers(found: Mapping[str, Any], key: str, count: int) -> float | list[float]:
    """What a result of ``count`` answers says under ``key``: a number, or one for each answer.

    Raises:
        ValueError: it has None there.
        Wrong: it says neither.
    """
    if key not in found:
        names = ", ".join(one_line(str(name), 40) for name in found) or "nothing"
        raise Wrong(f"compute() gives {names}, not '{key}'")
    value = found[key]
    value = value.tolist() if hasattr(value, "tolist") else value  # numpy's, torch's
    if value is None or (isinstance(value, (list, tuple)) and None in value):
        raise ValueError(f"the script gave None as '{key}'")
    if isinstance(value, (int, float)):
        return float(value)
    if not isinstance(value, (list, tuple)):
        raise Wrong(f"'{key}' is a {type(value).__name__} where a number is due")
    if len(value) != count:
        raise Wrong(f"'{key}' has {len(value)} numbers for {count} answers")
    for one in value:
        if not hasattr(one, "__float__"):
            raise Wrong(f"'{key}' holds a {type(one).__name__} where a number is due")
    return [float(one) for one in value]


def reason(error: BaseException) -> str:
    """An exception in one line."""
    text = one_line(str(error), 300)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def forget() -> None:
    """After a failure: the library may hold half of a batch, so scripts are loaded anew."""
    local.cache_clear()
    from_hub.cache_clear()


def _takes_lists(script: Any) -> bool:
    """Whether one of the forms of input that the script names has lists of references."""
    from datasets import ClassLabel, Value

    forms = script.features if isinstance(script.features, list) else [script.features]
    given = [form["references"] for form in forms if "references" in form]
    return any(not isinstance(one, Value | ClassLabel) for one in given)


def _load(script: Path) -> Any:
    """What ``evaluate.load`` does, but its copy of the script goes where it is removed."""
    from evaluate import loading

    folder = _folder(os.getpid())
    modules = loading.init_dynamic_modules("harness_metric_scripts", hf_modules_cache=folder)
    found = loading.evaluation_module_factory(str(script), dynamic_modules_path=modules)
    kind = loading.import_main_class(found.module_path)
    if kind is None:
        raise TypeError("it defines no subclass of evaluate.Metric")
    metric = kind(keep_in_memory=True, seed=SEED, hash=found.hash, cache_dir=folder)
    metric.download_and_prepare()
    return metric


@functools.lru_cache(1)
def _folder(process: int) -> str:
    """A folder for the library's files, removed when the process ends (not by its children)."""
    folder = tempfile.mkdtemp(prefix="harness-evaluate-")

    def remove() -> None:
        if os.getpid() == process:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


def _check_imports(script: Path) -> None:
    """Says what the library's own scan of the imports would stumble over.

    Raises:
        PluginError: two modules on one line, or code from a URL.
    """
    from evaluate.loading import get_imports

    for kind, name, source, _ in get_imports(str(script)):
        if name.endswith(","):
            what = f"'import {name} …': the evaluate library reads one module per import line"
            hint = "write an import line for each module"
            raise harness.PluginError(what, where=str(script), hint=hint)
        if kind == "external":
            what = f"the script would fetch '{name}' from {one_line(source, 100)}"
            hint = "put the file beside the script, and import it without a URL"
            raise harness.PluginError(what, where=str(script), hint=hint)


@contextlib.contextmanager
def _quiet() -> Iterator[Any]:
    """The library, without what it and the script print and warn of."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            import evaluate
        except ImportError as error:
            raise harness.EnvironmentFailure(
                f"the evaluate library cannot be imported: {reason(error)}",
                where="metric evaluate",
                hint="pip install evaluate",
            ) from error
        evaluate.logging.set_verbosity_error()
        evaluate.logging.disable_progress_bar()
        yield evaluate
