"""The loop as a whole, on fakes: what it writes, keeps, reuses and repeats."""

from __future__ import annotations

import json
import re
import shutil

import jsonschema
import pytest

import harness

ALL = ("augment=[{plugin: fake, rows: 5, aim: true, control: random}]", "plan.explore=0")


def sets(*texts):
    return [part for text in texts for part in ("--set", text)]


def test_three_rounds_give_a_valid_document(finished):
    _, result = finished
    assert result.code == 0
    schema = harness.summary_schema()
    jsonschema.Draft202012Validator(schema).validate(result.document)
    assert [one["round"] for one in result.document["rounds"]] == [0, 1, 2, 3]
    assert result.document["cached"] == []


def test_standard_output_is_the_summary_file_and_nothing_else(finished):
    project, result = finished
    (folder,) = (project.folder / "reports").iterdir()
    assert json.loads((folder / "summary.json").read_text()) == result.document
    assert {"config.yaml", "run.duckdb", "report.md"} <= {path.name for path in folder.iterdir()}


def test_every_round_says_its_verdict_as_soon_as_it_is_known(finished):
    err = finished[1].err
    lines = [line for line in err.splitlines() if line.startswith("round ")]
    assert [line.split(":")[0] for line in lines] == ["round 1", "round 2", "round 3"]
    assert all("improved" in line.lower() for line in lines)
    places = [err.index(line) for line in lines]
    assert err.index("the minimum detectable effect in") < places[0]


def test_the_second_call_answers_from_the_store(short):
    project, first = short
    before = project.manifests()
    times = {p: p.stat().st_mtime_ns for p in project.folder.rglob("manifest.json")}
    again = project.inside("iterate", "--rounds", "1", "--json")
    assert again.document == first.document
    assert project.manifests() == before
    assert {p: p.stat().st_mtime_ns for p in project.folder.rglob("manifest.json")} == times
    assert "round 1" not in again.err


def contents(manifests):
    """Stage -> the contents of its artifacts. Equal ones may be stored once, under one key."""
    found = {}
    for name, content in manifests.items():
        if not name.startswith("summary/"):
            found.setdefault(name.split("/")[0], set()).add(json.dumps(content, sort_keys=True))
    return found


@pytest.mark.nightly
@pytest.mark.parametrize("stage", ["generate", "train", "analyze"])
def test_a_finished_run_whose_stages_were_deleted_makes_them_again(short, stage):
    project, first = short
    run, before = first.document["run"], project.manifests()
    folder = project.folder / ".harness" / "artifacts" / stage
    lost = {name for name in before if name.startswith(f"{stage}/")}
    shutil.rmtree(folder)
    again = project.inside("iterate", "--rounds", "1", "--json")
    assert again.code == 0 and lost
    assert "the run was finished, but round" in again.err
    assert "not in the store any more: made again" in again.err
    assert contents(project.manifests()) == contents(before)
    for part in ("rounds", "kept_round", "test"):
        assert again.document[part] == first.document[part]
    assert project.inside("rebuild", run).code == 0
    assert "made again" not in project.inside("iterate", "--rounds", "1", "--json").err


def test_a_finished_run_whose_reports_were_deleted_gives_them_again(short):
    project, first = short
    (folder,) = (project.folder / "reports").iterdir()
    (folder / "report.md").unlink()
    again = project.inside("iterate", "--rounds", "1", "--json")
    assert (folder / "report.md").exists()
    assert again.bare == first.bare
    assert {"data", "round 1: train", "round 0: generate test"} <= set(again.document["cached"])


def test_more_rounds_are_another_run_that_reuses_what_is_unchanged(short):
    project, first = short[0], short[1].document
    second = project.inside("iterate", "--rounds", "2", "--json").document
    assert first["run"] != second["run"]
    assert second["test"]["looks"] == 2
    cached = second["cached"]
    assert {"data", "round 0: generate", "round 1: train", "round 1: augment"} <= set(cached)
    assert "round 2: train" not in cached


@pytest.mark.nightly
def test_another_option_makes_again_only_what_depends_on_it(short):
    project, _ = short
    second = project.inside(
        "iterate", "--rounds", "1", *sets("train.gain=0.01"), "--json"
    ).document["cached"]
    assert "round 0: score" in second
    assert "round 1: train" not in second


def test_only_an_improved_round_is_kept(project):
    result = project.inside("iterate", "--json", *sets("train.drop_in_round=2")).document
    labels = [one["verdict"]["label"] for one in result["rounds"]]
    assert labels == ["baseline", "improved", "regressed", "improved"]
    assert [one["kept"] for one in result["rounds"]] == [True, True, False, True]
    against = [one["verdict"]["against"] for one in result["rounds"]]
    assert against == ["", "round 0", "round 1", "round 1"]
    assert result["kept_round"] == 3


def test_after_a_regression_data_grow_from_the_kept_round(project):
    spied = project.folder / "seen.jsonl"
    project.inside("iterate", *sets("train.drop_in_round=2"), FAKE_SPY=str(spied))
    trained = {}
    for line in map(json.loads, spied.read_text().splitlines()):
        if line["who"] == "trainer":
            trained[line["round"]] = [r["id"] for r in line["rows"] if r["split"] == "train"]
    assert len(trained[2]) == len(trained[1]) + 10
    assert trained[3][: len(trained[1])] == trained[1]
    assert len(trained[3]) == len(trained[1]) + 10


@pytest.mark.nightly
def test_a_model_that_cannot_improve_fails_the_requirement(project):
    result = project.inside("iterate", "--json", "--require", "improved", *sets("train.gain=0"))
    assert result.code == 1
    document = result.document
    assert document["kept_round"] == 0
    assert {one["verdict"]["label"] for one in document["rounds"][1:]} == {"no evidence"}
    assert document["test"] is None and document["sealed"]["reason"] == "nothing kept"
    again = project.inside("iterate", "--require", "improved", *sets("train.gain=0"))
    assert again.code == 1


def test_an_improvement_meets_the_requirement(finished):
    project, _ = finished
    assert project.inside("iterate", "--require", "improved").code == 0
    assert project.inside("iterate", "--require", "better").code == 2


@pytest.mark.nightly
def test_the_control_arm_is_compared_at_equal_rows(project):
    result = project.inside("iterate", "--json", *sets(*ALL, "train.hard_gain=0.02"))
    assert result.code == 0, result.err
    document = result.document
    control = document["control"]
    rows = [one["train_rows"] for one in document["rounds"]]
    assert [one["train_rows"] for one in control["rounds"]] == rows
    assert rows[3] > rows[2] > rows[1]
    assert control["low"] <= control["difference"] <= control["high"]
    assert control["difference"] > 0
    # Its rounds bear no verdict, wherever they are shown: the promise of 5 % is for one arm.
    assert {one["verdict"]["label"] for one in control["rounds"][1:]} == {"control"}
    assert not any(one["kept"] for one in control["rounds"][1:])
    lines = [line for line in result.err.splitlines() if "(random rows): " in line]
    assert len(lines) == 3
    labels = re.compile("improved|no evidence|regressed")
    assert not any(labels.search(line) for line in lines)
    stored = project.inside(
        "query", "SELECT label, kept, sentence FROM rounds WHERE arm = 'random'", "--json"
    )
    assert {(one["label"], one["kept"]) for one in stored.document} == {("control", False)}
    assert not any(labels.search(one["sentence"]) for one in stored.document)
    assert "round 1: train (random)" in document["cached"]
    assert "round 2: train (random)" not in document["cached"]


@pytest.mark.nightly
def test_arms_of_unequal_size_are_not_compared(project):
    short = ALL[0].replace("aim: true", "aim: true, short: true")
    result = project.inside("iterate", "--json", *sets(short, ALL[1], "train.hard_gain=0.02"))
    control = result.document["control"]
    ours, theirs = (side["rounds"][3]["train_rows"] for side in (result.document, control))
    assert ours > theirs
    assert (control["difference"], control["low"], control["high"]) == (None, None, None)
    assert control["sentence"] == (
        f"Not comparable: in round 3 the main arm trained on {ours} rows and the control arm on "
        f"{theirs}, so a difference may be that of their number."
    )
    assert "Not comparable" in project.inside("report", "--full").out
    assert "targeted minus random" not in project.inside("report", "--full").out


def test_without_a_control_arm_there_is_no_comparison(finished):
    assert "control" not in finished[1].document


@pytest.mark.nightly
def test_arms_of_the_same_rows_are_not_compared_for_the_true_reason(project):
    given = sets("augment=[{plugin: fake, rows: 5, control: random}]", "plan.strategy=random")
    control = project.inside("iterate", "--rounds", "2", "--json", *given).document["control"]
    assert control["difference"] is None
    # The analyzer finds a slice weak all the same.
    assert control["sentence"] == (
        "Both arms trained on the same rows in round 2: no rows were added for a slice, so that "
        "both drew theirs from all data."
    )


@pytest.mark.nightly
def test_arms_to_which_nothing_was_added_are_told_so(project):
    given = sets("augment=[{plugin: fake, rows: 5, control: random}]", "data.pool=0")
    control = project.inside("iterate", "--rounds", "2", "--json", *given).document["control"]
    assert control["sentence"] == (
        "Both arms trained on the same rows in round 2: no rows were added in either."
    )


def test_the_same_seed_gives_the_same_bytes_in_another_folder(project, tmp_path, screened):
    other = type(project)(tmp_path / "other")
    other.folder.mkdir()
    other.write()
    given = ("iterate", "--rounds", "2", "--json")
    given += tuple(sets("augment=[{plugin: fake, rows: 5, control: random}]"))
    first = project.inside(*given)
    screened.clear()
    second = other.inside(*given)
    assert first.bare == second.bare
    here, there = project.manifests(), other.manifests()
    here = {key: found for key, found in here.items() if not key.startswith("summary/")}
    assert here == {key: there[key] for key in here}
    assert len(here) > 20


@pytest.mark.nightly
def test_another_seed_is_another_run(short):
    project, first = short[0], short[1].document
    second = project.inside("iterate", "--rounds", "1", "--json", *sets("seed=8")).document
    assert first["run"] != second["run"]


def test_the_launcher_is_no_part_of_the_result(short):
    project, first = short
    again = project.inside("iterate", "--rounds", "1", "--json", *sets("execution.launcher=local"))
    assert first.document == again.document


def test_a_child_process_gives_the_same_as_this_one(project, short):
    _, first = short
    given = ("iterate", "--rounds", "1", "--json")
    second = project.inside(*given, *sets("execution.launcher=local"))
    assert second.code == 0, second.err
    way = {"next_command": ""}  # which names what the command was given
    assert first.bare | way == second.bare | way


@pytest.mark.nightly
def test_too_few_groups_are_said_before_training_and_never_improve(project):
    result = project.inside(
        "iterate", "--rounds", "1", "--json", *sets("data.groups=8", "train.gain=0.03")
    )
    assert result.code == 0, result.err
    assert result.err.index("8 groups") < result.err.index("round 1:")
    verdict = result.document["rounds"][1]["verdict"]
    assert verdict["label"] == "no evidence"
    assert verdict["difference"] > 0.1
    assert result.document["test"] is None


def test_the_first_training_rows_have_an_empty_plan_before_them(finished):
    before, first, *_ = finished[1].document["rounds"]
    assert before["added"] == 0 and before["train_rows"] == 0
    assert first["added"] == 10


BROKEN_SUM = """
import harness


class Broken(harness.Metric):
    name = "broken"

    def measure(self, prediction, example):
        words = prediction.text.split()
        return sum(word != "hm" for word in words) / len(words)

    def aggregate(self, sums, weights):
        if (sums / weights[..., None]).mean() > 0.24:
            raise RuntimeError("no sum")
        return super().aggregate(sums, weights)


@harness.hookimpl
def register_metrics():
    return [Broken]
"""


def test_a_metric_whose_aggregate_fails_is_named_with_its_round(project):
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", "plugins: [broken.py, ")
    project.write(text.replace("[{plugin: overlap}]", "[{plugin: overlap}, {plugin: broken}]"))
    project.write(BROKEN_SUM, "broken.py")
    failed = project.inside("iterate", "--rounds", "1")
    assert failed.code == 5 and "round 1: score" in failed.err and "no sum" in failed.err
