"""Reports made again from what a run has stored, by request or since people have rated meanwhile.

A late rating changes reports and the database, never a closed round: the summary stays as it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.analysis.reading import FILE_NAME, read
from harness.errors import DataError, HarnessError
from harness.lock import exclusive
from harness.rating.of_run import digest_of
from harness.records import BASE_ARM, CONTROL_ARM
from harness.summary import read as read_summary

if TYPE_CHECKING:
    from harness.history import History
    from harness.watcher import Watcher

NEWS = "people have rated since this report was made: it is made again"


def remake(
    folder: Path, watcher: Watcher, *, locked: bool = False, whole: bool = False
) -> list[str]:
    """Everything in a run's reports but its summary; returns the files' names.

    Args:
        folder: the run's reports, of its name.
        locked: the caller holds the run's lock already.
        whole: nothing is written unless all that the summary tells of is still stored.

    Raises:
        HarnessError: what they are made from is not stored any more, or another process works on
            the run.
    """
    from harness.finish import reports
    from harness.replay import opened, replay

    document = read_summary(folder / "summary.json")
    run = opened(folder.name, watcher)
    with contextlib.nullcontext() if locked else exclusive(run.folder / "lock"):
        steps, history = replay(run)
        if whole and _short(document, history):
            reason = steps.stopped.placed if steps.stopped else run.name
            raise DataError(f"not all that it was made from is stored any more: {reason}")
        return reports(run, steps, history, document)


def _short(document: Mapping[str, Any], history: History) -> bool:
    """Whether the summary tells of rounds, or of a test set, that the history lacks."""
    told = {BASE_ARM: document["rounds"]}
    if document.get("control"):
        told[CONTROL_ARM] = document["control"]["rounds"]
    lost = any(len(history.of(arm)) < len(rounds) for arm, rounds in told.items())
    return lost or bool(document["test"] and history.test is None)


def outdated(folder: Path) -> bool:
    """Whether people have said something that the reports in this folder do not know of."""
    said = digest_of(folder.name)
    if said is None:
        return False
    try:
        return bool(read(folder / FILE_NAME).get("ratings") != said)
    except HarnessError:
        return False


def refresh(
    folder: Path, watcher: Watcher, say: Callable[[str], None], *, locked: bool = False
) -> None:
    """Make the reports again if they are outdated; if that fails they stay as they are.

    Args:
        say: is told what happens.
        locked: the caller holds the run's lock already.
    """
    if not outdated(folder):
        return
    say(NEWS)
    try:
        remake(folder, watcher, locked=locked, whole=True)
    except HarnessError as error:
        say(f"warning: that failed, so the report is as it was: {error.placed}")
