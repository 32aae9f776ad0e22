"""Rows of the pool: drawn, answered by the models of closed rounds, found again."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from harness.errors import HarnessError
from harness.kit.files import append_line
from harness.kit.lock import exclusive
from harness.kit.terminal.progress import Display, weight_of_pool
from harness.opened.pool import STAGE
from harness.records import Checkpoint, Example
from harness_rating.commands import create as rate
from harness_rating.ratings.folder import RatingsFolder
from tests.plugins.rating import material
from tests.support import fakes
from tests.support.waiting import LONG

ROOT = Path(__file__).parents[4]
EVERYDAY = ROOT / "rubrics" / "everyday.yaml"
POOL = 40
"""Rows of the fake pool; 10 of them are trained on a round."""
RATINGS, ARTIFACTS = Path(".harness/ratings"), Path(".harness/artifacts")


@pytest.fixture
def run(finished, tmp_path, monkeypatch):
    """A copy of a run that has ended: its name."""
    project, result = finished
    shutil.copytree(project.folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAKE_SPY", "spy.jsonl")
    return result.document["run"]


def create(run, number=1, versus=None, n=6, raters="ana,bo", **changed):
    wanted = rate.CreateRequest(str(EVERYDAY), raters, run, number, versus, "pool", n, **changed)
    return rate.make(wanted)


def generated():
    """What the generator was given, call by call."""
    lines = map(json.loads, Path("spy.jsonl").read_text().splitlines())
    return [line for line in lines if line["who"] == "generator"]


def closed(run):
    lines = Path(f".harness/runs/{run}/journal.jsonl").read_text().splitlines()
    results = [one["result"] for one in map(json.loads, lines) if "result" in one]
    return {one["round"]: one for one in results}


def rows_of(batch):
    return {placing.example_id for placing in batch.placings.values()}


def said_by(skill, prompts):
    """What the fake model of that skill says, by the row's id."""
    model = Checkpoint("base", "", "", info={"skill": skill})
    rows = [Example(**{**row, "messages": tuple(row["messages"]), "references": ()})
            for row in prompts]  # fmt: skip
    context = SimpleNamespace(progress=lambda *_: None, round=0, arm="main")
    return {one.example_id: one.text for one in
            fakes.FakeGenerator().generate(model, rows, context)}  # fmt: skip


def test_each_rounds_own_model_answers_the_drawn_rows_and_no_other(run, monkeypatch):
    batch = create(run, 1, 0)
    assert len(rows_of(batch)) == 6
    assert {(place.split, place.rounds) for place in batch.placings.values()} == {
        ("pool", (0,)), ("pool", (1,))
    }  # fmt: skip
    calls = generated()
    assert [call["round"] for call in calls] == [1, 0]
    monkeypatch.delenv("FAKE_SPY")
    trained = closed(run)[1]["train_rows"]
    for call, skill in zip(calls, (0.2 + 0.005 * trained, 0.2), strict=True):
        assert {row["id"] for row in call["rows"]} == rows_of(batch)
        assert {(*row["references"], *row["meta"], row["group"]) for row in call["rows"]} == {("",)}
        answers = {
            place.example_id: batch.by_id[item].answers[0]
            for item, place in batch.placings.items()
            if place.rounds == (call["round"],)
        }
        assert answers == said_by(skill, call["rows"])
    assert said_by(0.2, calls[0]["rows"]) != said_by(0.2 + 0.005 * trained, calls[0]["rows"])


def test_the_same_command_finds_the_batch_and_generates_nothing(run, capsys):
    ledger = Path(".harness/test-openings.jsonl").read_bytes()
    before = closed(run)
    first = create(run)
    assert "is made" in capsys.readouterr().out
    assert create(run) == first
    assert "exists already" in capsys.readouterr().out
    assert len(generated()) == 1
    shutil.rmtree(RATINGS)
    assert create(run) == first
    assert len(generated()) == 1
    create(run, seed=1)
    assert len(generated()) == 2
    assert Path(".harness/test-openings.jsonl").read_bytes() == ledger
    assert closed(run) == before


def test_rows_that_a_round_was_trained_on_are_left_out_and_that_is_said(run, capsys):
    everything = rows_of(create(run, 1, n=POOL))
    assert "left out" not in capsys.readouterr().err
    left = rows_of(create(run, 2, n=POOL - 10))
    assert "note: 10 rows of the pool were trained on" in capsys.readouterr().err
    harvests = [
        {json.loads(line)["id"] for line in path.read_text().splitlines()}
        for path in ARTIFACTS.glob("augment/*/rows.jsonl")
    ]
    assert everything - left in harvests
    assert rows_of(create(run, 1, 2, n=POOL - 10)) == left  # neither of two was trained on them
    with pytest.raises(HarnessError, match=r"31 .* 30 are left in the pool \(10 were trained on"):
        create(run, 2, n=31)


@pytest.mark.nightly
def test_where_every_row_was_trained_on_none_is_in_reserve(project, monkeypatch):
    done = project.inside("iterate", "--rounds", "2", "--json", "--set", "data.pool=10")
    monkeypatch.chdir(project.folder)
    with pytest.raises(HarnessError, match="every row of the pool was trained on"):
        create(done.document["run"], 2, n=1)


def test_a_row_whose_paraphrase_was_trained_on_is_no_longer_in_reserve():
    from harness.opened.pool import _learned

    child = dataclasses.replace(fakes._row("train", 1, 4), parent="pool-3")
    arms = {"main": SimpleNamespace(train={1: (child,)})}
    assert _learned(SimpleNamespace(arms=arms), (1, 0)) == {"train-1", "pool-3"}


def test_strata_are_drawn_before_anything_is_answered(run):
    batch = create(run, 1, n=8, strategy="stratified", by="kind")
    hard = sum(int(name.split("-")[1]) % 4 == 0 for name in rows_of(batch))
    whole = sum(int(name.split("-")[1]) % 4 == 0 for name in rows_of(create(run, 1, n=POOL)))
    assert abs(hard - 8 * whole / POOL) < 1
    assert batch.verdicts


def test_the_default_is_the_latest_round_that_is_closed(run):
    folder = Path(f".harness/runs/{run}")
    lines = (folder / "journal.jsonl").read_text().splitlines()
    (folder / "journal.jsonl").write_text("\n".join(lines[:2]) + "\n")
    waits = {"arm": "main", "round": 2, "generate": closed(run)[1]["keys"]["generate"]}
    (folder / "waiting.json").write_text(json.dumps(waits))
    assert {place.rounds for place in create(run, None).placings.values()} == {(1,)}
    with pytest.raises(HarnessError, match=r"round 2 of run .* is not closed") as caught:
        create(run, 2)
    assert "closed: 0, 1" in str(caught.value)


WRONG = {
    "worst": ({"strategy": "worst"}, "looks at answers", 2),
    "disagreement": ({"strategy": "disagreement"}, "looks at answers", 2),
    "changed": ({"strategy": "changed", "versus": 0}, "looks at answers", 2),
    "misspelt": ({"strategy": "randon"}, "did you mean 'random'", 2),
    "unknown field": ({"strategy": "stratified", "by": "knid"}, "did you mean 'kind'", 2),
    "larger than the pool": ({"n": 41}, "41 examples are wanted, and 40 are in the pool", 4),
    "unknown round": ({"number": 9}, "round 9 of run", 2),
    "unknown round to compare": ({"versus": 9}, "round 9 of run", 2),
    "against itself": ({"versus": 1}, "cannot be compared with itself", 2),
    "unknown run": ({"run": "harnes"}, "no run is called", 2),
    "doubled rater": ({"raters": "ana,ana"}, "each once", 2),
    "hostile rater": ({"raters": "ana,[red]/../x"}, "cannot be a name", 2),
    "overlap of 2": ({"overlap": 2.0}, "--overlap takes a share", 2),
    "negative repeats": ({"repeats": -1.0}, "--repeats one from 0 to 0.5", 2),
    "overlap that is no number": ({"overlap": float("nan")}, "--overlap takes a share", 2),
}  # fmt: skip


@pytest.mark.nightly(but_each=4)
@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_said_before_anything_is_answered(run, case):
    changed, words, code = WRONG[case]
    with pytest.raises(HarnessError) as caught:
        create(**{"run": run, **changed})
    assert words in str(caught.value) and caught.value.exit_code == code
    assert not RATINGS.exists() and not (ARTIFACTS / "generate pool").exists()


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("harm", ["gone", "changed"])
def test_a_model_that_is_not_stored_any_more_is_named_and_the_base_still_answers(run, harm):
    for path in ARTIFACTS.glob("train/*/skill.json"):
        shutil.rmtree(path.parent) if harm == "gone" else path.write_text("0.9")
    with pytest.raises(HarnessError, match="the model of round 1 is not available") as caught:
        create(run)
    assert caught.value.exit_code == 4 and f"move reports/{run} away" in caught.value.hint
    assert not (ARTIFACTS / "generate pool").exists()
    assert len(create(run, 0).items) == 6


@pytest.mark.nightly
def test_the_hint_for_a_missing_model_is_true(run, finished):
    project = dataclasses.replace(finished[0], folder=Path.cwd())
    shutil.rmtree(ARTIFACTS / "train")
    shutil.move(f"reports/{run}", "away")
    assert project.inside("iterate").code == 0
    assert len(create(run).items) == 6


def test_another_model_than_the_one_that_was_judged_never_answers(run):
    path = Path(f".harness/runs/{run}/journal.jsonl")
    pinned = closed(run)[1]["keys"]["generate"]
    lines = [json.loads(line.replace(pinned, "0" * 64)) for line in path.read_text().splitlines()]
    path.unlink()
    for line in lines:
        append_line(path, {key: value for key, value in line.items() if key != "seal"})
    with pytest.raises(HarnessError, match="what the round was closed with is not in") as caught:
        create(run)
    assert caught.value.exit_code == 4
    path = Path(f".harness/runs/{run}/base.json")
    path.write_text(path.read_text().replace(json.loads(path.read_text())["digest"], "0" * 64))
    before = json.loads(path.read_text())
    with pytest.raises(HarnessError, match="round 0: model: what the round was closed"):
        create(run, 0)
    assert json.loads(path.read_text()) == before and not RATINGS.exists()


@pytest.mark.nightly
def test_ratings_that_come_late_do_not_hide_the_model(project, monkeypatch):
    text = (project.folder / "harness.yaml").read_text()
    metric = f"{{plugin: rubric, rubric: {EVERYDAY}, enough: 0}}"
    text = text.replace("[{plugin: overlap}]", f"[{{plugin: overlap}}, {metric}]")
    project.write(text + "report: []\n")
    assert project.inside("iterate", "--rounds", "1").code == 0
    monkeypatch.chdir(project.folder)
    (run,) = [path.name for path in Path("reports").iterdir()]
    batch = rate.make(rate.CreateRequest(str(EVERYDAY), "ana", run, 1, n=30))
    material.rate(batch, "ana", lambda item: {batch.rubric.criteria[0].id: 1})
    assert len(create(run).items) == 6


def test_a_run_in_progress_is_not_disturbed(run):
    with (
        exclusive(Path(f".harness/runs/{run}/lock")),
        pytest.raises(HarnessError, match="already in progress: PID") as caught,
    ):
        create(run)
    assert caught.value.exit_code == 3


def command(run):
    return ["rate", "create", "--rubric", str(EVERYDAY), "--raters", "ana", "--run", run,
            "--from", "pool", "--round", "1", "-n", "6"]  # fmt: skip


def test_a_kill_in_the_middle_leaves_nothing_half_done(run, finished):
    project = dataclasses.replace(finished[0], folder=Path.cwd())
    kills = Path("kills.txt")
    # Everything but the middle of the answers to the pool has been survived.
    assert project.harness(*command(run), FAKE_KILLS=str(kills)).code == -signal.SIGKILL
    assert kills.read_text().splitlines() == ["middle of generate 1 main pool"]
    assert RatingsFolder().names() == [] and not (ARTIFACTS / "generate pool").exists()
    done = project.harness(*command(run), "--json", FAKE_KILLS=str(kills))
    assert (done.code, RatingsFolder().names()) == (0, [done.document["batch"]]), done.err


@pytest.mark.nightly
@pytest.mark.usefixtures("as_outside")
def test_two_at_once_make_one_batch(run, finished):
    project = dataclasses.replace(finished[0], folder=Path.cwd())
    project.signed()
    started = [project.start(*command(run)) for _ in range(2)]
    ended = [(one.communicate(timeout=LONG)[1], one.returncode) for one in started]
    assert 0 in [code for _, code in ended]
    assert all(code == 0 or (code == 3 and "in progress" in err) for err, code in ended), ended
    assert project.inside(*command(run)).code == 0
    assert len(RatingsFolder().names()) == len(list(RATINGS.iterdir())) == 1


SLOW = '''
import pathlib, time
import harness

class Slow(harness.Generator):
    """Takes its time over the pool."""

    name = "slow"

    def generate(self, checkpoint, examples, context):
        print("a library talks")
        for example in examples:
            while example.split == "pool" and not pathlib.Path("go").exists():
                context.progress(0, 1)
                pathlib.Path("beat").write_text(str(time.time()))
                time.sleep(0.02)
            yield harness.Prediction(example.id, "so", "stop", 1, 1)

@harness.hookimpl
def register_generators():
    return [Slow]
'''


@pytest.mark.nightly
def test_ctrl_c_stops_it_and_the_same_command_goes_on(project, monkeypatch):
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("plugins: [", "plugins: [slow.py, ").replace(
        "generate: {plugin: fake}", "generate: {plugin: slow}"
    )
    project.write(SLOW, "slow.py")
    project.write(text + "report: []\n")
    assert project.inside("iterate", "--rounds", "1").code == 0
    monkeypatch.chdir(project.folder)
    (run,) = [path.name for path in Path("reports").iterdir()]
    kept = Path(f".harness/runs/{run}/config.yaml")
    kept.write_text(kept.read_text().replace("launcher: inline", "launcher: local"))
    project.signed()
    started = project.start(*command(run), "--json")
    deadline = time.monotonic() + 60
    while not Path("beat").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=LONG)
    assert (started.returncode, out) == (130, ""), err
    assert "stopped; no batch was made" in err and "Traceback" not in err
    assert RatingsFolder().names() == [] and not (ARTIFACTS / "generate pool").exists()
    beat = Path("beat").read_text()
    time.sleep(0.3)
    assert Path("beat").read_text() == beat  # the job ended with its parent
    Path("go").touch()
    done = project.process(*command(run), "--json")
    assert done.code == 0 and done.document["items"] == 6, done.err


def test_the_overall_bar_counts_the_answers_of_each_round():
    console = Console(file=io.StringIO(), force_terminal=True)
    with Display(console, "run", weight_of_pool(2)) as display:
        (overall,) = display._progress.tasks
        display.stage("data")
        display.stage_done("data", "data", 0.1, cached=True)
        display.stage(f"round 0: {STAGE}")(5, 10, "rows")
        assert overall.percentage == pytest.approx(25, abs=3)
        display.stage_done(STAGE, "", 0.1, cached=False)
        assert overall.percentage == pytest.approx(50, abs=3)
