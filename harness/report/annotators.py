"""The plugins that a run is shown with, and the digests of what annotations would read of it.

Asked whenever a finished run is shown, so this imports little.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from harness.boundary.calls import plainly
from harness.config.plugin_entries import PluginEntry
from harness.config.settings import plugin_files
from harness.errors import ConfigError, PluginError
from harness.kit import yaml_file
from harness.kit.gate import Untrusted
from harness.registry import Registry, import_file
from harness.run.places import CONFIG
from harness.run.trust import current_files, is_ours

STAGE = "annotation"


def digests_of(run: str, folder: Path, registry: Registry) -> dict[str, str]:
    """Plugin -> digest of what it would read of the run by now; without those that fail.

    Args:
        folder: the working folder, in which ``.harness`` lies.
        registry: the plugins of the run.
    """
    entries, _ = installed(registry)
    return dict(digests(entries, run, folder))


def plugins_of(run: Path, say: Callable[[str], None]) -> Registry:
    """The plugins that the run in that folder is shown with.

    The one-file plugins are those of the project's config as they are now, and those of the run,
    which may be gone, or a stranger's.

    Args:
        say: is told which are left out, and why.

    Raises:
        PluginError: two installed plugins claim one name.
    """
    files, others = current_files(run), []
    with contextlib.suppress(ConfigError):
        named = [file.resolve() for file in plugin_files(yaml_file.read(run / CONFIG)[0], run)]
        others = [file for file in named if file not in files]
    if others and not is_ours(run):
        names = ", ".join(map(str, others))
        say(
            f"note: the run {run.name} was not begun here: its plugin files are left out "
            f"({names}); --trust runs them"
        )
        others = []
    registry = Registry.build()
    for file in dict.fromkeys([*files, *others]):
        try:
            registry.add(import_file(file), str(file))
        except (ConfigError, PluginError, Untrusted) as error:
            say(f"note: the one-file plugin {file} is left out: {error.what}")
    return registry


def installed(
    registry: Registry,
) -> tuple[list[PluginEntry], list[tuple[str, PluginError]]]:
    """All that can be made, and what was wrong with the others."""
    entries: list[PluginEntry] = []
    failed: list[tuple[str, PluginError]] = []
    for name, provider in registry.of_stage(STAGE).items():
        try:
            with plainly(name):
                plugin = provider.plugin()
        except PluginError as error:
            failed.append((name, error))
            continue
        entries.append(
            PluginEntry(
                STAGE, name, name, plugin, provider.origin, distribution=provider.distribution
            )
        )
    return entries, failed


def digests(entries: Iterable[PluginEntry], run: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Each entry's name with the digest of what it would read; without those that fail."""
    for entry in entries:
        try:
            with plainly(entry.name):
                digest = entry.instance.digest(run, folder)
        except PluginError:
            continue
        if digest is not None:
            yield entry.name, str(digest)
