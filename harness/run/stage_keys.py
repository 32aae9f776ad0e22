"""What a stage's result depends on besides its inputs: plugin, options, files, library versions."""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.boundary.calls import plainly
from harness.boundary.results import paths
from harness.config.loading import Config
from harness.config.plugin_entries import PluginEntry, paths_in
from harness.errors.installing import DISTRIBUTION
from harness.kit.files import files_digest

CORE_REVISION = 1
"""Of the core's own part in all stages (gate, planner, scoring, augmentation).

Raise it whenever the same inputs give other results; all stages are made again then.
"""
SEEDLESS = 0
"""Of stages that draw nothing."""

Versions = Mapping[str, str]
"""Distribution -> its version, ``none`` where it is not installed."""


def entry_key(entry: PluginEntry, versions: Versions) -> dict[str, Any]:
    """What of a plugin entry changes its results: options, revision, files, library versions.

    What options name counts as the entry itself does.
    """
    key = entry.key()
    growing = [
        path for _, each in entry.whole() for path in paths(each.instance.growing(), "growing()")
    ]
    files = [*entry_files(entry), *growing]
    if files:
        key["inputs"] = files_digest(files)
    if versions:
        key["libraries"] = dict(versions)
    return key


def entry_files(entry: PluginEntry) -> list[Path]:
    """The files that the entry reads, with those of the plugins that its options name.

    The code of a one-file plugin is one of them. An option that is a path counts even if the
    plugin's ``inputs()`` forget it. The folder of the run's own model does not: its content is the
    digest of the checkpoint that it gives.
    """
    own = _files_of(entry, options=entry.stage != "model")
    named = [file for place, each in entry.whole() if place for file in _files_of(each)]
    return [*own, *named]


def _files_of(entry: PluginEntry, *, options: bool = True) -> list[Path]:
    """Those of a plugin alone.

    Args:
        options: whether what its options name counts.
    """
    origin = Path(entry.origin)
    code = [origin] if origin.suffix == ".py" and origin.is_file() else []
    inputs = [*paths(entry.instance.inputs(), "inputs()")]
    if not options:
        return [*inputs, *code]
    growing = {path.resolve() for path in entry.instance.growing()}
    known = {path.resolve() for path in inputs} | growing
    given = [path for path in paths_in(entry.instance.options) if not _covered(path, known)]
    return [*inputs, *(file for path in given for file in _content(path)), *code]


def versions_of(entry: PluginEntry) -> dict[str, str]:
    """The versions of the libraries that make the entry's results, and those of what it names.

    Those that a plugin names; where it names none, the distribution that it comes from. The
    plugins of harness itself raise their revisions by hand.
    """
    versions: dict[str, str] = {}
    for _, each in entry.whole():
        names = each.instance.libraries
        if names is None:
            names = [each.distribution] if each.distribution not in ("", DISTRIBUTION) else []
        versions |= {name: _version(name) for name in names}
    return versions


def versions_in(config: Config, entry: PluginEntry) -> dict[str, str]:
    """Those of an entry of a config: answers depend on how the trainer loads the base, too."""
    versions, train = versions_of(entry), config.train
    if entry.stage == config.generate.stage and train.instance.loading():
        versions = versions_of(train) | versions
    return versions


@functools.cache
def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _covered(path: Path, known: set[Path]) -> bool:
    whole = path.resolve()
    return any(whole == other or whole in other.parents for other in known)


def _content(path: Path) -> list[Path]:
    """The file, or all files below the folder; nothing where there is neither."""
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file())
    return [path] if path.is_file() else []


def all_inputs(config: Config) -> dict[str, str]:
    """Digests of the files that results of a config depend on, by entry: part of a run's key."""
    digests = {}
    for index, entry in enumerate(config.makers()):
        with plainly(entry.named):
            files = entry_files(entry)
        if files:
            digests[f"{index} {entry.plugin}"] = files_digest(files)
    return digests
