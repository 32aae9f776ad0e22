"""What the plugins of a config say of their own entries, before anything heavy is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.configfile import Place
from harness.entries import Entry, Problems
from harness.errors import HarnessError
from harness.records import Problem


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
