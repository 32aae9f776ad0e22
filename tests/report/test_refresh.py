"""Reports of rounds in between are made when somebody asks for them, and at the end by the run."""

from __future__ import annotations

import json
import shutil

import pytest

from harness.kit.lock import exclusive, turn
from harness.report.refresh import OTHER

MADE = "the report of the rounds that are closed by now is made"


@pytest.fixture(scope="module")
def made(tmp_path_factory, run_once):
    """A run whose second round ended badly."""
    project = type(run_once[0])(tmp_path_factory.mktemp("made"))
    project.write()
    dying = ("--set", "train.die_in_round=2", "--set", "execution.launcher=local")
    done = project.inside("iterate", "--rounds", "2", *dying)
    assert done.code == 3, done.err
    return project


@pytest.fixture
def stopped(made, tmp_path):
    """A copy of it, and the folder of its reports."""
    shutil.copytree(made.folder, tmp_path, dirs_exist_ok=True)
    project = type(made)(tmp_path)
    (folder,) = (project.folder / "reports").iterdir()
    return project, folder


def test_until_somebody_asks_there_is_a_summary_and_no_more(stopped):
    _, folder = stopped
    assert [path.name for path in folder.iterdir()] == ["summary.json"]
    assert len(json.loads((folder / "summary.json").read_bytes())["rounds"]) == 2


@pytest.mark.nightly(but_each=6)
@pytest.mark.parametrize(
    ("command", "shows"),
    [
        (("report",), "round"),
        (("errors",), "dev-"),
        (("why", "dev-4"), "dev-4"),
        (("query", "SELECT count(*) AS closed FROM rounds"), "2"),
        (("compare", "0", "1"), "round 1"),
    ],
    ids=lambda value: value[0],
)
def test_each_command_makes_what_it_shows(stopped, command, shows):
    project, folder = stopped
    first = project.inside(*command)
    assert (first.code, first.err.count(MADE)) == (0, 1), first.err
    assert shows in first.out
    assert {"analysis.json", "run.duckdb", "report.html"} <= {p.name for p in folder.iterdir()}
    assert MADE not in project.inside(*command).err


def test_a_run_in_progress_is_shown_and_goes_on(stopped):
    project, folder = stopped
    with exclusive(project.folder / ".harness" / "runs" / folder.name / "lock"):
        shown = project.inside("report", "--json")
    assert shown.code == 0, shown.err
    assert [entry["round"] for entry in shown.document["rounds"]] == [0, 1]
    assert shown.document["test"] is None


@pytest.mark.nightly
def test_an_older_report_is_made_again_once_another_round_is_closed(stopped):
    project, folder = stopped
    project.inside("report")
    document = json.loads((folder / "analysis.json").read_bytes())
    document["rounds"].pop()
    (folder / "analysis.json").write_text(json.dumps(document))
    assert MADE in project.inside("report").err
    assert len(json.loads((folder / "analysis.json").read_bytes())["rounds"]) == 2


def test_whoever_waits_for_the_lock_gets_it(tmp_path):
    with turn(tmp_path / "deep" / "lock"):
        assert (tmp_path / "deep" / "lock").exists()
    with turn(tmp_path / "deep" / "lock"):
        pass


def test_an_analysis_that_is_not_whole_is_made_again(stopped):
    project, folder = stopped
    assert project.inside("report").code == 0
    whole = json.loads((folder / "analysis.json").read_bytes())
    for damage in ({"rounds": [1]}, {"failed": None}, {"remedies": [{}]}):
        (folder / "analysis.json").write_text(json.dumps({**whole, **damage}))
        done = project.inside("report")
        assert done.code == 0 and OTHER in " ".join(done.err.split()), damage
        assert json.loads((folder / "analysis.json").read_bytes()) == whole
