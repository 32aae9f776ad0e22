"""``rubric``: the run waits for people, and goes on with what they said."""

from __future__ import annotations

import json
import uuid

import pytest

from harness.rating import batches, events, rubric
from harness.rating.answers import candidates, text
from harness.rating.rated import Rated, counted, key_of
from harness.rating.records import FOLDER, Event
from harness.records import Prediction
from harness.replay import opened
from harness.scoring import right_at
from harness.watcher import Quiet
from harness_rubric import RubricMetric

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
  - id: polite
    title: Polite
    question: Is the answer polite?
    scale: {kind: binary, anchors: {"yes": polite, "no": rude}}
    allow_na: true
"""


def rate(project, run, number, value, rater="ana"):
    """Rate all that the batch gives; returns the batch."""
    rules = rubric.load(project.folder / "short.yaml")
    order = batches.Order(
        rules, run, number, (rater,), n=48, overlap=0.0, repeats=0.0, strategy="random"
    )
    batch = batches.create(order, candidates(opened(run, Quiet()), (number,), "dev", "random"))
    log = events.Events(FOLDER / batch.name, rater)
    for place, item in enumerate(batch.assignments[rater]):
        for criterion, said in (("right", value(place)), ("polite", None)):
            log.append(
                Event(uuid.uuid4().hex, rater, item, criterion, "set", said, events.now(), 3.0)
            )
    return batch


@pytest.fixture
def experiment(project, monkeypatch):
    text = (project.folder / "harness.yaml").read_text()
    project.write(
        text.replace(
            "metrics: [{plugin: overlap}]",
            "metrics: [{plugin: overlap}, {plugin: rubric, rubric: short.yaml, enough: 30}]",
        )
    )
    project.write(RUBRIC, "short.yaml")
    monkeypatch.chdir(project.folder)
    return project


def test_the_run_waits_and_the_same_command_goes_on(experiment):
    waiting = experiment.inside("iterate", "--rounds", "1", "--json")
    assert (waiting.code, waiting.out) == (6, "")
    assert "0 of 48 answers are rated by 'short', and 30 are waited for" in waiting.err
    (run,) = [path.name for path in (experiment.folder / ".harness" / "runs").iterdir()]
    rules = experiment.folder / "short.yaml"
    assert f"harness rate create --rubric {rules} --run {run} --round 0 -n 30" in waiting.err

    rate(experiment, run, 0, lambda place: 1 if place % 2 else 3)
    again = experiment.inside("iterate", "--rounds", "1", "--json")
    assert again.code == 6
    assert "--round 1" in again.err

    rate(experiment, run, 1, lambda place: 5)
    done = experiment.inside("iterate", "--rounds", "1", "--json")
    assert done.code == 0, done.err
    assert done.document["run"] == run
    before, after = (one["scores"] for one in done.document["rounds"])
    assert before["rubric"]["value"] == before["rubric-right"]["value"] == pytest.approx(0.25)
    assert after["rubric"]["value"] == 1  # who rated an answer twice counts by the later one
    assert (after["rubric-polite"]["value"], after["rubric"]["n"]) == (None, 48)


def test_a_late_rating_changes_no_closed_round(experiment):
    experiment.inside("iterate", "--rounds", "1")
    (run,) = [path.name for path in (experiment.folder / ".harness" / "runs").iterdir()]
    rate(experiment, run, 0, lambda place: 3)
    experiment.inside("iterate", "--rounds", "1")
    rate(experiment, run, 1, lambda place: 5)
    first = experiment.inside("iterate", "--rounds", "1", "--json").document
    name = rate(experiment, run, 1, lambda place: 1).name
    log = events.Events(FOLDER / name, "ana")
    assert len(log.all()) == 4 * 48
    later = experiment.inside("iterate", "--rounds", "1", "--json").document
    assert json.dumps(later["rounds"]) == json.dumps(first["rounds"])


def test_a_sample_of_each_round_holds_the_same_examples(experiment):
    experiment.inside("iterate", "--rounds", "1")
    (run,) = [path.name for path in (experiment.folder / ".harness" / "runs").iterdir()]
    rules = rubric.load(experiment.folder / "short.yaml")

    def sample(number):
        order = batches.Order(rules, run, number, ("ana",), n=30, overlap=0.0, repeats=0.0)
        found = candidates(opened(run, Quiet()), (number,), "dev", "random")
        return {one.example_id for one in batches.create(order, found).placings.values()}

    first = sample(0)
    rate(experiment, run, 0, lambda place: 3)
    experiment.inside("iterate", "--rounds", "1")
    assert sample(1) == first
    assert len(first) == 30


def test_only_numbers_are_counted(experiment):
    rules = rubric.load(experiment.folder / "short.yaml")
    assert [criterion.id for criterion in counted(rules)] == ["right", "polite"]
    metric = RubricMetric(RubricMetric.Options(rubric=experiment.folder / "short.yaml"))
    assert metric.score_names() == ("rubric", "rubric-right", "rubric-polite")
    assert metric.signature() == "rubric|id:short|version:1|agg:mean|rev:1"


def problem(project, text):
    project.write(text, "short.yaml")
    found = project.inside("check")
    assert found.code == 2
    return found.err


def test_a_rubric_that_gives_no_score_is_refused_before_anything_is_run(experiment):
    scales = RUBRIC[RUBRIC.index("criteria:") :]
    pairs = RUBRIC.replace(scales, "criteria:\n  - {id: a, title: A, question: Q, scale: pairwise}")
    assert "rubric short gives no score" in problem(experiment, pairs)


def test_a_changed_wording_of_the_same_version_is_refused(experiment):
    experiment.inside("iterate", "--rounds", "1")
    (run,) = [path.name for path in (experiment.folder / ".harness" / "runs").iterdir()]
    rate(experiment, run, 0, lambda place: 5)
    experiment.write(
        RUBRIC.replace("max: 5", "max: 9").replace("5: right", "9: right"), "short.yaml"
    )
    found = experiment.inside("iterate", "--rounds", "1")
    assert found.code == 2
    assert "raise it to version: 2" in found.err


def test_the_rubric_says_from_where_an_answer_is_right(experiment):
    experiment.write(RUBRIC + "overall: {right_at: 0.4}\n", "short.yaml")
    options = {"rubric": experiment.folder / "short.yaml"}
    assert right_at(RubricMetric(RubricMetric.Options(**options))) == 0.4
    assert right_at(RubricMetric(RubricMetric.Options(**options, right_at=0.9))) == 0.9


def test_half_rated_and_skipped_answers_are_waited_for(experiment):
    experiment.inside("iterate", "--rounds", "1")
    (run,) = [path.name for path in (experiment.folder / ".harness" / "runs").iterdir()]
    rules = rubric.load(experiment.folder / "short.yaml")
    order = batches.Order(rules, run, 0, ("ana",), n=48, overlap=0.0, repeats=0.0)
    batch = batches.create(order, candidates(opened(run, Quiet()), (0,), "dev", "random"))
    log = events.Events(FOLDER / batch.name, "ana")
    for item in batch.assignments["ana"]:
        log.append(Event(uuid.uuid4().hex, "ana", item, "right", "set", 5, events.now(), 3.0))
        log.append(Event(uuid.uuid4().hex, "ana", item, "", "skip", True, events.now(), 3.0))
    found = experiment.inside("iterate", "--rounds", "1")
    assert found.code == 6
    assert "0 of 48 answers are rated" in found.err


def test_an_answer_with_calls_of_tools_is_found_again(experiment):
    rules = rubric.load(experiment.folder / "short.yaml")
    calls = {"role": "assistant", "content": "I look.", "tool_calls": [{"name": "look"}]}
    answer = Prediction("row", "I look.", message=calls)
    values = {key_of("row", text(answer)): [{"right": 3, "polite": None}]}
    assert Rated(rules, values).has("row", answer)
    assert Rated(rules, values).statistics("row", answer) == [0.5, 0.5, 0.0, 1.0, 1.0, 0.0]


def trainings(project):
    return {name for name in project.manifests() if name.split("/")[0] in ("train", "augment")}


def test_a_rating_that_comes_while_a_later_round_waits_trains_nothing_anew(experiment):
    text = (experiment.folder / "harness.yaml").read_text()
    experiment.write(text.replace("primary: overlap", "primary: rubric"))
    assert experiment.inside("iterate", "--rounds", "2").code == 6
    (run,) = [path.name for path in (experiment.folder / ".harness" / "runs").iterdir()]
    rate(experiment, run, 0, lambda place: 3)
    assert experiment.inside("iterate", "--rounds", "2").code == 6
    rate(experiment, run, 1, lambda place: 4)
    waiting = experiment.inside("iterate", "--rounds", "2")
    assert "--round 2 --vs 1" in waiting.err or "--round 2 --vs 0" in waiting.err
    made = trainings(experiment)
    journal = experiment.folder / ".harness" / "runs" / run / "journal.jsonl"
    closed = journal.read_text()

    rate(experiment, run, 0, lambda place: 5 if place % 3 else 1)  # everything right is wrong now
    rate(experiment, run, 1, lambda place: 1 if place % 3 else 5)
    assert experiment.inside("iterate", "--rounds", "2").code == 6
    assert trainings(experiment) == made
    rate(experiment, run, 2, lambda place: 3)
    done = experiment.inside("iterate", "--rounds", "2", "--json")
    assert done.code == 0, done.err
    assert journal.read_text().startswith(closed)
    shown = done.document["rounds"]
    assert [one["scores"]["rubric"]["value"] for one in shown[:1]] == [pytest.approx(0.5)]
    assert experiment.inside("rebuild").code == 0


def test_an_open_round_is_compared_with_what_people_say_of_the_kept_one_by_now(experiment):
    text = (experiment.folder / "harness.yaml").read_text()
    experiment.write(text.replace("primary: overlap", "primary: rubric"))
    experiment.inside("iterate", "--rounds", "1")
    (run,) = [path.name for path in (experiment.folder / ".harness" / "runs").iterdir()]
    rate(experiment, run, 0, lambda place: 1)
    experiment.inside("iterate", "--rounds", "1")
    rate(experiment, run, 0, lambda place: 4 - place % 2)  # both in one blind batch
    rate(experiment, run, 1, lambda place: 4 - place % 2)
    done = experiment.inside("iterate", "--rounds", "1", "--json").document
    before, after = done["rounds"]
    assert before["scores"]["rubric"]["value"] == 0  # as it was closed
    assert abs(after["verdict"]["difference"]) < 0.05
    assert after["verdict"]["label"] == "no evidence"
