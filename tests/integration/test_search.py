"""Settings by search: what is tried, what is kept of it, and what meets the reference on dev."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness import summary_schema
from tests.support.arms import levers_of
from tests.support.project import CONFIG, FAKES, SUPPORT, Project

VALLEY = (
    CONFIG.replace("rounds: 3", "rounds: 1")
    .replace(f"[{FAKES}]", f"[{FAKES}, {SUPPORT / 'searching.py'}]")
    .replace("train: {plugin: fake}", "train: {plugin: valley}")
    .replace("{source: fake}", "{source: fake, pool: 0, dev: 24, test: 12}", 1)
    .replace("augment: [{plugin: fake, rows: 10}]", "augment: []\nreport: [markdown]")
)
OVER = "{train.rate: {low: 1e-5, high: 1e-1, log: true}, train.size: [8, 16, 32]}"
SEARCH = f"search: {{trials: 6, folds: 2, startup: 3, over: {OVER}}}\n"
MANY = VALLEY.replace("pool: 0", "pool: 0, train: 220, groups: 220") + "valid: 0.49\n"
"""With as many rows of valid as trials are compared on without parts."""
TWO = SEARCH.replace("trials: 6", "trials: 2")


def iterate(project: Project, *sets: str) -> dict[str, Any]:
    done = project.inside("iterate", "--json", *(word for one in sets for word in ("--set", one)))
    assert done.code == 0, done.err
    found: dict[str, Any] = done.document
    return found


def bare(search: dict[str, Any]) -> dict[str, Any]:
    """Without what a clock says."""
    trials = [{k: v for k, v in one.items() if k != "seconds"} for one in search["trials"]]
    return {**search, "seconds": 0, "trials": trials}


@pytest.fixture
def valley(project: Project) -> Project:
    project.write(VALLEY)
    return project


@pytest.mark.nightly
def test_a_search_is_added_to_a_run_that_has_ended_and_its_best_meets_the_reference(
    valley: Project,
) -> None:
    plain = iterate(valley)
    valley.write(VALLEY + SEARCH)
    found = iterate(valley)
    assert found["run"] == plain["run"]
    for key in ("rounds", "test", "kept_round"):
        assert found[key] == plain[key], key
    jsonschema.Draft202012Validator(summary_schema()).validate(found)
    search = levers_of(found)["search"]
    assert len(search["trials"]) == 6
    first, best = search["trials"][0], search["trials"][search["best"]]
    assert first["values"] == {"train.rate": 1e-4, "train.size": 8}
    assert best["value"] < first["value"]
    assert len(best["folds"]) == 2
    assert {one["state"] for one in search["trials"]} == {"done", "pruned"}
    [arm] = found["arms"]
    assert (arm["name"], arm["kind"]) == ("search", "settings")
    assert arm["changed"] == {k: str(v) for k, v in best["values"].items() if v != 8}
    assert arm["verdict"]["label"] == "improved"
    assert arm["verdict"]["against"] == "round 1"
    assert arm["rows"] == found["rounds"][1]["train_rows"]
    the_same_again_and_more(valley, found)


def the_same_again_and_more(valley: Project, first: dict[str, Any]) -> None:
    """The same command answers at once; more trials go on, after a crash that cut the record."""
    [path] = valley.folder.glob(".harness/runs/harness-*/trials.jsonl")
    whole = path.read_bytes()
    assert iterate(valley) == first
    assert path.read_bytes() == whole
    path.write_bytes(whole[: len(whole) // 2])  # what it told is in the store
    more = levers_of(iterate(valley, "search.trials=7"))["search"]
    assert path.read_bytes().startswith(whole)
    assert bare(more)["trials"][:6] == bare(levers_of(first)["search"])["trials"]
    assert len(more["trials"]) == 7


@pytest.mark.nightly
def test_a_search_of_fewer_trials_has_ended_though_a_later_one_was_begun(valley: Project) -> None:
    valley.write(VALLEY + TWO)
    iterate(valley, "search.trials=3")
    [path] = valley.folder.glob(".harness/runs/harness-*/trials.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))  # without the last part of the third one
    search = levers_of(iterate(valley))["search"]
    assert [trial["state"] for trial in search["trials"]] == ["done", "done", "open"]
    assert search["ended"]


@pytest.mark.nightly
def test_a_search_that_is_killed_ends_as_without(valley: Project, tmp_path: Path) -> None:
    valley.write(VALLEY + TWO)
    kills = tmp_path / "kills"
    codes = []
    while not codes or codes[-1] == -9:
        codes.append(valley.harness("iterate", "--json", SEARCH_KILLS=str(kills)).code)
    assert codes[-1] == 0
    assert codes == [-9, -9, -9, -9, 0], "within each part of each trial"
    [summary] = valley.folder.glob("reports/*/summary.json")
    found = json.loads(summary.read_text())
    other = Project(tmp_path / "other")
    other.folder.mkdir()
    other.write(VALLEY + TWO)
    whole = iterate(other)
    assert bare(levers_of(found)["search"]) == bare(levers_of(whole)["search"])
    assert [arm["scores"] for arm in found["arms"]] == [arm["scores"] for arm in whole["arms"]]


@pytest.mark.nightly
def test_a_trial_whose_job_is_killed_is_no_trial_that_fails(
    valley: Project, tmp_path: Path
) -> None:
    valley.write(VALLEY.replace("launcher: inline", "launcher: local") + TWO)
    kills = tmp_path / "kills"
    done = valley.harness("iterate", "--json", SEARCH_KILLS=str(kills))
    assert done.code == 0, done.err
    assert len(kills.read_text().splitlines()) == 4, "within each part of each trial"
    trials = levers_of(done.document)["search"]["trials"]
    assert [trial["state"] for trial in trials] == ["done", "done"]


@pytest.mark.nightly
def test_a_training_is_cut_short_where_valid_shows_that_others_lose_less(valley: Project) -> None:
    search = SEARCH.replace("trials: 6, folds: 2, startup: 3", "trials: 4, startup: 2")
    valley.write(MANY + search)
    found = iterate(valley)
    search_of = levers_of(found)["search"]
    jsonschema.Draft202012Validator(summary_schema()).validate(found)
    assert search_of["folds"] == 1
    trials = search_of["trials"]
    cut = [one for one in trials if one["state"] == "pruned"]
    assert cut and all(one["number"] >= 2 for one in cut), "not before two came as far"
    for one in trials:
        pruned = one["state"] == "pruned"
        assert (one["value"] is None, one["folds"] == []) == (pruned, pruned)
        assert len(one["course"]) == (1 if pruned else 3)
        earlier = [other["course"][0] for other in trials[: one["number"]]]
        worse = len(earlier) >= 2 and one["course"][0] > statistics.median(earlier)
        assert pruned == worse
    [path] = valley.folder.glob(".harness/runs/harness-*/trials.jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert iterate(valley) == found, "what was trained is found in the store, and ends as it did"


@pytest.mark.nightly
def test_a_score_of_valid_can_be_searched_by(valley: Project) -> None:
    valley.write(MANY)
    found = iterate(valley, "search={by: overlap, trials: 3, over: {train.size: [8, 16, 32]}}")
    search = levers_of(found)["search"]
    assert search["folds"] == 1
    assert search["rows"] >= 100
    assert search["trials"][search["best"]]["values"] == {"train.size": 16}
    assert len(search["trials"]) == 3, "the list is used up"
    assert found["arms"][0]["changed"] == {"train.size": "16"}


@pytest.mark.nightly
def test_the_run_s_own_settings_may_be_the_best(valley: Project) -> None:
    own = VALLEY.replace("{plugin: valley}", "{plugin: valley, rate: 1e-3, size: 16}")
    valley.write(own + TWO)
    found = iterate(valley)
    assert levers_of(found)["search"]["best"] == 0
    assert "none of 2 trials was better" in levers_of(found)["search"]["sentence"]
    assert found["arms"] == []


def test_a_trial_that_fails_is_recorded_and_the_others_go_on(valley: Project) -> None:
    valley.write(VALLEY.replace("{plugin: valley}", "{plugin: valley, fail_above: 20}"))
    sets = "search={trials: 5, over: {train.size: [8, 16, 32]}}"
    found = levers_of(iterate(valley, sets))["search"]
    states = {one["values"]["train.size"]: one["state"] for one in found["trials"]}
    assert states == {8: "done", 16: "done", 32: "failed"}
    [failed] = [one for one in found["trials"] if one["state"] == "failed"]
    assert "the memory is not enough" in failed["failed"]
    assert found["trials"][found["best"]]["values"] == {"train.size": 16}


@pytest.mark.nightly
def test_a_value_that_the_trainer_refuses_is_a_trial_that_fails(valley: Project) -> None:
    valley.write(VALLEY)
    over = "{train.size: {low: 1, high: 13}}"  # both ends are accepted
    found = levers_of(iterate(valley, f"search={{trials: 9, over: {over}}}"))["search"]
    refused = [one for one in found["trials"] if one["values"]["train.size"] in (6, 7)]
    assert refused
    assert {one["state"] for one in refused} == {"failed"}
    assert "not a size" in refused[0]["failed"]


@pytest.mark.nightly
def test_where_all_trials_fail_the_reason_is_named(valley: Project) -> None:
    valley.write(VALLEY.replace("{plugin: valley}", "{plugin: valley, shy: true}"))
    done = valley.inside("iterate", "--set", "search={trials: 2, over: {train.size: [16, 32]}}")
    assert done.code == 5
    assert "all 2 trials of the search failed, the first one with: " in done.err
    assert "not beside others" in done.err


@pytest.mark.nightly
def test_too_few_rows_are_said_and_all_else_stands(valley: Project) -> None:
    valley.write(VALLEY.replace("pool: 0", "pool: 0, train: 12") + SEARCH)
    done = valley.inside("iterate")
    assert done.code == 4
    told = "search: 1 failure beside the rounds, all else stands: valid is too small for a search"
    assert told in done.err and "training beside" not in done.err
    assert "-> take search out, or add rows to train\n" in done.err
    [summary] = valley.folder.glob("reports/*/summary.json")
    assert len(json.loads(summary.read_text())["rounds"]) == 2


def over(text: str) -> str:
    return f"search={{over: {{{text}}}}}"


WRONG = {
    over("train.sise: [1, 2]"): "did you mean 'size'",
    over("train.rate: {low: 1, high: 1}"): "low has to be below high",
    over("train.rate: {low: 0, high: 1, log: true}"): "it has to be above 0",
    over("train.rate: {low: 0, hihg: 1}"): "high: field required",
    over("train.size: [8]"): "nothing to choose",
    over("train.size: [8, 16, 8]"): "8 is listed twice",
    over("train.size: 8"): "a list of values is needed",
    over("train.size: [8, large]"): "large",
    over("execution.launcher: [inline, child]"): "cannot differ between trainings",
    over("data.train: [30, 40]"): "cannot differ between trainings",
    over("seed: [1, 2]"): "several seeds would be luck",
    over("generate.remark: [a, b]"): "no effect on the validation loss",
    "search={}": "over: is needed",
    "search={trials: 0, over: {train.size: [8, 16]}}": "greater than or equal to 2",
    "search={by: bleu, over: {train.size: [8, 16]}}": "no score is called 'bleu'",
    "search={plugin: nosuch, over: {train.size: [8, 16]}}": "nosuch",
}


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("given", WRONG)
def test_what_cannot_be_searched_is_said_before_anything_is_trained(
    valley: Project, given: str
) -> None:
    done = valley.inside("check", "--set", given)
    assert done.code == 2, done.err
    assert WRONG[given] in done.err
    assert "Traceback" not in done.err


def test_a_run_begins_with_the_same_check(valley: Project) -> None:
    done = valley.inside("iterate", "--set", over("seed: [1, 2], train.rate: [0.1, -]"))
    assert done.code == 2
    assert "search.over.seed" in done.err and "search.over.train.rate" in done.err
    assert not list(valley.folder.glob(".harness/artifacts/*"))


def test_a_missing_package_is_named_with_its_extra(
    valley: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "optuna" else find(name)
    )
    valley.write(VALLEY + SEARCH)
    done = valley.inside("iterate")
    assert done.code == 3
    assert "pip install" in done.err and "[search]" in done.err


WANDERING = """
import harness


class Wandering(harness.Searcher):
    name = "wandering"

    def space(self):
        return {"train.rate": [1e-4, 1e-2]}

    def propose(self, trials, seed, higher_is_better):
        return {"train.rate": 5.0}


@harness.hookimpl
def register_searchers():
    return [Wandering]
"""


def test_nothing_outside_of_the_space_is_trained_on(project: Project) -> None:
    project.write(WANDERING, "wandering.py")
    text = VALLEY.replace("plugins: [", "plugins: [wandering.py, ")
    project.write(text + "search: {plugin: wandering, trials: 3, folds: 2}\n")
    done = project.inside("iterate", "--json")
    assert done.code == 5
    assert "wandering" in done.err and "'train.rate' is the number 5.0" in done.err
    assert "trial 2" not in done.err
