"""Folders of somebody else that hold links: nothing is written or removed behind them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.kit.files import remove
from tests.support.project import CONFIG, Project

GIVEN = ("iterate", "--json", "--set", "report=[]", "--set", "rounds=1")


def tree(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def yours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file by the name that each command would write or remove."""
    folder = tmp_path_factory.mktemp("yours")
    (folder / "scratch").mkdir()
    (folder / "scratch" / "kept").write_text("yours")
    (folder / "thesis.txt").write_text("yours")
    return folder


@pytest.mark.parametrize(
    "place", ["reports", ".harness/runs", ".harness/work", ".harness/artifacts"]
)
def test_a_run_is_not_begun_behind_a_link(project: Project, yours: Path, place: str) -> None:
    (project.folder / place).parent.mkdir(exist_ok=True)
    (project.folder / place).symlink_to(yours)
    before = tree(yours)
    done = project.inside(*GIVEN)
    assert done.code == 4 and "this is a link" in done.err and place in done.err
    assert tree(yours) == before


COMMANDS = [
    ("rebuild",), ("report",), ("iterate",), ("runs",), ("clean", "--yes"), ("jobs",), ("advise",),
    ("iterate", "--rounds", "2"), ("clean", "--adapters", "--yes"),
]  # fmt: skip


def linked(project: Project, places: list[Path], yours: Path, *command: str) -> None:
    """Give the command with each place of the project a link to something of yours in turn."""
    before, whole = tree(yours), project.folder.parent / "whole"
    shutil.copytree(project.folder, whole)
    for place in places:
        shutil.rmtree(project.folder)
        shutil.copytree(whole, project.folder)
        remove(project.folder / place)
        is_folder = (whole / place).is_dir()
        (project.folder / place).symlink_to(yours if is_folder else yours / "thesis.txt")
        done = project.inside(*command)
        assert "Traceback" not in done.err, (place, done.err)
        assert tree(yours) == before, place


def places_of(project: Project) -> list[Path]:
    """Folders and files of a run, by paths below the project; of its artifacts those of one."""
    tops = (project.folder / ".harness", project.folder / "reports")
    paths = [path.relative_to(project.folder) for top in tops for path in sorted(top.rglob("*"))]
    [run] = (path for path in paths if path.parent.name == "runs")
    notes = [run / name for name in ("lock", "reports.lock", "calling.json", "harness.log")]
    within = [path for path in paths if "artifacts" not in path.parts or "train" in path.parts]
    return [*dict.fromkeys([*within, *notes])]


@pytest.mark.nightly
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_link_in_a_run_is_written_through(
    short: tuple[Project, object], yours: Path, command: tuple[str, ...]
) -> None:
    project, _ = short
    linked(project, places_of(project), yours, *command)


def test_the_folders_and_locks_of_a_run_are_not_written_through(
    short: tuple[Project, object], yours: Path
) -> None:
    """The thin version for the day."""
    project, _ = short
    places = [
        path for path in places_of(project)
        if path.name in ("lock", "reports.lock") or path.parent.name in ("reports", "runs")
    ]  # fmt: skip
    linked(project, places, yours, "rebuild")


@pytest.mark.nightly
def test_work_that_is_a_link_is_removed_and_not_what_is_behind_it(
    project: Project, yours: Path
) -> None:
    """The start of a run throws away all of its work but the scratch."""
    name = project.inside(*GIVEN).document["run"]
    work = project.folder / ".harness" / "work" / name
    (work / "train-000000000000").symlink_to(yours)
    (work / "train-111111111111" / "scratch").mkdir(parents=True)
    (work / "train-111111111111" / "scratch" / "parts").symlink_to(yours)
    before = tree(yours)
    again = project.inside("iterate", "--reopen", "0", *GIVEN[1:])
    assert again.code == 0, again.err
    assert tree(yours) == before and not list(work.rglob("parts"))


@pytest.mark.parametrize("place", ["folder", "config"])
def test_a_question_mark_is_refused_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    folder = tmp_path / ("really?" if place == "folder" else "plain")
    folder.mkdir()
    project = Project(folder)
    project.write(CONFIG)
    words = GIVEN
    if place == "config":
        (folder / "harness.yaml").rename(folder / "really?.yaml")
        words = (*GIVEN, "-c", "really?.yaml")
    done = project.inside(*words)
    assert done.code == 3 and "question mark" in done.err
    assert not list(folder.glob(".harness/artifacts/train")) and not (folder / "reports").exists()
