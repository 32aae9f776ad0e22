"""A run before it begins or goes on: ``harness.open_plan`` and the hook ``before_run``."""

from __future__ import annotations

import importlib.metadata

import pytest

import harness
from tests.support.project import CONFIG, FAKES

TELLING = """
import harness


@harness.hookimpl
def before_run(planned):
    known = {number: len(rows) for number, rows in planned.learned("main").items()}
    return [f"told: {planned.rounds} rounds, {known}, {sorted(planned.stored)}"]
"""


def told(result):
    assert result.code == 0, result.err
    return [line for line in result.err.splitlines() if line.startswith(("told:", "plan:"))]


def with_plugin(project, text):
    project.write(text, "telling.py")
    project.write(CONFIG.replace(f"[{FAKES}]", f"[{FAKES}, telling.py]"))


def test_a_run_that_has_not_begun_knows_its_rows_and_leaves_nothing(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    with harness.open_plan(sets=["augment=[{plugin: fake, rows: 10, control: random}]"]) as run:
        assert (run.rounds, run.growth, run.arms) == (3, 10, ["main", "random"])
        assert run.base is not None and run.tests and not run.waiting
        assert {number: len(rows) for number, rows in run.learned("random").items()} == {1: 35}
        assert len(run.rows("test")) == 48
        assert not any(stage.startswith(("train", "generate")) for _, _, stage in run.stored)
    assert not (project.folder / ".harness" / "runs").exists()
    assert list((project.folder / ".harness" / "work").iterdir()) == []


def test_what_a_finished_run_has_stored_is_found(short, monkeypatch):
    project, _ = short
    monkeypatch.chdir(project.folder)
    with harness.open_plan(rounds=1) as run:
        assert {("main", 1, "train"), ("main", 0, "generate test")} <= set(run.stored)
        assert run.results["main", 1].train_rows == len(run.learned("main")[1])
    with harness.open_plan(rounds=2) as longer:
        assert ("main", 1, "train") in longer.stored
        assert ("main", 2, "train") not in longer.stored
        assert len(longer.learned("main")[2]) > len(longer.learned("main")[1])


def test_a_job_is_made_as_in_the_run_and_thrown_away(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    with harness.open_plan() as run:
        rows = [row.as_asked() for row in run.rows("dev")[:3]]
        with run.jobs(harness.Quiet(), lambda: False) as job:
            left = job("generate", {"examples": rows})
            assert len((left / "predictions.jsonl").read_text().splitlines()) == 3
    assert not left.exists()
    assert not list((project.folder / ".harness" / "artifacts").glob("generate/*"))


def test_a_job_stops_when_it_is_asked_to(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    with (
        harness.open_plan() as run,
        run.jobs(harness.Quiet(), lambda: True) as job,
        pytest.raises(harness.Cancelled),
    ):
        job("train", {"train": run.rows("train"), "valid": run.rows("valid")})


def test_lines_of_plugins_come_first_and_a_finished_run_asks_for_none(project):
    with_plugin(project, TELLING)
    given = ("iterate", "--rounds", "1", "--no-test")
    lines = told(project.inside(*given))
    assert "told: 1 rounds, {1: 35}, []" in lines
    assert told(project.inside(*given)) == []
    again = told(project.inside(*given, "--reopen", "1"))
    assert "told: 1 rounds, {1: 35}, [('main', 0, 'generate')]" in again


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("returned", ["3", "[3]", "1 / 0"])
def test_a_hook_that_fails_costs_its_lines_and_not_the_run(project, returned):
    text = TELLING.split("    known")[0] + f"    return {returned}\n"
    with_plugin(project, text)
    result = project.inside("iterate", "--rounds", "1", "--no-test")
    assert len(told(result)) == 1  # that of harness plan
    log = next((project.folder / ".harness" / "runs").glob("*/harness.log")).read_text("utf-8")
    assert "failed in before_run" in log


def test_text_of_a_hook_is_no_markup_and_one_line(project):
    with_plugin(project, TELLING.replace("told: {planned", "told: [red]\\x1b[31m\\nnext {planned"))
    lines = told(project.inside("iterate", "--rounds", "1", "--no-test"))
    assert any(line.startswith("told: [red]") and "next 1 rounds" in line for line in lines)


@pytest.mark.nightly
def test_without_the_package_a_run_begins_without_its_lines(project, monkeypatch):
    points = importlib.metadata.entry_points
    monkeypatch.setattr(
        importlib.metadata,
        "entry_points",
        lambda **of: [point for point in points(**of) if "harness_plan" not in point.value],
    )
    assert told(project.inside("iterate", "--rounds", "1", "--no-test")) == []
