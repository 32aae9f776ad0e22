"""A run that has ended, asked again: its summary, where all that it rests on is still there.

Quick to import, since this is all that ``harness iterate`` needs then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.config.experiments import parts
from harness.kit.files import digest, files_digest, read_json
from harness.records import NOT_ASKED
from harness.records.plain import from_document
from harness.records.rounds import SUMMARY_SCHEMA
from harness.records.summary import Summary
from harness.run.run import Run
from harness.stages import Section

STAGE = "summary"
_MOST_NAMED = 3


def finished(run: Run, say: Callable[[str], None], *, test: bool = True) -> Summary | None:
    """The summary of a run that is finished, with all reports and stages of it in place.

    Args:
        test: a run that ended before its test set was opened is not finished.
        say: is told which stages are gone from the store; the walk makes them again.
    """
    artifact = run.artifacts.find(STAGE, run.key)
    if artifact is None:
        return None
    document = read_json(artifact.path / "summary.json")
    if document["schema"] != SUMMARY_SCHEMA:
        return None  # another version wrote it: it is written anew
    if artifact.facts["journal"] != run.journal.digest:
        return None  # it tells of rounds that are decided again
    gone = [label for label, *place in artifact.facts["stages"] if not _is_there(run, *place)]
    if gone:
        say(_gone(gone))
        return None
    if artifact.facts["beside"] != asked_beside(run):
        return None  # other probes are asked for: the walk measures by them
    if artifact.facts.get("sections") != sections_of(run):
        say("the sections of the report are not those that it was made with: it is made again")
        return None
    if not parts(run.config) <= set(artifact.facts["parts"]):
        return None  # more is to be tried beside the rounds than was
    expected = [*artifact.facts["files"], "summary.json"]
    if not all((run.reports / name).exists() for name in expected):
        return None
    summary = from_document(Summary, document)
    if test and summary.sealed and summary.sealed.reason == NOT_ASKED.reason:
        return None  # the walk opens the test set
    try:
        if read_json(run.reports / "summary.json") != document:
            return None  # it is not the one that was pinned
    except (OSError, ValueError):
        return None
    return summary


def asked_beside(run: Run) -> str:
    """Digest of what is asked beside the task: no part of a run's name, but of its document."""
    return digest([run.key_of(entry) for entry in run.config.beside()])


def sections_of(run: Run) -> str:
    """Digest of the sections of the reports: entries of the config, and one-file plugins.

    They are no part of the run's key, and installed packages are none of this: an upgrade leaves a
    finished run as it is.
    """
    named = [entry.key() for entry in run.config.sections]
    providers = run.config.registry.of_stage(Section.stage).values()
    files = sorted({Path(p.origin) for p in providers if p.origin.endswith(".py")})
    return digest([named, files_digest(files)])


def _is_there(run: Run, stage: str, key: str) -> bool:
    # What is here is not read; what is not may be in a store that the folder shares.
    return run.artifacts.has(stage, key) or run.artifacts.find(stage, key) is not None


def _gone(labels: Sequence[str]) -> str:
    named = ", ".join(labels[:_MOST_NAMED])
    more = f" and {len(labels) - _MOST_NAMED} more" if len(labels) > _MOST_NAMED else ""
    verb = "are" if len(labels) > 1 else "is"
    return f"the run was finished, but {named}{more} {verb} not in the store any more: made again"
