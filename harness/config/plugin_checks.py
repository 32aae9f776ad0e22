"""What the plugins of a config say of their own entries, before anything heavy is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.boundary.calls import plainly
from harness.boundary.results import returned
from harness.config.plugin_entries import PluginEntry
from harness.config.sourcing import rows_of
from harness.errors import EnvironmentFailure, HarnessError, PackageMissing
from harness.errors.installing import missing
from harness.kit.problems import Problems
from harness.kit.yaml_file import Place
from harness.records import Level, Problem
from harness.stages import Plugin


def ask(
    entries: Iterable[tuple[Place, PluginEntry]], settings: Mapping[str, Any], problems: Problems
) -> None:
    """Call each entry's :meth:`harness.Plugin.check` and collect the answers with their places.

    So are the plugins that its options name. What lacks a library is not asked: its check may need
    it. All that is not installed is one problem, at the first plugin that lacks it.

    Args:
        entries: each with its place in the file.
        settings: see :meth:`harness.Plugin.check`.
    """
    lacking: list[Place] = []
    libraries: list[str] = []
    for place, entry in entries:
        for inner, each in entry.whole():
            needed = each.instance.libraries or ()
            try:
                answers = [] if missing(needed) else _answers(each, settings)
            except PackageMissing as error:
                needed, answers = [error.package], []
            if missing(needed):
                lacking.append((*place, *inner))
                libraries += needed
            for problem in answers:
                problems.add((*place, *inner, *problem.place), problem.message, problem.level)
    if lacking:
        problems.add(lacking[0], missing(dict.fromkeys(libraries)), "environment")


def _answers(entry: PluginEntry, settings: Mapping[str, Any]) -> list[Problem]:
    """What one entry says. A check that fails has found nothing out: that is ``unknown``."""
    try:
        with plainly(f"'{entry.plugin}' cannot check it"):
            try:
                return list(returned(Plugin.check, entry.instance.check(settings)))
            except HarnessError as error:
                return [_unknown(error)]
    except PackageMissing:
        raise
    except HarnessError as error:
        return [_unknown(error)]


def _unknown(error: HarnessError) -> Problem:
    message = f"{error.placed} ({error.hint})" if error.hint else error.placed
    return Problem(message, level="unknown")


def look_at_rows(source: PluginEntry | None, problems: Problems) -> None:
    """Where the config has other problems: what is wrong with the data, in the same pass."""
    if source is None:
        return
    try:
        rows_of(source)
    except HarnessError as error:
        level: Level = "environment" if isinstance(error, EnvironmentFailure) else "config"
        for line in error.details or [error.placed]:
            problems.add(("data",), line, level)
