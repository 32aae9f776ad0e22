"""Trainers that follow one another: each starts from what the one before it made."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.project import CONFIG, FAKES, SUPPORT, Project

ONE = CONFIG.replace(f"[{FAKES}]", f"[{FAKES}, {SUPPORT / 'polishing.py'}]").replace(
    "data: {source: fake}", "data: {source: rejecting}"
)
TWO = ONE.replace("train: {plugin: fake}", "train: [{plugin: fake}, {plugin: polish}]")


def keys(project: Project) -> set[tuple[str, str]]:
    """Stage and key of all that is stored."""
    return {(path.parent.name, path.name) for path in project.folder.glob(".harness/artifacts/*/*")}


def summary(project: Project, *arguments: str) -> Any:
    done = project.inside("iterate", "--json", *arguments)
    assert done.code == 0, done.err
    return done.document


def facts(project: Project, stage: str) -> list[Any]:
    """Facts of each artifact of a stage."""
    found = project.folder.glob(f".harness/artifacts/{stage}/*/manifest.json")
    return [json.loads(path.read_text())["facts"] for path in found]


def test_the_second_starts_from_what_the_first_made(project: Project) -> None:
    project.write(TWO)
    document = summary(project, "--rounds", "1")
    [first], [last] = facts(project, "train 1"), facts(project, "train")
    learned = first["trained_rows"]
    assert first["checkpoint"]["info"]["skill"] == pytest.approx(0.2 + 0.005 * learned)
    skill = last["checkpoint"]["info"]["skill"]
    assert skill > first["checkpoint"]["info"]["skill"]
    assert document["rounds"][1]["train_rows"] == learned
    assert {"train 1", "train"} <= document["seconds"].keys()
    assert [entry["plugin"] for entry in document["settings"]["train"]] == ["fake", "polish"]


@pytest.mark.nightly
def test_the_first_is_trained_once_for_all_that_follow_it(project: Project) -> None:
    project.write(TWO)
    summary(project, "--rounds", "1")
    before = keys(project)
    summary(project, "--rounds", "1", "--set", "train.1.gain=0.02")
    new = {stage for stage, _ in keys(project) - before}
    assert "train" in new and "train 1" not in new


@pytest.mark.nightly
def test_where_no_row_is_for_the_second_the_run_rests_on_the_first_alone(project: Project) -> None:
    project.write(ONE)
    summary(project, "--rounds", "1", "--set", "data.rejected=0")
    before = {name for stage, name in keys(project) if stage == "train"}
    project.write(TWO)
    document = summary(project, "--rounds", "1", "--set", "data.rejected=0")
    assert {name for stage, name in keys(project) if stage == "train"} == before
    assert any("'polish' is passed over" in note for note in document["notes"])


def test_no_row_for_any_trainer_stops_the_run(project: Project) -> None:
    project.write(TWO)
    done = project.inside("iterate", "--set", "train=polish", "--set", "data.rejected=0")
    assert done.code == 4
    assert "none has anything to learn for polish" in done.err


def test_a_trainer_without_rows_is_named_before_the_run(project: Project) -> None:
    project.write(TWO)
    idle = ("--set", "data.rejected=0")
    both = project.inside("check", *idle)
    assert both.code == 0
    assert "'polish' is passed over while no row of train is for it" in " ".join(both.out.split())
    assert "passed over" not in project.inside("check").out
    alone = project.inside("check", "--set", "train=polish", *idle)
    assert alone.code == 4
    assert "none has anything to learn for polish" in alone.err


@pytest.mark.nightly
def test_a_list_of_one_is_the_run_of_that_trainer(project: Project) -> None:
    project.write(ONE)
    name = summary(project)["run"]
    project.write(ONE.replace("train: {plugin: fake}", "train: [{plugin: fake}]"))
    assert summary(project)["run"] == name


@pytest.mark.parametrize(
    ("train", "said"),
    [
        ("[]", "train: at least one trainer is needed"),
        ("[{plugin: polish}, {plugin: fake}]", "'fake' cannot start from a checkpoint of kind"),
        ("[{plugin: polish}, {plugin: polish}]", "'polish' is listed twice"),
        ("[{plugin: fake}, {plugin: polish, gane: 1}]", "train.1.gane: unknown key"),
    ],
)
def test_what_cannot_follow_is_said_before_any_work(project: Project, train: str, said: str):
    project.write(ONE.replace("train: {plugin: fake}", f"train: {train}"))
    done = project.inside("check")
    assert done.code == 2
    assert said in done.out + done.err


@pytest.mark.nightly
def test_arms_plan_and_reports_know_of_both(project: Project) -> None:
    arm = "\narms: [{name: less, set: {train.1.gain: 0.0}}]\n"
    project.write(TWO.replace("rounds: 3", "rounds: 1") + arm)
    planned = project.inside("plan")
    assert planned.code == 0, planned.err
    assert "trainings are timed with 'fake' alone: polish comes on top" in planned.out
    document = summary(project)
    assert [each["name"] for each in document["arms"]] == ["less"]
    assert "then polish" in project.inside("report", "--brief").out


@pytest.mark.nightly
def test_a_kill_of_the_second_leaves_the_first(project: Project) -> None:
    project.write(TWO.replace("rounds: 3", "rounds: 1"))
    whole = summary(project)
    for path in project.folder.glob(".harness/artifacts/train/*/manifest.json"):
        path.unlink()
    before = keys(project)
    again = project.inside("iterate", "--json")
    assert again.code == 0, again.err
    assert again.document["rounds"] == whole["rounds"]
    assert {stage for stage, _ in keys(project) - before} == set()
