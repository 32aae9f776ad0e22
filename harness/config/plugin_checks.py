"""What the plugins of a config say of their own entries, before anything heavy is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.config.plugin_entries import Entry, Problems
from harness.config.yaml_file import Place
from harness.context import Context
from harness.errors import EnvironmentFailure, HarnessError, reason
from harness.records import Level, Problem


def ask(
    entries: Iterable[tuple[Place, Entry]], settings: Mapping[str, Any], problems: Problems
) -> None:
    """Call each entry's :meth:`harness.Plugin.check` and collect the answers with their places.

    Args:
        entries: each with its place in the file.
        settings: see :meth:`harness.Plugin.check`.
    """
    for place, entry in entries:
        for problem in _answers(entry, settings):
            problems.add((*place, *problem.place), problem.message, problem.level)


def _answers(entry: Entry, settings: Mapping[str, Any]) -> list[Problem]:
    """What one entry says. A check that fails has found nothing out: that is ``unknown``."""
    try:
        return list(entry.instance.check(settings))
    except HarnessError as error:
        message = f"{error.placed} ({error.hint})" if error.hint else error.placed
        return [Problem(message, level="unknown")]
    except Exception as error:
        message = f"'{entry.plugin}' cannot check it: {type(error).__name__}: {error}"
        return [Problem(message, level="unknown")]


def look_at_rows(source: Entry | None, problems: Problems) -> None:
    """Where the config has other problems: what is wrong with the data, in the same pass."""
    if source is None:
        return
    try:
        for _ in source.instance.load(Context(output=Path("unused"))):
            pass
    except HarnessError as error:
        level: Level = "environment" if isinstance(error, EnvironmentFailure) else "config"
        for line in error.details or [error.placed]:
            problems.add(("data",), line, level)
    except Exception as error:
        problems.add(("data",), f"'{source.plugin}' cannot be read: {reason(error)}")
