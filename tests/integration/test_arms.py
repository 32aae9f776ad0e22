"""Trainings beside the rounds: what is tried, what is said of it, and what it leaves alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import harness
from harness import summary_schema
from harness.run.artifacts import Artifacts
from tests.support.arms import levers_of
from tests.support.project import CONFIG, SUPPORT, Project

TWO_ROUNDS = CONFIG.replace("rounds: 3", "rounds: 2")
ARMS = """
arms:
- {name: more, set: {train.gain: 0.01}}
- {name: nothing, set: {train.gain: 0.0}}
"""


def summary(project: Project, *sets: str) -> dict[str, Any]:
    done = project.inside("iterate", "--json", *(word for one in sets for word in ("--set", one)))
    assert done.code == 0, done.err
    found: dict[str, Any] = done.document
    return found


@pytest.fixture
def begun(project: Project) -> Project:
    project.write(TWO_ROUNDS)
    return project


def by_name(document: dict[str, Any]) -> dict[str, Any]:
    return {arm["name"]: arm for arm in document["arms"]}


def test_arms_are_tried_beside_the_rounds_of_the_same_run(begun: Project) -> None:
    plain = summary(begun)
    begun.write(TWO_ROUNDS + ARMS + "worth: 0.1\n")
    found = summary(begun)
    assert found["run"] == plain["run"]
    for key in ("rounds", "test", "kept_round"):
        assert found[key] == plain[key], key
    jsonschema.Draft202012Validator(summary_schema()).validate(found)
    arms = by_name(found)
    assert [arms[name]["verdict"]["label"] for name in ("more", "nothing")] == [
        "improved", "regressed",
    ]  # fmt: skip
    assert [arms[name]["worth"] for name in ("more", "nothing")] == ["yes", "no"]
    assert {arm["verdict"]["against"] for arm in arms.values()} == {"round 2"}
    assert {arm["rows"] for arm in arms.values()} == {found["rounds"][2]["train_rows"]}
    openings = (begun.folder / ".harness" / "test-openings.jsonl").read_text()
    assert openings.count('"test":') == 1


@pytest.mark.nightly
def test_the_same_command_answers_at_once_and_says_the_same(begun: Project) -> None:
    begun.write(TWO_ROUNDS + ARMS)
    first = summary(begun)
    spied = begun.folder / "spied.jsonl"
    again = begun.inside("iterate", "--json", FAKE_SPY=str(spied))
    assert again.document == first
    assert not spied.exists()


@pytest.mark.nightly
def test_an_arm_that_is_tried_later_is_given_less(begun: Project) -> None:
    begun.write(TWO_ROUNDS + ARMS)
    together = by_name(summary(begun))
    later = by_name(summary(begun, "arms=[{name: third, set: {train.gain: 0.02}}]"))
    assert set(later) == {"more", "nothing", "third"}
    for name in together:
        assert later[name]["verdict"] == together[name]["verdict"], "a verdict that stands"
    assert later["third"]["verdict"]["level"] == pytest.approx(1 - 0.05 / (3 * 4))


@pytest.mark.nightly
def test_arms_of_other_runs_on_the_same_dev_rows_count(begun: Project) -> None:
    alone = by_name(summary(begun, "arms=[{name: a, set: {train.gain: 0.01}}]", "rounds=1"))
    assert alone["a"]["verdict"]["level"] == pytest.approx(1 - 0.05 / 2)
    second = by_name(summary(begun, "arms=[{name: a, set: {train.gain: 0.01}}]", "rounds=2"))
    assert second["a"]["verdict"]["level"] == pytest.approx(1 - 0.05 / 6)


@pytest.mark.nightly
def test_the_curve_says_what_more_rows_are_worth(begun: Project) -> None:
    found = summary(begun, "curve=true")
    curve = levers_of(found)["curve"]
    assert [point["share"] for point in curve["points"]] == [0.25, 0.5, 1.0]
    assert [len(point["values"]) for point in curve["points"]] == [2, 2, 2]
    assert curve["points"][-1]["values"][0] == found["rounds"][2]["scores"]["overlap"]["value"]
    assert 0 < curve["low"] < curve["per_doubling"] < curve["high"]
    assert all(arm["verdict"] is None for arm in found["arms"])


@pytest.mark.nightly
def test_models_are_ranked_with_the_run_s_own(begun: Project) -> None:
    models = "models=[{source: fake, skill: 0.5}, {source: fake, skill: 0.21}]"
    found = summary(begun, models)
    ranking = levers_of(found)["models"]
    assert set(ranking["places"]) == {"fake (of the run)", "fake", "fake (2)"}
    assert ranking["places"]["fake"] == 1
    assert ranking["places"]["fake (of the run)"] > 1
    assert len(ranking["pairs"]) == 3


@pytest.mark.nightly
def test_seeds_make_a_verdict_on_the_method(begun: Project) -> None:
    found = summary(begun, "seeds=5", "arms=[{name: more, set: {train.gain: 0.01}}]")
    method = levers_of(found)["method"]
    assert len(method["values"]) == 5
    assert method["verdict"]["label"] == "improved"
    assert "over 5 seeds" in method["verdict"]["sentence"]
    assert "over 5 seeds" in by_name(found)["more"]["verdict"]["sentence"]


@pytest.mark.nightly
def test_the_whole_loop_is_repeated_with_other_seeds(begun: Project) -> None:
    found = summary(begun, "seeds={count: 5, of: loop}")
    [again] = found["arms"]
    assert again["kind"] == "loop"
    assert [one["failed"] for one in again["trainings"]] == [None] * 5
    method = levers_of(found)["method"]
    assert method["name"] == "the loop's best round"
    assert len(method["values"]) == 5
    assert begun.inside("runs").out.count("harness-") == 1, "loops beside the rounds are no runs"


@pytest.mark.nightly
def test_an_arm_that_fails_is_named_and_the_others_stand(begun: Project) -> None:
    config = TWO_ROUNDS.replace("fakes.py]", f"fakes.py, {SUPPORT / 'faulty.py'}]")
    broken = "- {name: broken, set: {train: {plugin: faulty, fault: value}}}\n"
    begun.write(config + ARMS + broken)
    done = begun.inside("iterate", "--json")
    assert done.code == 5
    assert "1 failure beside the rounds, all else stands: " in done.err
    assert done.err.count("the same command tries again") == 1
    [run] = (begun.folder / "reports").iterdir()
    arms = by_name(json.loads((run / "summary.json").read_text()))
    assert arms["broken"]["failed"]
    assert arms["broken"]["verdict"] is None
    assert arms["more"]["verdict"]["label"] == "improved"
    assert arms["more"]["verdict"]["level"] > 1 - 0.05 / 3, "the failed one counts"


@pytest.mark.nightly
def test_arms_are_judged_together_once_the_machine_lets_all_be_trained(begun: Project) -> None:
    config = TWO_ROUNDS.replace("fakes.py]", f"fakes.py, {SUPPORT / 'faulty.py'}]")
    begun.write(config + ARMS + "- {name: broken, set: {train: {plugin: faulty, fault: io}}}\n")
    done = begun.inside("iterate", "--json")
    assert done.code == 3
    assert "arms are judged when the same command has trained those that failed" in done.err
    [run] = (begun.folder / "reports").iterdir()
    assert not any(arm["verdict"] for arm in json.loads((run / "summary.json").read_text())["arms"])
    begun.write(config + ARMS)
    levels = [arm["verdict"]["level"] for arm in summary(begun)["arms"]]
    assert max(levels) == pytest.approx(1 - 0.05 * (1 - 1 / 3) / 2), "of two"


WRONG = {
    "arms=[{name: a, set: {data.train: 10}}]": "cannot differ between trainings",
    "arms=[{name: a, set: {metrics: []}}]": "cannot differ between trainings",
    "arms=[{name: a, set: {train.gian: 1}}]": "gian",
    "arms=[{name: a, set: {train.gain: 0.005}}]": "changes nothing",
    "arms=[{name: a, set: {train.gain: 1}}, {name: a, set: {train.gain: 2}}]": "two arms",
    "arms=[{name: the same again, set: {train.gain: 1}}]": "two arms",
    "arms=[{name: a}]": "set: is needed",
    "arms=[{name: a, set: {seed: 9}}]": "another draw, and no setting",
    "worth=0": "greater than 0",
    "worth=.nan": "worth",
    "seeds=3": "greater than or equal to 5",
    "curve=[0.5, 0.25]": "shares rise",
    "curve=[0.5]": "curve",
    "models=[{source: nosuch}]": "nosuch",
    "models=[{source: local, path: no/such}]": "models.0.path: ",
    "curve=yes": "true, or {shares: [0.25, 0.5, 1], seeds: 2}, is needed",
    "seeds=5.0": "a whole number, or {count: 5, of: loop}, is needed",
}


@pytest.mark.nightly(but_each=20)
@pytest.mark.parametrize("given", WRONG)
def test_what_cannot_be_tried_is_said_before_anything_is_trained(
    begun: Project, given: str
) -> None:
    spied = begun.folder / "spied.jsonl"
    for command in ("check", "iterate"):
        done = begun.inside(command, "--set", given, FAKE_SPY=str(spied))
        assert done.code == 2, done.err
        assert WRONG[given] in done.err
        assert "Traceback" not in done.err
    assert not spied.exists()


def test_all_that_is_wrong_with_arms_is_said_with_its_line(begun: Project) -> None:
    begun.write(
        TWO_ROUNDS
        + "curve: false\nseeds: false\n"
        + ARMS
        + "- {name: typo, set: {train.gian: 1}}\n- {name: same, set: {train.gain: 0.0}}\n"
    )
    done = begun.inside("check")
    assert done.code == 2
    lines = TWO_ROUNDS.count("\n") + 2 + 4
    assert f"harness.yaml:{lines + 1}: arms.2: train.gian: unknown key" in done.err
    assert f"harness.yaml:{lines + 2}: arms.3: the arms 'nothing' and 'same'" in done.err


@pytest.mark.nightly
def test_a_report_after_an_upgrade_of_nothing_tells_of_arms(begun: Project) -> None:
    begun.write(TWO_ROUNDS + ARMS)
    first = summary(begun)
    [run] = (begun.folder / "reports").iterdir()
    document = json.loads((run / "analysis.json").read_text())
    assert document["arms"] == first["arms"]
    (run / "analysis.json").unlink()
    assert begun.inside("report").code == 0
    again = json.loads((Path(run) / "analysis.json").read_text())
    assert again["arms"] == first["arms"]
    assert again["experiments"] == first["experiments"]


@pytest.mark.nightly
def test_the_database_has_the_answers_of_arms_beside_those_of_rounds(begun: Project) -> None:
    begun.write(TWO_ROUNDS + ARMS)
    summary(begun)
    [run] = (begun.folder / "reports").iterdir()
    sql = "SELECT arm, round, count(*), sum(value) FROM outcomes WHERE split = 'dev' GROUP BY ALL"
    found = {row[:2]: row[2:] for row in harness.query(run / "run.duckdb", sql).rows}
    assert set(found) == {
        ("main", 0),
        ("main", 1),
        ("main", 2),
        ("arm more", 2),
        ("arm nothing", 2),
    }
    assert found["arm more", 2][1] > found["main", 2][1] > found["arm nothing", 2][1]
    errors = begun.inside("errors", "--json").document
    assert errors["answers"] == 48, "commands tell of rounds"


@pytest.mark.nightly
def test_an_arm_whose_answers_are_lacking_is_judged_by_a_later_command(begun: Project) -> None:
    config = CONFIG.replace("rounds: 3", "rounds: 1") + ARMS
    begun.write(config)
    summary(begun)
    [path] = begun.folder.glob(".harness/runs/harness-*/arms.jsonl")
    *tried, _ = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(tried))  # as a kill before the verdicts leaves it
    keys = next(line["tried"]["keys"] for line in map(json.loads, tried))
    store = Artifacts(begun.folder / ".harness" / "artifacts")
    answers = store.with_digest("generate", keys["generate"])
    assert answers is not None
    shutil.rmtree(answers.path)
    begun.write(config + "- {name: third, set: {train.gain: 0.02}}\n")
    drifted = begun.inside("iterate", "--json", FAKE_DRIFT="generate")
    assert drifted.code == 3 and "what this arm was judged with is not stored" in drifted.err
    assert "arms are judged when the same command" in drifted.err
    shutil.rmtree(answers.path)
    mended = begun.inside("iterate", "--json")
    assert mended.code == 0, mended.err
    assert all(arm["verdict"] for arm in mended.document["arms"])


@pytest.mark.nightly
def test_an_arm_that_is_planned_no_more_holds_no_verdict_back(begun: Project) -> None:
    config = CONFIG.replace("rounds: 3", "rounds: 1")
    begun.write(config + ARMS)
    summary(begun)
    [path] = begun.folder.glob(".harness/runs/harness-*/arms.jsonl")
    *tried, _ = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(tried))  # as a kill before the verdicts leaves it
    store = Artifacts(begun.folder / ".harness" / "artifacts")
    answers = store.with_digest("generate", json.loads(tried[0])["tried"]["keys"]["generate"])
    assert answers is not None
    shutil.rmtree(answers.path)
    begun.write(config + "arms: [{name: third, set: {train.gain: 0.02}}]\n")
    done = begun.inside("iterate", "--json", FAKE_DRIFT="generate")
    assert done.code == 3 and "what this arm was judged with is not stored" in done.err
    [run] = (begun.folder / "reports").iterdir()
    assert by_name(json.loads((run / "summary.json").read_text()))["third"]["verdict"]


@pytest.mark.nightly
def test_a_kill_at_any_place_of_an_arm_changes_nothing(begun: Project, tmp_path: Path) -> None:
    begun.write(CONFIG.replace("rounds: 3", "rounds: 1"))
    summary(begun, "rounds=1")
    more = ("--set", "rounds=1", "--set", "arms=[{name: a, set: {train.gain: 0.01}}]")
    kills = tmp_path / "kills"
    ends = []
    while not ends or ends[-1] != 0:
        ends.append(begun.harness("iterate", "--json", *more, FAKE_KILLS=str(kills)).code)
        assert len(ends) < 9
    assert len(ends) > 3
    [found] = json.loads(begun.inside("iterate", "--json", *more).out)["arms"]
    whole = Project(tmp_path / "whole")
    whole.folder.mkdir()
    whole.write(CONFIG.replace("rounds: 3", "rounds: 1"))
    [expected] = whole.inside("iterate", "--json", *more).document["arms"]
    for arm in (found, expected):
        del arm["seconds"], arm["trainings"][0]["seconds"]
    assert found == expected
