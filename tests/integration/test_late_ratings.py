"""A late rating changes reports and the database, never a closed round."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import shutil
from pathlib import Path

import pytest

from harness import open_run
from harness.database.writing import query
from harness_rating.batches.candidates import candidates
from harness_rating.batches.records import FOLDER
from harness_rating.batches.spec import BatchSpec
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.rubric import file
from tests.plugins.rating import material

RUBRIC = """\
schema: harness.rubric/1
id: short
version: 1
title: Short
language: en
instructions: Read the answer, then judge it.
criteria:
  - id: right
    title: Right
    question: Is the answer right?
    scale: {kind: ordinal, min: 1, max: 5, anchors: {1: wrong, 5: right}}
  - id: faults
    title: Faults
    question: What is wrong?
    scale: {kind: choices, choices: [wrong facts, wrong tone]}
    use_as: error_category
"""


@pytest.fixture
def run(finished, tmp_path, monkeypatch):
    """A finished run of its own, in the working folder."""
    project, done = finished
    shutil.copytree(project.folder, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    (tmp_path / "project" / "short.yaml").write_text(RUBRIC)
    return type(project)(tmp_path / "project"), done.document["run"]


def rate(run, value=lambda place: place % 5 + 1, rater="ana", rounds=(1, 0), n=30,
         strategy="random", split="dev"):  # fmt: skip
    """Rate these rounds in one batch; returns the batch."""
    number, versus = (*rounds, None)[:2]
    order = BatchSpec(
        file.load(Path("short.yaml")),
        run,
        number,
        ("ana", "bo"),
        versus=versus,
        n=n,
        overlap=1.0,
        repeats=0.0,
        strategy=strategy,
        split=split,
    )
    found = candidates(open_run(run), rounds, "dev", strategy)
    if split != "dev":  # as answers to rows of the pool come
        found = [dataclasses.replace(one, example=dataclasses.replace(
            one.example, id=f"{split}-{one.example.id}")) for one in found]  # fmt: skip
    batch = RatingsFolder().create(order, found)
    places = {item: place for place, item in enumerate(batch.assignments[rater])}
    material.rate(
        batch, rater, lambda item: {"right": value(places[item]), "faults": ["wrong tone"]}
    )
    return batch


def closed(project, run):
    """What must never change: the summary and the journal, byte for byte."""
    journal = project.folder / ".harness" / "runs" / run / "journal.jsonl"
    summary = project.folder / "reports" / run / "summary.json"
    return journal.read_bytes(), summary.read_bytes()


@pytest.mark.nightly
def test_the_report_has_them_and_closed_rounds_are_as_they_were(run):
    project, name = run
    before = closed(project, name)
    first = project.inside("report", "--json")
    assert (
        "ratings" not in first.document["annotations"] and first.document["tables"]["rated"] == []
    )
    batch = rate(name)
    shown = project.inside("report", "--json")
    assert "there are new ratings since this report was made" in shown.err
    (rated,) = shown.document["tables"]["rated"]
    assert (rated["batch"], rated["rated"], rated["rounds"]) == (batch.name, 60, [0, 1])
    assert {row["round"] for row in shown.document["tables"]["rating_scores"]} == {0, 1}
    assert shown.document["tables"]["named_errors"][0]["category"] == "wrong tone"
    assert {row["metric"] for row in shown.document["tables"]["validity"]} == {"overlap"}
    assert shown.document["not_looked_for"] != first.document["not_looked_for"]
    assert shown.document["rounds"] == first.document["rounds"]
    assert closed(project, name) == before
    assert project.inside("report", "--json").err == ""


def test_a_further_rating_is_seen_by_the_same_iterate(run):
    project, name = run
    before = closed(project, name)
    rate(name)
    assert "it is made again" in project.inside("iterate").err
    rate(name, value=lambda place: 5, rater="bo")
    again = project.inside("iterate", "--json")
    assert "it is made again" in again.err
    assert again.document == json.loads(before[1])
    rows = query(project.folder / "reports" / name / "run.duckdb", "SELECT count(*) FROM ratings "
                 "WHERE rater = 'bo'").rows  # fmt: skip
    assert rows == ((120,),)
    page = (project.folder / "reports" / name / "report.html").read_text()
    assert "What raters say" in page
    assert closed(project, name) == before
    assert project.inside("iterate", "--json").err == ""


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("gone", ["generate", "generate test"])
def test_if_it_cannot_be_made_again_the_old_one_is_shown(run, gone):
    project, name = run
    rate(name)
    shutil.rmtree(project.folder / ".harness" / "artifacts" / gone)
    database = project.folder / "reports" / name / "run.duckdb"
    before = database.read_bytes()
    shown = project.inside("report", "--json")
    assert shown.code == 0
    assert "warning: that failed, so the report is as it was: " in shown.err
    assert "ratings" not in shown.document["annotations"]
    assert database.read_bytes() == before


def test_why_it_cannot_be_made_again_is_told(run):
    project, name = run
    rate(name)
    shutil.rmtree(project.folder / ".harness" / "artifacts" / "generate test")
    told = project.inside("report", "--json").err
    assert "is stored any more: " in told
    assert f"{name}: round 0: generate test: what it gave is not in the store" in told


@pytest.mark.nightly
def test_only_samples_of_dev_tell_how_good_a_round_is(run):
    project, name = run
    sample = rate(name, value=lambda place: 5, n=10)
    worst = rate(name, value=lambda place: 1, strategy="worst", rounds=(1,), n=40)
    pool = rate(name, value=lambda place: 1, split="pool", rounds=(1,), n=40)
    tables = project.inside("report", "--json").document["tables"]
    rated = {row["batch"]: (row["split"], row["verdicts"]) for row in tables["rated"]}
    assert rated == {sample.name: ("dev", True), worst.name: ("dev", False),
                     pool.name: ("pool", True)}  # fmt: skip
    for table in ("rating_scores", "win_rates", "validity"):
        assert {row["batch"] for row in tables[table]} == {sample.name}, table
    assert {row["value"] for row in tables["rating_scores"]} == {1.0}
    assert {row["batch"] for row in tables["agreement"]} == set(rated)
    kept = query(project.folder / "reports" / name / "run.duckdb",
                 "SELECT DISTINCT batch FROM rating_scores").rows  # fmt: skip
    assert {row[0] for row in kept} == set(rated)
    page = project.inside("report", "--full").out
    assert "worst *" in page and "* chosen for finding errors" in page
    assert "pool: random †" in page and "† not of dev" in page


DETECTING = "detect: [fake, {plugin: rubric, rubric: short.yaml}]"


@pytest.fixture
def detecting(project, monkeypatch):
    """A finished run that names the kinds of errors that people chose, in the working folder."""
    monkeypatch.chdir(project.folder)
    project.write(RUBRIC, "short.yaml")
    text = (project.folder / "harness.yaml").read_text()
    project.write(text.replace("detect: [fake]", DETECTING))
    done = project.inside("iterate", "--rounds", "1", "--json")
    assert done.code == 0, done.err
    return project, done.document["run"]


@pytest.mark.nightly
def test_a_run_that_names_what_people_chose_hears_of_late_ratings(detecting):
    project, name = detecting
    before = closed(project, name)
    first = project.inside("report", "--json").document
    rate(name)
    shown = project.inside("report", "--json")
    assert "warning" not in shown.err
    assert [row["rated"] for row in shown.document["tables"]["rated"]] == [60]
    assert shown.document["tables"]["named_errors"][0]["category"] == "wrong tone"
    # A closed round keeps the labels that it was closed with.
    assert shown.document["tables"]["categories"] == first["tables"]["categories"]
    assert shown.document["test"] == first["test"]
    assert closed(project, name) == before
    assert project.inside("report", "--json").err == ""


OTHER = RUBRIC.replace("id: short", "id: other")


def damaged(run, text=RUBRIC):
    """A batch by this rubric of which nothing can be read."""
    Path("other.yaml").write_text(text)
    order = BatchSpec(file.load(Path("other.yaml")), run, 1, ("ana",), n=5, repeats=0.0)
    batch = RatingsFolder().create(order, candidates(open_run(run), (1,), "dev", "random"))
    (FOLDER / batch.name / "batch.json").write_text("{")
    return batch


@pytest.mark.nightly
def test_a_damaged_batch_of_another_rubric_is_no_matter(detecting):
    project, name = detecting
    rate(name)
    other = damaged(name, OTHER)
    shown = project.inside("report", "--json")
    assert "warning" not in shown.err
    assert [row["rated"] for row in shown.document["tables"]["rated"]] == [60]
    assert any(other.name in note for note in shown.document["notes"])


@pytest.mark.nightly
def test_a_damaged_batch_of_its_own_rubric_is_named(detecting):
    project, name = detecting
    rate(name)
    own = damaged(name)
    shown = project.inside("report", "--json")
    assert shown.code == 0 and "ratings" not in shown.document["annotations"]
    assert "warning: that failed" in shown.err
    assert f"{own.name}: this batch was changed or is damaged" in shown.err


@pytest.mark.nightly
def test_while_the_run_goes_on_in_another_process_the_report_waits_for_nobody(run):
    project, name = run
    rate(name)
    with (project.folder / ".harness" / "runs" / name / "lock").open("a+") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        shown = project.inside("report", "--json")
    assert (shown.code, len(shown.document["tables"]["rated"])) == (0, 1)
    assert "there are new ratings since" in shown.err


@pytest.mark.nightly
def test_a_damaged_batch_is_named_in_the_notes(run):
    project, name = run
    (project.folder / FOLDER / rate(name).name / "items.json").write_text("{")
    shown = project.inside("report", "--json")
    assert shown.document["tables"]["rated"] == []
    assert "are left out: this batch was changed or is damaged" in shown.document["notes"][-1]
    assert "What raters say" not in project.inside("report", "--full").out


@pytest.mark.nightly
def test_a_run_that_waits_for_more_shows_what_there_is(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    project.write(RUBRIC, "short.yaml")
    text = (project.folder / "harness.yaml").read_text()
    asked = "metrics: [{plugin: overlap}, {plugin: rubric, rubric: short.yaml, enough: 30}]"
    project.write(text.replace("metrics: [{plugin: overlap}]", asked))
    assert project.inside("iterate", "--rounds", "1").code == 6
    (name,) = [path.name for path in (project.folder / ".harness" / "runs").iterdir()]
    rate(name, rounds=(0,))
    assert project.inside("iterate", "--rounds", "1").code == 6
    before = closed(project, name)
    assert "closed by now" in project.inside("report").err
    rate(name, value=lambda place: 5, n=10)
    shown = project.inside("report", "--json")
    assert shown.err.startswith("there are new ratings since")
    assert [row["rounds"] for row in shown.document["tables"]["rated"]] in ([[0], [0, 1]],
                                                                         [[0, 1], [0]])  # fmt: skip
    assert {row["metric"] for row in shown.document["tables"]["validity"]} == {"overlap"}
    assert closed(project, name) == before
