"""What takes the space below a working folder, and what of it may go.

Nothing outside of ``.harness/`` and ``reports/`` is looked at, and no link is followed. What cannot
be made again (openings of the test set, arms counted on dev, what raters said) is none of it.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import psutil

import harness
from harness.kit.files import read_json, remove
from harness.kit.inside import Outside, inside
from harness.kit.lock import exclusive, is_held, turn
from harness.kit.own import MACHINE_FOLDER

LOCK, SUMMARY, REPORTS_FOLDER = "lock", "summary", "reports"
ARMS = ".arms"
LEFT = "begun to be removed"
REMOVED = ".removed"
"""Ends the name of what is on its way out: a kill leaves it to the next call."""


class Kind(Enum):
    """What a part is, which says where its paths lie and what goes of them."""

    WORK = "work"
    ARTIFACTS = "artifacts"
    WEIGHTS = "weights"
    """Artifacts of which the large files go."""
    RUN = "run"
    """All folders of a run; :func:`remove_run` removes them."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that may go.

    Attributes:
        what: for people.
        paths: below the working folder.
        size: bytes.
    """

    kind: Kind
    what: str
    paths: tuple[Path, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Space:
    """What takes the space.

    Attributes:
        interrupted: what is kept of work that did not end, by run.
        unneeded: artifacts that no run has used, by stage.
        adapters: weights of rounds that were not kept, by run; of runs that have ended alone.
        runs: each run's own folders, without the artifacts that it has used.
        busy: runs in progress; nothing of them is in the lists above.
        unclear: runs that do not say what they have used; no artifact is unneeded then.
        links: links in place of folders, which are passed over.
    """

    interrupted: tuple[Part, ...]
    unneeded: tuple[Part, ...]
    adapters: tuple[Part, ...]
    runs: tuple[Part, ...]
    busy: tuple[str, ...]
    unclear: tuple[str, ...]
    links: tuple[Path, ...]


def space(root: Path) -> Space:
    """What takes the space below a working folder."""
    machine = root / MACHINE_FOLDER
    work, store, runs = (machine / name for name in ("work", "artifacts", "runs"))
    links = [path for path in (machine, work, store, runs) if path.is_symlink()]
    if links:  # somebody has moved it to another place, which is not ours to clean
        return Space((), (), (), (), (), (), tuple(links))
    reports = (path.name for path in _folders(root / REPORTS_FOLDER) if _has_summary(path))
    names = sorted({*(_run_of(path.name) for path in _folders(runs)), *reports})
    busy = tuple(name for name in names if _in_progress(runs / name))
    noted = {name: {path: harness.uses_of(path) for path in _own(runs, name)} for name in names}
    unclear = tuple(name for name, own in noted.items() if None in own.values())
    all_uses = [use for own in noted.values() for used in own.values() for use in used or ()]
    unneeded: list[Part] = []
    if not busy and not unclear:
        needed = {(use.stage, use.folder) for use in all_uses}
        unneeded = list(_unneeded(store, needed, names))
    return Space(
        tuple(_interrupted(work, busy)),
        tuple(unneeded),
        tuple(_adapters(root, noted, busy)) if not unclear else (),
        tuple(_part(Kind.RUN, name, run_folders(root, name)) for name in names if name not in busy),
        busy,
        unclear,
        tuple(path for path in _links(root, store)),
    )


def run_folders(root: Path, name: str) -> list[Path]:
    """The folders of one run that are there: its journal, its arms, its reports, its work."""
    machine = root / MACHINE_FOLDER
    places = [
        (machine, "runs", name), (machine, "runs", f"{name}{ARMS}"), (root, REPORTS_FOLDER, name),
        (machine, "work", name), (machine, "work", f"{name}{ARMS}"),
    ]  # fmt: skip
    return [path for place in places if (path := _folder(*place)) is not None]


def remove_run(root: Path, name: str) -> None:
    """Remove the folders of a run; what it alone has used is unneeded from then on.

    The journal goes first, and each folder at once, so that no kill leaves half a run.

    Raises:
        EnvironmentFailure: it is in progress.
        StorageError: the system refuses.
    """
    machine = root / MACHINE_FOLDER
    with exclusive(inside(machine, "runs", name, LOCK)):
        for path in run_folders(root, name):
            _take_away(machine, path)


def left_behind(root: Path, before: Space) -> list[Part]:
    """Artifacts that nothing needs since runs were removed; none where that cannot be known.

    Args:
        before: what took the space when these runs were there.
    """
    if before.unclear:
        return []
    unneeded = {path for part in before.unneeded for path in part.paths}
    fresh = (
        (part.what, [path for path in part.paths if path not in unneeded])
        for part in space(root).unneeded
    )
    return [_part(Kind.ARTIFACTS, stage, paths) for stage, paths in fresh if paths]


def remove_part(root: Path, part: Part) -> None:
    """Remove what a part names; of a run, what :func:`remove_run` has to.

    Raises:
        Outside: a path does not lie where those of its kind do.
        EnvironmentFailure: a run has begun since, which may want these artifacts.
        StorageError: the system refuses.
    """
    machine = root / MACHINE_FOLDER
    for path in part.paths:
        place = _place(machine, part.kind, path)
        runs = machine / "runs"
        users = [runs / place.name] if part.kind is Kind.WORK else _folders(runs)
        if begun := [run.name for run in users if _in_progress(run)]:
            hint = "the same command removes the rest once it has ended"
            raise harness.EnvironmentFailure(f"run {begun[0]} has begun meanwhile", hint=hint)
        if part.kind is Kind.WORK:
            remove(place)
            if place.exists():
                hint = "see to whom it belongs"
                raise harness.EnvironmentFailure(f"{place} cannot be removed", hint=hint)
            continue
        with harness.storing(place), turn(machine / "artifacts" / ".lock"):
            if part.kind is Kind.ARTIFACTS:
                _take_away(machine, place)
            else:
                harness.empty_artifact(place)


def _place(machine: Path, kind: Kind, path: Path) -> Path:
    """The path itself, where paths of a kind lie.

    Raises:
        Outside: it lies elsewhere.
    """
    if kind is Kind.WORK:
        place = inside(machine, "work", path.name)
    elif kind is Kind.RUN:
        raise Outside("a run is removed by its name", where=str(path))
    else:
        place = inside(machine, "artifacts", path.parent.name, path.name)
    if place != path:
        raise Outside(f"this is none of the {kind.value} of this folder", where=str(path))
    return place


def _take_away(machine: Path, path: Path) -> None:
    """Out of its place by one rename, then removed."""
    aside = inside(machine, "work", f"{uuid.uuid4().hex}{REMOVED}")
    with harness.storing(path):
        aside.parent.mkdir(exist_ok=True)
        os.rename(path, aside)
        shutil.rmtree(aside)


def _interrupted(work: Path, busy: Sequence[str]) -> Iterator[Part]:
    for path in _folders(work):
        if path.name.endswith(REMOVED):
            yield _part(Kind.WORK, LEFT, [path])
            continue
        run = _run_of(path.name)
        looks = path.name.partition("-looked-at-by-")[2]
        at_work = run in busy or (looks.isdecimal() and psutil.pid_exists(int(looks)))
        # What a stage was asked stays there after its end; it is a page of text.
        if not at_work and any(file.is_file() for file in path.rglob("*/*/*")):
            yield _part(Kind.WORK, run, [path])


def _unneeded(store: Path, needed: set[tuple[str, str]], runs: Sequence[str]) -> Iterator[Part]:
    for stage in _folders(store):
        paths = [
            path for path in _folders(stage)
            if (stage.name, path.name) not in needed and not _tells_of(path, runs)
        ]  # fmt: skip
        if paths:
            yield _part(Kind.ARTIFACTS, stage.name, paths)


def _tells_of(artifact: Path, runs: Sequence[str]) -> bool:
    """Whether it is the summary of one of these runs, which no stage uses."""
    try:
        return (
            artifact.parent.name == SUMMARY and read_json(artifact / "summary.json")["run"] in runs
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _adapters(
    root: Path,
    noted: Mapping[str, Mapping[Path, Sequence[harness.Use] | None]],
    busy: Sequence[str],
) -> Iterator[Part]:
    machine = root / MACHINE_FOLDER
    wanted: set[tuple[str, str]] = set()
    spare: dict[str, set[tuple[str, str]]] = {}
    for name, own in noted.items():
        best = None if name in busy else _best(root / REPORTS_FOLDER / name)
        for path, used in own.items():
            for use in used or ():
                if not use.trained:
                    continue
                in_rounds = path.name == name and use.arm == harness.BASE_ARM
                if best is None or (in_rounds and use.round == best and not use.to_choose_from):
                    wanted.add((use.stage, use.folder))
                else:
                    spare.setdefault(name, set()).add((use.stage, use.folder))
    counted: set[tuple[str, str]] = set()
    for name, folders in spare.items():
        stored = [
            _folder(machine, "artifacts", *place) for place in sorted(folders - wanted - counted)
        ]
        paths = [path for path in stored if path is not None and harness.large_files(path)]
        counted |= folders
        if paths:
            size = sum(file.lstat().st_size for path in paths for file in harness.large_files(path))
            yield Part(Kind.WEIGHTS, name, tuple(paths), size)


def _folder(top: Path, *names: str) -> Path | None:
    """The folder of these names; None where there is none, or it lies behind a link."""
    try:
        path = inside(top, *names)
    except Outside:
        return None
    return path if path.is_dir() else None


def _has_summary(reports: Path) -> bool:
    return (reports / "summary.json").is_file()


def _best(reports: Path) -> int | None:
    """The best round of a run that has ended; None where it has not, or does not say so."""
    try:
        document = read_json(reports / "summary.json")
        return int(document["kept_round"]) if document["dates"]["finished"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _own(runs: Path, name: str) -> list[Path]:
    """The folder of a run, and those of its arms."""
    own = [runs / name] if (runs / name).is_dir() else []
    return [*own, *_folders(runs / f"{name}{ARMS}")]


def _run_of(name: str) -> str:
    return name.partition("-looked-at-by-")[0].removesuffix(ARMS)


def _folders(path: Path) -> list[Path]:
    """The folders in a folder, without links."""
    if not path.is_dir() or path.is_symlink():
        return []
    with os.scandir(path) as entries:
        return sorted(Path(entry) for entry in entries if entry.is_dir(follow_symlinks=False))


def _links(root: Path, store: Path) -> Iterator[Path]:
    reports = root / REPORTS_FOLDER
    if reports.is_symlink():
        yield reports
    for path in (reports, store, *_folders(store)):
        if path.is_dir() and not path.is_symlink():
            yield from (inner for inner in path.iterdir() if inner.is_symlink())


def _part(kind: Kind, what: str, paths: Sequence[Path]) -> Part:
    return Part(kind, what, tuple(paths), sum(map(_size, paths)))


def _size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    files = (os.path.join(top, name) for top, _, names in os.walk(folder) for name in names)
    return sum(os.lstat(file).st_size for file in files)


def _in_progress(folder: Path) -> bool:
    """Whether a process holds the lock of a run's folder."""
    return is_held(folder / LOCK)
