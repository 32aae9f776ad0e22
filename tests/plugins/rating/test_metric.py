"""``rubric``: the run waits for raters, and goes on with what they said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.scoring import right_at
from harness_rating.batches.records import FOLDER
from harness_rating.metric import RubricMetric
from harness_rating.ratings import events
from harness_rating.ratings.by_answer import numeric_criteria
from harness_rating.rubric import file
from tests.plugins.rating import material

RUBRIC = (Path(__file__).with_name("short.yaml")).read_text(encoding="utf-8")


def rate(project, run, number, value, rater="ana", versus=None, n=48):
    """Rate all that a batch of the round gives; returns the batch.

    Args:
        value: (place of the example, round of the answer) -> level, or None to skip the item.
        versus: the round that is rated beside it.
    """
    rounds = (number,) if versus is None else (number, versus)
    rules = project.folder / "short.yaml"
    batch = material.batch_of_run(run, rules, rounds, (rater,), n=n, overlap=0.0)
    log = events.Events(FOLDER / batch.name, rater)
    examples = sorted({one.example_id for one in batch.placings.values()})
    for item in batch.assignments[rater]:
        placing = batch.placings[item]
        level = value(examples.index(placing.example_id), placing.rounds[0])
        marks = [("", "skip", True)] if level is None else []
        marks += [] if level is None else [("right", "set", level), ("polite", "set", None)]
        for criterion, kind, said in marks:
            log.append(material.event(rater, item, criterion, kind, said))
    return batch


def begun(project):
    """The run's name, once it waits."""
    assert project.inside("iterate", "--rounds", "1").code == 6
    (run,) = [path.name for path in (project.folder / ".harness" / "runs").iterdir()]
    return run


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


@pytest.mark.nightly
def test_the_run_waits_and_the_same_command_goes_on(experiment):
    waiting = experiment.inside("iterate", "--rounds", "1", "--json")
    assert (waiting.code, waiting.out) == (6, "")
    assert "0 of 48 answers are rated by 'short', and 30 are waited for" in waiting.err
    (run,) = [path.name for path in (experiment.folder / ".harness" / "runs").iterdir()]
    assert f"harness rate create --rubric short.yaml --run {run} --round 0 -n 30" in waiting.err

    rate(experiment, run, 0, lambda place, _: 1 if place % 2 else 3)
    again = experiment.inside("iterate", "--rounds", "1", "--json")
    assert again.code == 6
    assert "--round 1 --vs 0 -n 30" in again.err

    rate(experiment, run, 1, lambda place, number: 5 if number else 1 + place % 2, versus=0)
    done = experiment.inside("iterate", "--rounds", "1", "--json")
    assert done.code == 0, done.err
    assert done.document["run"] == run
    before, after = (round["scores"] for round in done.document["rounds"])
    assert before["rubric"]["value"] == before["rubric-right"]["value"] == pytest.approx(0.25)
    assert 0.5 < after["rubric"]["value"] < 1  # what did not change has both rounds' ratings
    assert (after["rubric-polite"]["value"], after["rubric"]["n"]) == (None, 48)


@pytest.mark.nightly
def test_a_late_rating_changes_no_closed_round(experiment):
    run = begun(experiment)
    rate(experiment, run, 0, lambda *_: 3)
    experiment.inside("iterate", "--rounds", "1")
    rate(experiment, run, 1, lambda _, number: 5 if number else 3, versus=0)
    first = experiment.inside("iterate", "--rounds", "1", "--json").document
    rate(experiment, run, 1, lambda *_: 1, versus=0)
    later = experiment.inside("iterate", "--rounds", "1", "--json").document
    assert json.dumps(later["rounds"]) == json.dumps(first["rounds"])


def trainings(project):
    return {name for name in project.manifests() if name.split("/")[0] in ("train", "augment")}


@pytest.mark.nightly
def test_a_rating_that_comes_while_a_later_round_waits_trains_nothing_anew(experiment):
    text = (experiment.folder / "harness.yaml").read_text()
    experiment.write(text.replace("primary: overlap", "primary: rubric"))
    assert experiment.inside("iterate", "--rounds", "2").code == 6
    (run,) = [path.name for path in (experiment.folder / ".harness" / "runs").iterdir()]
    rate(experiment, run, 0, lambda *_: 3)
    assert experiment.inside("iterate", "--rounds", "2").code == 6
    rate(experiment, run, 1, lambda *_: 4, versus=0)
    assert "--round 2 --vs 0" in experiment.inside("iterate", "--rounds", "2").err
    made = trainings(experiment)
    journal = experiment.folder / ".harness" / "runs" / run / "journal.jsonl"
    closed = journal.read_text()

    rate(experiment, run, 0, lambda place, _: 5 if place % 3 else 1, "bo")  # right is wrong now
    rate(experiment, run, 1, lambda place, _: 1 if place % 3 else 5, "bo")
    assert experiment.inside("iterate", "--rounds", "2").code == 6
    assert trainings(experiment) == made
    rate(experiment, run, 2, lambda *_: 3, versus=0)
    done = experiment.inside("iterate", "--rounds", "2", "--json")
    assert done.code == 0, done.err
    assert journal.read_text().startswith(closed)
    assert done.document["rounds"][0]["scores"]["rubric"]["value"] == pytest.approx(0.5)
    assert experiment.inside("rebuild").code == 0


def by_rubric(project):
    text = (project.folder / "harness.yaml").read_text()
    project.write(text.replace("primary: overlap", "primary: rubric"))


@pytest.mark.nightly
def test_rounds_are_compared_by_those_who_rated_both_in_one_batch(experiment):
    """Ana, who is kind, rated round 0 alone; Bo sees no difference."""
    by_rubric(experiment)
    run = begun(experiment)
    rate(experiment, run, 0, lambda place, _: 5 - place % 2)
    experiment.inside("iterate", "--rounds", "1")
    rate(experiment, run, 1, lambda place, _: 2 + place % 2, "bo", versus=0)
    done = experiment.inside("iterate", "--rounds", "1", "--json").document
    before, after = done["rounds"]
    assert before["scores"]["rubric"]["value"] > 0.8  # as it was closed
    assert after["verdict"]["difference"] == 0
    assert after["verdict"]["label"] == "no evidence"


@pytest.mark.nightly
def test_a_batch_of_two_rounds_of_which_one_is_rated_is_waited_for(experiment):
    by_rubric(experiment)
    run = begun(experiment)
    rate(experiment, run, 0, lambda *_: 3)
    experiment.inside("iterate", "--rounds", "1")
    batch = rate(experiment, run, 1, lambda _, number: 5 if number else None, versus=0)
    result = experiment.inside("iterate", "--rounds", "1")
    assert result.code == 6
    assert "0 of 48 answers are rated together with those that they are compared" in result.err
    assert "48 items were skipped, and can be gone back to" in result.err
    assert f"harness rate serve {batch.name}" in result.err  # all of dev is in it: no larger draw


@pytest.mark.nightly
def test_a_batch_that_was_too_small_is_drawn_larger(experiment):
    run = begun(experiment)
    rate(experiment, run, 0, lambda place, _: None if place < 2 else 3, n=31)
    result = experiment.inside("iterate", "--rounds", "1")
    assert (
        "29 of 48 answers are rated by 'short', and 30 are waited for; 2 items were" in result.err
    )
    assert "--round 0 -n 32 --raters NAME" in result.err


@pytest.mark.nightly
def test_an_answer_that_cannot_be_judged_is_not_asked_for_again(experiment):
    by_rubric(experiment)
    text = (experiment.folder / "short.yaml").read_text()
    experiment.write(text.replace("5: right}}\n", "5: right}}\n    allow_na: true\n"), "short.yaml")
    run = begun(experiment)
    rate(experiment, run, 0, lambda *_: 3)
    experiment.inside("iterate", "--rounds", "1")
    batch = rate(experiment, run, 1, lambda *_: 3, versus=0)
    log = events.Events(FOLDER / batch.name, "ana")
    for item in batch.assignments["ana"][:40]:
        log.append(material.event("ana", item, "right", value=None))
    done = experiment.inside("iterate", "--rounds", "1", "--json")
    assert done.code == 0, done.err


@pytest.mark.nightly
def test_a_text_that_did_not_change_is_neither_fixed_nor_broken(experiment):
    by_rubric(experiment)
    run = begun(experiment)
    rate(experiment, run, 0, lambda *_: 5)
    experiment.inside("iterate", "--rounds", "1")
    rate(experiment, run, 1, lambda *_: 2, "bo", versus=0)
    assert experiment.inside("iterate", "--rounds", "1").code == 0
    document = experiment.inside("compare", "0", "1", "--json").document
    assert document["metrics"]["rubric"]["difference"] == 0
    assert (document["fixed"], document["broken"]) == ([], [])
    sql = (
        "SELECT count(*) AS n FROM changes c JOIN predictions a USING (arm, round, id) "
        "JOIN predictions b ON b.id = c.id AND b.round = c.against WHERE a.text = b.text"
    )
    assert experiment.inside("query", sql, "--json").document == [{"n": 0}]


@pytest.mark.nightly
def test_what_is_open_is_finished_before_more_is_asked_for(experiment):
    run = begun(experiment)
    batch = material.batch_of_run(run, "short.yaml", (0,), ("ana", "bo"), n=35, overlap=0.0)
    found = experiment.inside("iterate", "--rounds", "1").err
    assert f"still to be rated: 35 of {batch.name}" in found
    assert f"harness rate serve {batch.name}" in found
    assert "rate create" not in found


@pytest.mark.nightly
def test_a_sample_of_each_round_holds_the_same_examples(experiment):
    experiment.inside("iterate", "--rounds", "1")
    (run,) = [path.name for path in (experiment.folder / ".harness" / "runs").iterdir()]

    def sample(number):
        batch = material.batch_of_run(run, "short.yaml", (number,), n=30)
        return {placing.example_id for placing in batch.placings.values()}

    first = sample(0)
    rate(experiment, run, 0, lambda *_: 3)
    experiment.inside("iterate", "--rounds", "1")
    assert sample(1) == first
    assert len(first) == 30


def test_only_numbers_are_counted(experiment):
    rules = file.load(experiment.folder / "short.yaml")
    assert [criterion.id for criterion in numeric_criteria(rules)] == ["right", "polite"]
    metric = RubricMetric(RubricMetric.Options(rubric=experiment.folder / "short.yaml"))
    assert metric.score_names() == ("rubric", "rubric-right", "rubric-polite")
    words = metric.signature().split("|")
    assert words[:3] == ["rubric", "id:short", "version:1"]
    assert words[4:] == ["agg:mean", "rev:1"]


CHANGES = {
    "a weight": ("    question: Is the answer right?\n", "    weight: 3\n"),
    "what fails an answer": ("    question: Is the answer right?\n", "    fail_below: 2\n"),
    "what is right": (
        "instructions: Read the answer, then judge it.\n",
        "overall: {right_at: 0.9}\n",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_turns_values_into_scores_is_in_the_signature(experiment, change):
    first = RubricMetric(RubricMetric.Options(rubric=experiment.folder / "short.yaml")).signature()
    place, line = CHANGES[change]
    experiment.write(RUBRIC.replace(place, place + line), "short.yaml")
    options = RubricMetric.Options(rubric=experiment.folder / "short.yaml")
    assert RubricMetric(options).signature() != first
    experiment.write(
        RUBRIC.replace("title: Right\n", "title: Right\n    keys: [h, i, j, k, l]\n"), "short.yaml"
    )
    assert RubricMetric(options).signature() == first


def problem(project, text):
    project.write(text, "short.yaml")
    result = project.inside("check")
    assert result.code == 2
    return result.err


def test_a_rubric_that_gives_no_score_is_refused_before_anything_is_run(experiment):
    scales = RUBRIC[RUBRIC.index("criteria:") :]
    pairs = RUBRIC.replace(scales, "criteria:\n  - {id: a, title: A, question: Q, scale: pairwise}")
    assert "rubric short gives no score" in problem(experiment, pairs)


def test_a_changed_wording_of_the_same_version_is_refused(experiment):
    experiment.inside("iterate", "--rounds", "1")
    (run,) = [path.name for path in (experiment.folder / ".harness" / "runs").iterdir()]
    rate(experiment, run, 0, lambda *_: 5)
    experiment.write(
        RUBRIC.replace("max: 5", "max: 9").replace("5: right", "9: right"), "short.yaml"
    )
    result = experiment.inside("iterate", "--rounds", "1")
    assert result.code == 2
    assert "raise it to version: 2" in result.err


def test_the_rubric_says_from_where_an_answer_is_right(experiment):
    experiment.write(RUBRIC + "overall: {right_at: 0.4}\n", "short.yaml")
    options = {"rubric": experiment.folder / "short.yaml"}
    assert right_at(RubricMetric(RubricMetric.Options(**options))) == 0.4
    assert right_at(RubricMetric(RubricMetric.Options(**options, right_at=0.9))) == 0.9


def test_half_rated_and_skipped_answers_are_waited_for(experiment):
    experiment.inside("iterate", "--rounds", "1")
    (run,) = [path.name for path in (experiment.folder / ".harness" / "runs").iterdir()]
    batch = material.batch_of_run(run, "short.yaml", (0,), n=48)
    material.rate(batch, "ana", lambda item: {"right": 5})
    log = events.Events(FOLDER / batch.name, "ana")
    for item in batch.assignments["ana"]:
        log.append(material.event("ana", item, kind="skip", value=True))
    result = experiment.inside("iterate", "--rounds", "1")
    assert result.code == 6
    assert "0 of 48 answers are rated" in result.err


def test_where_nobody_has_rated_the_score_says_so(experiment):
    for name in ("said", "wanted"):
        (experiment.folder / f"{name}.txt").write_text("a\nb\n")
    files = ("-p", "said.txt", "-r", "wanted.txt")
    rules = experiment.folder / "short.yaml"
    options = ("-m", "rubric", "-o", f"rubric.rubric={rules}", "-o", "rubric.enough=0")
    done = experiment.inside("score", *files, *options)
    assert done.code == 0, done.err
    words = "nobody has rated these answers by this rubric in .harness/ratings"
    assert " ".join((done.out + done.err).split()).count(words) == 1
