"""Arms that are changed, dropped and tried again: what was said of others stays true."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.kit.files import append_line
from tests.support import nightly
from tests.support.arms import levers_of
from tests.support.project import CONFIG, FAKES, Project

ONE_ROUND = CONFIG.replace("rounds: 3", "rounds: 1")
MOODY = """
import os

import harness
from harness.registry import import_file
from pathlib import Path

fakes = import_file(Path({fakes!r}))


class Moody(fakes.FakeTrainer):
    name = "moody"

    def train(self, base, train, valid, context):
        if os.environ.get("MOODY") and os.environ["MOODY"] in context.arm:
            raise RuntimeError("not now")
        if "TRAINED" in os.environ:
            with open(os.environ["TRAINED"], "a") as file:
                file.write(context.arm + "\\n")
        return super().train(base, train, valid, context)


class People(harness.Metric):
    name = "people"
    by_people = True
    bounds = (0.0, 1.0)

    def measure_all(self, pairs):
        if os.environ.get("PEOPLE") == "wait":
            raise harness.Waiting("nobody rated these", ["ask RUN --round ROUND"])
        return [1.0 for _ in pairs]


@harness.hookimpl
def register_trainers():
    return [Moody]


@harness.hookimpl
def register_metrics():
    return [People]
"""


@pytest.fixture
def begun(project: Project) -> Project:
    project.write(ONE_ROUND)
    return project


@pytest.fixture
def moody(project: Project) -> Project:
    """A trainer that fails where the environment says so, and a metric by people."""
    path = project.folder / "moody.py"
    path.write_text(MOODY.replace("{fakes!r}", repr(str(FAKES))))
    config = ONE_ROUND.replace("fakes.py]", f"fakes.py, {path}]")
    project.write(config.replace("train: {plugin: fake}", "train: {plugin: moody}"))
    return project


def summary(project: Project, *sets: str, **env: str) -> dict[str, Any]:
    words = [word for one in sets for word in ("--set", one)]
    done = project.inside("iterate", "--json", *words, **env)
    assert done.code == 0, done.err
    found: dict[str, Any] = done.document
    return found


def arm(gain: float, name: str = "a") -> str:
    return f"arms=[{{name: {name}, set: {{train.gain: {gain}}}}}]"


@pytest.mark.nightly
def test_another_arm_of_the_same_name_counts_as_another(begun: Project) -> None:
    gains = (0.01, 0.011, 0.0) if nightly.FULL else (0.01, 0.011)
    for place, gain in enumerate(gains, start=1):
        found = summary(begun, arm(gain))
        assert found["arms"][-1]["verdict"]["level"] == pytest.approx(
            1 - 0.05 / (place * (place + 1))
        )
    assert len({one["name"] for one in found["arms"]}) == len(gains)
    assert [one["changed"]["train.gain"] for one in found["arms"]] == list(map(str, gains))
    dropped = summary(begun, arm(0.02, "b"))
    kept = {one["changed"]["train.gain"]: one for one in dropped["arms"]}
    for one in found["arms"]:
        same = kept[one["changed"]["train.gain"]]
        assert (same["verdict"], same["scores"]) == (one["verdict"], one["scores"])


@pytest.mark.nightly
def test_the_tenth_arm_says_what_arms_that_are_built_on_each_other_do(begun: Project) -> None:
    summary(begun)
    ledger = begun.folder / ".harness" / "dev-arms.jsonl"
    [own] = [json.loads(line) for line in ledger.read_text().splitlines()]
    names = [f"arm {number}" for number in range(9)]
    other = {"schema": own["schema"], "dev": own["dev"], "who": "other"}
    append_line(ledger, {**other, "judged": "arms", "arms": names})
    [found] = summary(begun, arm(0.02))["arms"]
    assert found["verdict"]["level"] == pytest.approx(1 - 0.05 / 110)
    assert "10 arms were judged on these rows of dev" in found["verdict"]["remarks"][0]["sentence"]
    assert "on its test set, or on other rows of dev" in found["verdict"]["remarks"][0]["sentence"]


def test_the_same_settings_under_two_names_are_refused(begun: Project) -> None:
    whole = "{name: b, set: {train: {plugin: fake, gain: 0.2}}}"
    two = f"arms=[{{name: a, set: {{train.gain: 0.2}}}}, {whole}]"
    both = "arms=[{name: a, set: {train: {plugin: fake}, train.gain: 0.2}}]"
    blank = 'arms=[{name: " ", set: {train.gain: 1}}]'
    said = {two: "'a' and 'b' have the same settings", both: "both given", blank: "no name"}
    for given, told in said.items():
        done = begun.inside("check", "--set", given)
        assert done.code == 2
        assert told in done.err


@pytest.mark.nightly
def test_a_curve_that_is_asked_for_is_made_of_its_own_shares(begun: Project) -> None:
    fresh = levers_of(summary(begun, "curve={shares: [0.7, 1], seeds: 3}"))["curve"]
    other = levers_of(summary(begun, "curve={shares: [0.25, 0.5, 1], seeds: 2}"))["curve"]
    assert [point["share"] for point in other["points"]] == [0.25, 0.5, 1.0]
    again = levers_of(summary(begun, "curve={shares: [0.7, 1], seeds: 3}"))["curve"]
    assert again == fresh
    dropped = levers_of(summary(begun, arm(0.02)))["curve"]
    assert [len(point["values"]) for point in dropped["points"]] in ([2, 2, 2], [3, 3])


@pytest.mark.nightly
def test_a_seed_that_fails_for_a_while_costs_no_verdict(moody: Project) -> None:
    sets = ("seeds=5", arm(0.02))
    words = [word for one in sets for word in ("--set", one)]
    done = moody.inside("iterate", "--json", *words, MOODY="a, seed 3")
    assert done.code == 5
    found = summary(moody, *sets)
    [tried] = [one for one in found["arms"] if one["name"] == "a"]
    assert "over 5 seeds" in tried["verdict"]["sentence"]


@pytest.mark.nightly
def test_what_is_not_asked_for_any_more_is_not_trained(moody: Project) -> None:
    done = moody.inside("iterate", "--json", "--set", "seeds=5", MOODY="again, seed 4")
    assert done.code == 5
    log = moody.folder / "trained.txt"
    found = summary(moody, arm(0.02), TRAINED=str(log))
    assert log.read_text().split("\n")[:-1] == ["a"]
    [again] = [one for one in found["arms"] if one["kind"] == "seed"]
    assert [one["failed"] for one in again["trainings"]] == [None] * 4


@pytest.mark.nightly
def test_the_method_is_that_which_is_asked_for(begun: Project) -> None:
    loop = levers_of(summary(begun, "seeds={count: 5, of: loop}"))["method"]
    assert (
        "The best round of each loop was chosen on these rows"
        in loop["verdict"]["remarks"][0]["sentence"]
    )
    again = levers_of(summary(begun, "seeds=5"))["method"]
    assert again["name"] == "round 1"
    assert "Round 1 was chosen on these rows of dev" in again["verdict"]["remarks"][0]["sentence"]
    runs = (begun.folder / ".harness" / "dev-arms.jsonl").read_text().splitlines()
    assert len(runs) == 1, "a loop beside the rounds is no run that chose"
    assert levers_of(summary(begun, arm(0.02)))["method"] is not None


@pytest.mark.nightly
def test_a_kill_between_training_and_verdict_changes_none(begun: Project) -> None:
    two = "arms=[{name: a, set: {train.gain: 0.01}}, {name: b, set: {train.gain: 0.0}}]"
    found = summary(begun, two)
    [path] = begun.folder.glob(".harness/runs/harness-*/arms.jsonl")
    *trained, _ = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(trained))
    again = summary(begun, two)
    assert [one["verdict"] for one in again["arms"]] == [one["verdict"] for one in found["arms"]]
    ledger = begun.folder / ".harness" / "dev-arms.jsonl"
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert [line["judged"] for line in lines] == ["rounds", "arms"], "the run itself, its arms"
    assert len(lines[1]["arms"]) == 2


@pytest.mark.nightly
def test_people_are_not_asked_about_arms(moody: Project) -> None:
    moody.write(
        (moody.folder / "harness.yaml")
        .read_text()
        .replace("metrics: [{plugin: overlap}]", "metrics: [{plugin: overlap}, {plugin: people}]")
    )
    plain = summary(moody)
    assert "people" in plain["rounds"][1]["scores"]
    found = summary(moody, arm(0.02), PEOPLE="wait")
    assert found["arms"][0]["verdict"]["label"] == "improved"
    assert "people" not in found["arms"][0]["scores"]
    assert found["rounds"] == plain["rounds"]


@pytest.mark.nightly
def test_a_ledger_that_cannot_be_read_is_said_before_anything_is_trained(moody: Project) -> None:
    summary(moody, arm(0.01))
    ledger = moody.folder / ".harness" / "dev-arms.jsonl"
    ledger.write_text(ledger.read_text().replace('"who"', '"how"'))
    log = moody.folder / "trained.txt"
    done = moody.inside("iterate", "--set", arm(0.02), TRAINED=str(log))
    assert done.code == 4
    assert "what was chosen by which rows of dev cannot be known" in done.err
    assert not log.exists()
