"""The reports of the runs of this folder: found by name, and made again where they are outdated."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import DataError, HarnessError, UsageError, near
from harness.kit.files import read_json, write_bytes
from harness.kit.inside import Outside, inside, is_name
from harness.kit.terminal.streams import say
from harness.run.places import CONFIG, JOURNAL, LIVE, MACHINE_FOLDER, REPORTS_FOLDER

if TYPE_CHECKING:
    from harness.kit.html.page import Page
    from harness.records.summary import Summary
    from harness.registry import Registry

SUMMARY = "summary.json"


def all_reports() -> list[Path]:
    """The folder of each run that has a summary, the latest first.

    The summary of a finished run whose reports were deleted is written again, from the store.
    """
    for name, document in _stored(_without_reports()).items():
        with contextlib.suppress(Outside):  # whoever lists runs needs none of it
            write_bytes(inside(Path(), REPORTS_FOLDER, name, SUMMARY), document)
    summaries = Path(REPORTS_FOLDER).glob(f"*/{SUMMARY}")
    latest = sorted(summaries, key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.parent for path in latest]


def _without_reports() -> set[str]:
    """The runs that were begun here and have no summary for people."""
    begun = {path.parent.name for path in Path(MACHINE_FOLDER, "runs").glob(f"*/{CONFIG}")}
    return {name for name in begun if not Path(REPORTS_FOLDER, name, SUMMARY).exists()}


def _stored(names: Collection[str]) -> dict[str, bytes]:
    """The summary that the store has of each of these runs, if it is true of its closed rounds."""
    if not names:
        return {}
    from harness.report.finished import STAGE
    from harness.run.artifacts import MANIFEST, Artifacts
    from harness.run.journal import ClosedRounds

    contents: dict[str, bytes] = {}
    store = Artifacts(Path(MACHINE_FOLDER, "artifacts"))
    for manifest in (store.root / STAGE).glob(f"*/{MANIFEST}"):
        with contextlib.suppress(HarnessError, OSError, ValueError, LookupError, TypeError):
            name = str(read_json(manifest.with_name(SUMMARY))["run"])
            if name not in names:
                continue
            artifact = store.find(STAGE, read_json(manifest)["key"])
            journal = ClosedRounds(Path(MACHINE_FOLDER, "runs", name, JOURNAL))
            if artifact is not None and artifact.facts["journal"] == journal.digest:
                contents[name] = (artifact.path / SUMMARY).read_bytes()
    return contents


def find_reports(name: str | None = None) -> Path:
    """The reports of the run of that name, or of the latest one.

    Those of a run that is not finished, and has none, are made from what it has stored.

    Raises:
        UsageError: there is none.
    """
    if name is not None and is_name(name) and Path(REPORTS_FOLDER, name, SUMMARY).is_file():
        return Path(REPORTS_FOLDER, name)
    folders = all_reports()
    names = [folder.name for folder in folders]
    if name is None:
        if not folders:
            # One without a closed round has nothing of which reports could be made.
            runs = Path(MACHINE_FOLDER, "runs")
            closed = sorted(run for run in _without_reports() if (runs / run / JOURNAL).exists())
            raise UsageError(
                "no run of this folder has reports yet"
                if closed
                else "there is no run in this folder yet",
                hint=f"harness rebuild {closed[0]}" if closed else "harness iterate",
            )
        # A damaged summary is passed over, unless there is no other.
        whole = (folder for folder in folders if len(folders) == 1 or _summary(folder))
        return next(whole, folders[0])
    if name in _without_reports():
        from harness.records.context import Quiet
        from harness.report.refresh import remake

        folder = inside(Path(), REPORTS_FOLDER, str(name))
        say(f"{folder} is made again from what the run has stored")
        remake(folder, Quiet(), say)
        return folder
    if name not in names:
        others = f"; there are: {', '.join(names[:5])}" if names else ""
        raise UsageError(f"no run is called '{name}'{near(name, names)}{others}")
    return folders[names.index(name)]


def run_names() -> list[str]:
    """The runs of this folder, the latest first: those that were begun here or have reports.

    Nothing is read of them, so some may be damaged.
    """
    latest: dict[str, float] = {}
    marks = (
        Path(MACHINE_FOLDER, "runs").glob("*/"),
        Path(MACHINE_FOLDER, "runs").glob(f"*/{JOURNAL}"),
        Path(MACHINE_FOLDER, "runs").glob(f"*/{LIVE}"),
        Path(REPORTS_FOLDER).glob(f"*/{SUMMARY}"),
    )
    for path in itertools.chain(*marks):
        with contextlib.suppress(OSError):  # it was removed meanwhile
            name = (path if path.is_dir() else path.parent).name
            latest[name] = max(latest.get(name, 0.0), path.stat().st_mtime)
    return sorted(latest, key=lambda name: (-latest[name], name))


def current_reports(name: str | None = None) -> Path:
    """The reports of a run, made again where they are outdated; a line on standard error says so.

    Raises:
        UsageError: there is none.
    """
    return refreshed(find_reports(name))


def refreshed(folder: Path, registry: Registry | None = None) -> Path:
    """The folder, its reports made again where they are outdated.

    Args:
        registry: the plugins that it is shown with, where they are known.
    """
    from harness.records.context import Quiet
    from harness.report.refresh import refresh

    refresh(folder, Quiet(), say, registry)
    return folder


def summaries(last: int | None = None) -> Iterator[Summary]:
    """The summary of each run of this folder, the latest first; damaged ones cost a warning.

    ``run`` is the folder's name, whatever is written in it.

    Args:
        last: at most that many; None: all.
    """
    return itertools.islice(filter(None, map(_summary, all_reports())), last)


def all_runs(last: int | None = None) -> dict[str, Any]:
    """The runs of this folder side by side: a ``harness.runs/1`` document.

    Args:
        last: at most that many, the latest; a note says of how many. None: all.

    Raises:
        PluginError: no package makes one, or the one that does fails.
    """
    from harness.registry import Registry

    return _all_runs(Registry.build(), last)


def runs_page(link: Callable[[str], str] | None = None, last: int | None = None) -> Page:
    """The page of all runs of this folder, which ``harness report --all`` writes as a file.

    Args:
        link: gives the address that a run's name leads to, quoted; None: the names lead nowhere.
        last: as :func:`all_runs` takes it.

    Raises:
        PluginError: no package makes one, or the one that does fails.
    """
    from harness.boundary import results
    from harness.kit.html.page import Page
    from harness.registry import Registry

    registry = Registry.build()
    given = registry.only("page_of_runs", document=_all_runs(registry, last), link=link)
    return results.instance_of(Page, given, "page_of_runs()")


def _all_runs(registry: Registry, last: int | None) -> dict[str, Any]:
    from harness.boundary import results
    from harness.config.settings import keys_beside
    from harness.run import dev_ledger

    sharing: list[list[str]] = []
    with contextlib.suppress(DataError):  # the next run says what is wrong with the ledger
        sharing = dev_ledger.sharing(Path(MACHINE_FOLDER))
    names = {folder.name for folder in all_reports()}
    there = [[name for name in together if name in names] for together in sharing]
    given = registry.only("all_runs", beside=keys_beside(registry), sharing=there, last=last)
    document = dict(results.checked(Mapping[str, Any], given, "all_runs()"))
    if last is not None and last < len(names):
        more = f"The latest {last:,} of {len(names):,} runs: --last {len(names)} shows all."
        document["notes"] = [more, *document["notes"]]
    return document


def _summary(folder: Path) -> Summary | None:
    """A run's summary, which has the folder's name; None, with a warning, where it is damaged."""
    from harness.report.reading import read_summary

    path = folder / SUMMARY
    try:
        return replace(read_summary(path), run=folder.name)
    except (HarnessError, OSError) as problem:
        why = problem.what if isinstance(problem, HarnessError) else problem.strerror
        say(f"warning: {path} is passed over: {why}", "yellow")
        return None
