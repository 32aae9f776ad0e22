"""Nothing of dev or test gets where it must not: fakes write down all that they are given."""

from __future__ import annotations

import json
import shutil

import pytest


def seen(project):
    lines = (project.folder / "seen.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def splits(line):
    return {row["split"] for row in line["rows"]}


@pytest.fixture(scope="module")
def spied(tmp_path_factory, finished):
    """What every stage was given in a run whose augmenter proposes leaks of all kinds."""
    project = type(finished[0])(tmp_path_factory.mktemp("spied"))
    project.write()
    option = "augment=[{plugin: fake, rows: 6, leak: true, control: random}]"
    result = project.inside(
        "iterate", "--rounds", "2", "--json", "--set", option,
        FAKE_SPY=str(project.folder / "seen.jsonl"),
    )  # fmt: skip
    assert result.code == 0, result.err
    return seen(project), result.document, project


def test_no_row_of_test_reaches_anything_before_the_last_round_is_closed(spied):
    lines, _, _ = spied
    of_test = [n for n, line in enumerate(lines) if "test" in splits(line)]
    last = max(n for n, line in enumerate(lines) if line["who"] in ("analyzer", "augmenter"))
    assert of_test and min(of_test) > last
    assert {lines[n]["who"] for n in of_test} == {"generator", "metric"}


def test_trainers_and_augmenters_never_see_dev_or_test(spied):
    lines, _, _ = spied
    held_out = {
        text
        for line in lines
        for row in line["rows"]
        if row["split"] in ("dev", "test") and line["who"] != "augmenter"
        for text in (row["id"], row["messages"][0]["content"], *row["references"])
    }
    assert len(held_out) > 150
    found = [line for line in lines if line["who"] in ("trainer", "augmenter")]
    assert {line["who"] for line in found} == {"trainer", "augmenter"}
    for line in found:
        assert splits(line) <= {"train", "valid", "pool"}
        text = json.dumps(line["rows"])
        assert not [piece for piece in held_out if json.dumps(piece) in text]


def test_an_augmenter_does_not_see_the_validation_rows(spied):
    lines, _, _ = spied
    found = [line for line in lines if line["who"] == "augmenter"]
    assert all(splits(line) <= {"train", "pool"} for line in found)


def test_a_generator_sees_prompts_and_nothing_that_tells_the_answer(spied):
    lines, _, _ = spied
    rows = [row for line in lines if line["who"] == "generator" for row in line["rows"]]
    assert rows
    assert all(row["references"] == [] and row["meta"] == {} for row in rows)
    assert all(row["messages"][-1]["role"] == "user" for row in rows)


def test_planted_leaks_of_every_kind_never_reach_train(spied):
    lines, document, _ = spied
    trained = [r for line in lines if line["who"] == "trainer" for r in line["rows"]]
    assert not [row["id"] for row in trained if row["id"].startswith(("leak", "dev", "test"))]
    assert {line["round"] for line in lines if line["who"] == "trainer"} == {1, 2}
    refused = document["rounds"][1]["refused"]
    assert refused["descends from dev or test"] >= 4
    assert refused["repeat of dev or test"] >= 2
    assert refused["near repeat of dev or test"] >= 1
    assert refused["no origin"] >= 1
    assert document["rounds"][1]["added"] == 6


def test_the_control_arm_is_guarded_as_well(spied):
    _, document, _ = spied
    assert document["control"]["rounds"][1]["refused"]["descends from dev or test"] >= 4


@pytest.mark.nightly
def test_an_unfinished_run_does_not_write_down_a_row_of_test(project):
    import duckdb

    project.harness("iterate", "--rounds", "2", "--set", "train.die_in_round=2")
    assert not list(project.folder.glob("reports/*/run.duckdb"))
    assert project.inside("report").code == 0
    (database,) = project.folder.glob("reports/*/run.duckdb")
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute("select distinct split from examples").fetchall()
    assert {row[0] for row in rows} == {"train", "valid", "pool", "dev"}
    assert not (project.folder / ".harness" / "test-openings.jsonl").exists()
    for path in project.folder.glob("reports/*/*"):
        assert b"test-1" not in path.read_bytes() or path.name == "run.duckdb"


def looks(project, *arguments):
    result = project.inside("iterate", "--rounds", "1", "--json", *arguments)
    assert result.code == 0, result.err
    return result.document["test"]["looks"]


@pytest.mark.nightly
def test_the_ledger_counts_runs_and_neither_resumes_nor_deletions(project):
    assert looks(project) == 1
    assert looks(project) == 1
    shutil.rmtree(project.folder / "reports")
    assert looks(project) == 1
    shutil.rmtree(project.folder / ".harness" / "artifacts")
    assert looks(project) == 1
    other = ("--set", "train.gain=0.01")
    assert looks(project, *other) == 2
    shutil.rmtree(project.folder / "reports")
    assert looks(project, *other) == 2


@pytest.mark.nightly
def test_a_test_set_with_a_row_less_is_the_same_one(project):
    assert looks(project) == 1
    assert looks(project, "--set", "data.test=47") == 2
