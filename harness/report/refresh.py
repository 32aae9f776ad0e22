"""A run's reports made again from what it has stored: by request, or where they are outdated.

The run itself writes them at its end. Until then, where people have rated since, and where the file
of a section was edited, the commands that show them make them first. A late rating changes reports
and the database, never a closed round: the summary stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import DataError, HarnessError, PluginError
from harness.kit.files import read_json, write_json
from harness.kit.lock import turn
from harness.records import BASE_ARM, CONTROL_ARM, to_json
from harness.records.analysis import Analysis
from harness.records.summary import ShownRound, Summary
from harness.report.annotators import digests_of, plugins_of
from harness.report.reading import FILE_NAME, NotWhole, read_analysis, read_summary, rounds_closed
from harness.run.places import MACHINE_FOLDER
from harness.stages import Section

if TYPE_CHECKING:
    from harness.opened import StoredRun
    from harness.records.context import Watcher
    from harness.registry import Registry
    from harness.steps.history import History

RATED = "there are new ratings since this report was made: it is made again"
EDITED = "the file of a section was edited since this report was made: it is made again"
OTHER = "this report is not whole, or of an earlier version: it is made again"
GONE_ON = "the report of the rounds that are closed by now is made"


def remake(
    folder: Path, watcher: Watcher, say: Callable[[str], None], *, whole: bool = False
) -> list[str]:
    """Everything in a run's reports but its summary; returns the files' names.

    The summary is made only where there is none.

    Args:
        folder: the run's reports, of its name.
        say: is told which one-file plugins are left out.
        whole: nothing is written unless all that the summary tells of is still stored.

    Raises:
        HarnessError: what they are made from is not stored any more.
    """
    from harness.opened import opened

    run = opened(folder.name, watcher)
    registry = plugins_of(run.folder, say)
    with turn(run.reports_lock):
        return _remade(run, folder, registry, whole)


def _remade(run: StoredRun, folder: Path, registry: Registry, whole: bool) -> list[str]:
    from harness.opened import replay
    from harness.report.publishing import reports
    from harness.report.summary import summarise

    steps, history = replay(run)
    path = folder / "summary.json"
    if not path.exists():
        write_json(path, to_json(summarise(run, steps, history, final=False)))
    summary = read_summary(path)
    if whole and _short(summary, history):
        reason = steps.stopped.placed if steps.stopped else run.name
        raise DataError(f"not all that it was made from is stored any more: {reason}")
    return reports(run, steps, history, summary, registry)


def _short(summary: Summary, history: History) -> bool:
    """Whether the summary tells of rounds, or of a test set, that the history lacks."""
    listed: dict[str, Sequence[ShownRound]] = {BASE_ARM: summary.rounds}
    if summary.control:
        listed[CONTROL_ARM] = summary.control.rounds
    lost = any(len(history.of(arm)) < len(rounds) for arm, rounds in listed.items())
    return lost or bool(summary.test and history.test is None and history.sealed is None)


def outdated(folder: Path, registry: Registry) -> str:
    """Why the reports in this folder do not say all that is known, or an empty string.

    Args:
        registry: the plugins that the run is shown with.
    """
    try:
        document = read_json(folder / "summary.json")  # of which nothing else is looked at
        control = document.get("control") or {"rounds": ()}
        closed = len(document["rounds"]) + len(control["rounds"])
        report = read_analysis(folder) if (folder / FILE_NAME).exists() else None
        if report is None or rounds_closed(report) < closed:
            return GONE_ON
        made = (folder / FILE_NAME).stat().st_mtime
        if any(file.stat().st_mtime > made for file in _section_files(report, registry)):
            return EDITED
        known = report.annotations
    except NotWhole:
        return OTHER
    except (AttributeError, HarnessError, OSError, ValueError, LookupError, TypeError):
        return ""
    now = digests_of(folder.name, Path(), registry)
    return RATED if any(known.get(name) != digest for name, digest in now.items()) else ""


def _section_files(report: Analysis, registry: Registry) -> Iterator[Path]:
    """The one-file plugins of the sections that the report has, or that failed in it."""
    names = {*report.failed, *(section.name for section in report.sections)}
    for stage, name, provider in registry.providers():
        if stage == Section.stage and name in names and provider.origin.endswith(".py"):
            yield Path(provider.origin)


def refresh(
    folder: Path,
    watcher: Watcher,
    say: Callable[[str], None],
    registry: Registry | None = None,
) -> None:
    """Make the reports again if they are outdated; if that fails they stay as they are.

    Args:
        say: is told what happens.
        registry: the plugins that the run is shown with; None: found by its folder.
    """
    try:
        registry = registry or plugins_of(Path(MACHINE_FOLDER) / "runs" / folder.name, say)
    except PluginError:
        return
    if not outdated(folder, registry):
        return
    from harness.opened import opened

    try:
        run = opened(folder.name, watcher)
        with turn(run.reports_lock):
            if reason := outdated(folder, registry):  # whoever had the lock may have made them
                say(reason)
                _remade(run, folder, registry, whole=True)
    except HarnessError as error:
        say(f"warning: that failed, so the report is as it was: {error.placed}")
