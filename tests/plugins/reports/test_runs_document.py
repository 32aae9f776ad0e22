"""The document of all runs: what each is set against, what is ranked together, arms, damage."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import harness
from harness.config.settings import keys_beside
from harness.report.folders import find_reports
from harness.run import dev_ledger
from harness.run.row_keys import row_keys
from tests.support.arms import ARMS, BASELINES, judged, levers, scored as scored_by_hand, training
from tests.support.effort import effort
from tests.support.project import CONFIG, Project

Document = dict[str, Any]


@pytest.fixture
def write(short: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Writes the summary of a run into an empty folder, with changes, and its config."""
    project, first = short
    config = next(project.folder.glob(".harness/runs/*/config.yaml")).read_text("utf-8")
    folder = tmp_path / "all"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def write(name: str, text_of_config: str = "", **changes: Any) -> None:
        number = len(list(folder.glob("reports/*")))
        summary = copy.deepcopy(first.document)
        summary["dates"]["started"] = f"2026-11-26T{number // 60:02d}:{number % 60:02d}:00Z"
        summary.update(changes, run=name)
        for path, text in (
            (folder / "reports" / name / "summary.json", json.dumps(summary)),
            (folder / ".harness" / "runs" / name / "config.yaml", text_of_config or config),
        ):
            path.parent.mkdir(parents=True)
            path.write_text(text, "utf-8")

    write.first = first.document
    return write


def test_keys_by_which_no_round_differs_are_those_of_experiments_reports_and_execution() -> None:
    registry = harness.Registry.build()
    experiments = {"arms", "models", "curve", "seeds", "worth"}
    assert keys_beside(registry) == experiments | {"search", "report", "sections", "execution"}


def changed_data(write: Any, **changes: Any) -> Document:
    return {**write.first["data"], **changes}


def test_scores_are_ranked_where_primary_score_signature_and_rows_are_the_same(write: Any) -> None:
    rounds = copy.deepcopy(write.first["rounds"])
    for each in rounds:
        each["scores"]["overlap"]["signature"] = "another"
    assert set(write.first["data"]["digests"]) == {"dev", "test"}
    write("one")
    write("same")
    write("rows", data=changed_data(write, digests={"dev": "0f", "test": "1e"}))
    write("signature", rounds=rounds)
    write("old", data=changed_data(write, digests={}))
    found = harness.all_runs()
    groups = {run["run"]: run["dev"]["group"] for run in found["runs"]}
    assert groups == {
        "one": "dev A", "same": "dev A", "rows": "dev B", "signature": "dev C", "old": "dev D",
    }  # fmt: skip
    told = {group["id"]: group for group in found["groups"]}
    assert (told["dev A"]["runs"], told["dev A"]["exact"]) == (2, True)
    assert told["dev D"]["exact"] is False
    assert told["test A"]["runs"] == 2 and told["dev A"]["rows"] == 48


def test_runs_that_chose_by_the_same_rows_of_dev_are_counted(write: Any) -> None:
    def chooses(run: str, first: int, system: str = "") -> None:
        write(run)
        told = ({"role": "system", "content": system},) if system else ()
        asked = [(*told, {"role": "user", "content": f"ask {n}"}) for n in range(first, first + 20)]
        dev = [harness.Example(str(n), turns, ("so",), "dev") for n, turns in enumerate(asked)]
        dev_ledger.count(Path(".harness"), row_keys(dev), run)

    chooses("one", 0)
    chooses("other", 50)
    write("begun")
    assert harness.all_runs()["notes"] == []
    chooses("same", 0, "Be brief.")
    chooses("mostly", 10)
    (note,) = harness.all_runs()["notes"]
    assert note.startswith("3 runs chose by the same rows of dev.")
    assert "a chance of up to 0.15" in note
    ledger = Path(".harness", dev_ledger.FILE)
    ledger.write_bytes(ledger.read_bytes().replace(b'"who"', b'"how"'))
    assert harness.all_runs()["notes"] == []


def test_arms_and_baselines_are_those_of_the_summary(write: Any) -> None:
    together = {"levers": levers(sentences=["More rows."])}
    write("one", arms=ARMS, baselines=BASELINES, experiments=together)
    (run,) = harness.all_runs()["runs"]
    assert run["levers"] == ["More rows."]
    fast, again, half, large = run["arms"]
    assert (half["share"], half["trainings"], half["failed"]) == (0.5, 2, "seed 1: no disk")
    assert fast["changed"] == [{"key": "train.gain", "from": 0.005, "to": "0.02"}]
    assert (fast["tokens"], fast["memory"], fast["train_rows"]) == (81_234, 2_400_000_000, 50)
    assert fast["dev"]["value"] == 0.41 and fast["verdict"]["label"] == "improved"
    assert again["verdict"]["difference"] == 0.004
    (model,) = large["changed"]
    assert model["from"]["source"] == "fake" and model["to"] == '{"skill": 0.5}'
    assert (large["dev"], large["verdict"], large["failed"][:14]) == (None, None, "the base model")
    (baseline,) = run["baselines"]
    assert (baseline["name"], baseline["dev"]["value"]) == ("prompted", 0.30)


def test_a_test_result_names_its_opening_and_what_that_asks(write: Any) -> None:
    tests = [{**write.first["test"], "looks": looks} for looks in (1, 2, 3)]
    for number, test in enumerate(tests):
        write(f"run {number}", test=test)
    found = [run["test"] for run in harness.all_runs()["runs"]]
    assert [(one["opening"], one["bound"]) for one in found] == [
        (1, ".05"), (2, ".05/2"), (3, ".05/6"),
    ]  # fmt: skip


def scored(**changes: Any) -> Document:
    return {"overlap": {**scored_by_hand(0.5)["overlap"], **changes}}


def opened(scores: Any, **changes: Any) -> Document:
    base = {"looks": 1, "counting": "", "baseline": scored(), "verdict": judged("improved", 0.1)}
    return {"test": {**base, "kept": scores, **changes}}


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize(
    "damage",
    [{"arms": ["x"]}, {"arms": [{"kind": "seed"}]}, {"seconds": []}, {"test": {"looks": 1}},
     {"baselines": 3}, {"kept_round": 99}, {"kept_round": -1}, {"dates": None},
     {"model": {"base": 3}}, {"settings": None}, {"settings": {"data": "x"}},
     {"data": {"rows": None}}, {"data": {"rows": {}, "digests": {"dev": math.inf}}},
     {"primary": "another"}, {"test": []}, {"test": ""}, {"test": {}}, {"test": "x"},
     opened("x"), opened({}), opened(scored(value=10**400)), opened(scored(signature=math.inf)),
     opened(scored(), looks=0), {"chosen": "x"}, {"experiments": {"levers": "x"}},
     {"experiments": {"levers": {"sentences": [1]}}}],
    ids=lambda damage: str(damage)[:60],
)  # fmt: skip
def test_a_damaged_summary_is_passed_over_and_said(
    write: Any, damage: Document, capsys: pytest.CaptureFixture[str]
) -> None:
    write("good")
    write("damaged", **damage)
    assert [run["run"] for run in harness.all_runs()["runs"]] == ["good"]
    assert "damaged/summary.json is passed over: this is no whole summary" in told(capsys)
    assert find_reports().name == "good"


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_what_is_damaged_in_a_summary_is_named(
    write: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write("damaged", data={"rows": None})
    assert harness.all_runs()["runs"] == []
    assert "no whole summary: data.rows: input should be an object" in told(capsys)
    with pytest.raises(harness.DataError, match=r"no whole summary: data\.rows"):
        harness.read_summary(Path("reports/damaged/summary.json"))


def test_a_number_that_json_lacks_is_told_as_text_or_left_out(write: Any) -> None:
    arms = copy.deepcopy(ARMS)
    arms[0] |= {"changed": {"train.gain": "Infinity"}, "share": None}
    write("one", "seed: 7\n")
    write("two", "seed: .inf\n", arms=arms)
    found = harness.all_runs()["runs"]
    json.dumps(found, allow_nan=False)
    assert found[1]["changed"][0]["to"] == "inf"
    assert found[1]["arms"][0]["changed"][0]["to"] == "Infinity"


def test_a_run_in_progress_and_one_whose_config_is_gone(write: Any) -> None:
    write("one", dates={"started": "2026-11-26T00:00:00Z", "finished": None}, test=None)
    write("two")
    Path(".harness/runs/two/config.yaml").unlink()
    one, two = harness.all_runs()["runs"]
    assert (one["finished"], one["test"], one["against"], one["changed"]) == (None, None, None, [])
    assert (two["against"], two["changed"]) == (None, None)


def test_hundreds_of_runs_take_seconds(write: Any) -> None:
    config = Path("../short").resolve().glob(".harness/runs/*/config.yaml")
    text = next(config).read_text("utf-8")
    for number in range(100):
        write(f"run-{number}", text.replace("seed: 7", f"seed: {number}"))
    found: list[Any] = []
    assert effort(lambda: found.extend(harness.all_runs()["runs"])) < 500
    assert len(found) == 100
    assert found[8]["against"] == "run-7" and found[8]["changed"][0]["to"] == 8


def test_a_run_is_set_against_the_latest_of_those_that_differ_in_the_fewest_keys(
    write: Any,
) -> None:
    for name, config in [
        ("one", "seed: 1\nrounds: 1\n"),
        ("more", "seed: 1\nrounds: 1\nmin_gain: 0.1\n"),
        ("other", "seed: 2\nrounds: 1\n"),
        ("none", "{}\n"),
        ("text", "seed: '1'\nrounds: 1\n"),
    ]:
        write(name, config)
    found = {run["run"]: run for run in harness.all_runs()["runs"]}
    assert {name: run["against"] for name, run in found.items()} == {
        "one": None, "more": "one", "other": "one", "none": None, "text": "other",
    }  # fmt: skip
    assert [change["key"] for change in found["more"]["changed"]] == ["min_gain"]


def test_an_arm_of_several_seeds_has_their_mean(write: Any) -> None:
    trainings = [training(seed, overlap=0.4 + seed / 10) for seed in range(3)]
    repeated = {**ARMS[0], "trainings": trainings}
    write("one", arms=[repeated, {**repeated, "trainings": trainings[:1]}])
    (run,) = harness.all_runs()["runs"]
    several, once = (arm["dev"] for arm in run["arms"])
    assert several["value"] == pytest.approx(0.5)
    assert (several["low"], several["high"]) == (None, None)
    assert once["value"] == 0.41


@pytest.mark.nightly
def test_levers_are_no_difference_between_runs(project: Project) -> None:
    """A run that tried much is still the one that another one with the same rounds differs least
    from.
    """
    project.write(CONFIG.replace("rounds: 3", "rounds: 1"))
    arm = "arms=[{name: a, set: {train.gain: 0.02}}]"
    for sets in (["seed=3", "train.gain=0.01"], [arm, "worth=0.1"], ["baselines=[prompted]"]):
        words = [word for one in sets for word in ("--set", one)]
        assert project.inside("iterate", "--no-test", *words).code == 0
    found = json.loads(project.inside("compare", "--all", "--json").out)["runs"]
    assert found[2]["against"] == found[1]["run"]
    keys = [one["key"] for one in found[2]["changed"]]
    assert keys and all(key.startswith("baselines.0.") for key in keys)


def test_another_package_gets_the_page_with_links_of_its_own(write: Any) -> None:
    write("one")
    write("two")
    page = harness.runs_page(lambda run: f"/run/{quote(run)}", last=1)
    assert page.title == "1 run" and 'href="/run/two"' in page.main
    assert "--last 2 shows all" in page.main
    assert "<a href=" not in harness.runs_page().main.replace('<a href="#', "")
