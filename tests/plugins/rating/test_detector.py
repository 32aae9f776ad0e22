"""The detector ``rubric``: what raters chose becomes kinds of errors."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from harness.records import Example, Prediction, ScoredExample
from harness.registry import Registry
from harness.report.publishing import definitions_of
from harness.steps.detect import UNEXPLAINED
from harness_rating import RubricChoices
from harness_rating.ratings import events
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.rubric.file import load
from tests.plugins.rating import material

MATERIAL = Path(__file__).with_name("material.py")
RUBRIC = """\
schema: harness.rubric/1
id: small
version: 1
title: Small
language: en
instructions: Read.
criteria:
  - id: quality
    title: Quality
    question: How good?
    scale: {kind: ordinal, min: 1, max: 5, anchors: {1: wrong, 5: right}}
  - id: errors
    title: Errors
    question: What is wrong?
    ask_if: {quality: {below: 5}}
    scale:
      kind: choices
      choices: [wrong facts, wrong tone, wrong format]
      anchors: {wrong facts: "It is not true.", wrong tone: "Too stiff.", wrong format: "No list."}
    use_as: error_category
  - id: worst
    title: Worst
    question: What is worst?
    scale:
      kind: choice
      choices: [nothing, wrong tone, rude]
      anchors: {nothing: "All is well.", wrong tone: "Too stiff.", rude: "It insults."}
    use_as: error_category
"""


class Room:
    """A folder with a rubric and its batches."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder / "ratings", folder / "small.yaml"
        self.path.write_text(RUBRIC, encoding="utf-8")
        self.rubric = load(self.path)

    def batch(self, **changed):
        fields = {"overlap": 1.0, "repeats": 0.0, "strategy": "random", **changed}
        order = material.order(fields.pop("rubric", self.rubric), **fields)
        return RatingsFolder(self.folder).create(order, material.candidates())

    def say(self, batch, rater, item, **values):
        log = events.Events(self.folder / batch.name, rater)
        for criterion, value in values.items():
            log.append(material.event(rater, item, criterion, "set", value))

    def detector(self) -> RubricChoices:
        options = RubricChoices.Options(rubric=self.path, folder=str(self.folder))
        return RubricChoices(options)

    def found(self, batch, item, detector=None, text=None) -> dict[str, str]:
        example_id, answer = batch.placings[item].example_id, batch.by_id[item].answers[0]
        labels = list((detector or self.detector()).detect(scored(example_id, text or answer)))
        assert all((label.example_id, label.found_by) == (example_id, "people") for label in labels)
        assert len({label.category for label in labels}) == len(labels)
        return {label.category: label.evidence for label in labels}


def scored(example_id: str, text: str, message=None) -> ScoredExample:
    example = Example(example_id, ({"role": "user", "content": "?"},), ("x",), "dev")
    return ScoredExample(example, Prediction(example_id, text, message=message), {})


@pytest.fixture
def room(tmp_path) -> Room:
    return Room(tmp_path)


def test_one_rater_is_enough_and_the_evidence_says_how_many(room):
    made = room.batch()
    first, second, third = made.assignments["ana"][:3]
    room.say(made, "ana", first, quality=2, errors=["wrong facts", "wrong format"])
    room.say(made, "bo", first, quality=3, errors=["wrong format"], worst="rude")
    room.say(made, "ana", second, quality=4, errors=[])
    assert room.found(made, first) == {
        "wrong facts": "1 of 2 raters", "wrong format": "2 of 2 raters", "rude": "1 of 2 raters",
    }  # fmt: skip
    assert room.found(made, second) == room.found(made, third) == {}
    assert room.found(made, first, text="another answer") == {}


def test_a_choice_of_two_criteria_is_one_kind(room):
    made = room.batch()
    item = made.assignments["ana"][0]
    room.say(made, "ana", item, quality=2, errors=["wrong tone"], worst="wrong tone")
    assert room.found(made, item) == {"wrong tone": "1 of 1 raters"}


def test_a_choice_left_over_from_a_question_that_is_not_asked_any_more_does_not_count(room):
    made = room.batch()
    item = made.assignments["ana"][0]
    room.say(made, "ana", item, quality=2, errors=["wrong tone"])
    room.say(made, "ana", item, quality=5)
    assert room.found(made, item) == {}


def test_what_was_settled_stands(room):
    made = room.batch()
    first, second = made.assignments["ana"][:2]
    for item in (first, second):
        room.say(made, "ana", item, quality=2, errors=["wrong tone"], worst="rude")
        room.say(made, "bo", item, quality=2, errors=["wrong facts"])
    room.say(made, "settled-eva", first, errors=["wrong format", "wrong tone"])
    room.say(made, "settled-eva", second, errors=[])
    assert room.found(made, first) == {
        "wrong tone": "settled", "wrong format": "settled",
        "rude": "1 of 2 raters",
    }  # fmt: skip
    assert room.found(made, second) == {"rude": "1 of 2 raters"}


def test_a_hidden_repeat_does_not_count_a_second_time(room):
    made = room.batch(repeats=0.5)
    copy = next(i for i in made.assignments["ana"] if made.placings[i].repeat_of)
    original = made.placings[copy].repeat_of
    room.say(made, "ana", original, quality=2, errors=["wrong tone"])
    room.say(made, "ana", copy, quality=2, errors=["wrong tone", "wrong facts"])
    assert room.found(made, original) == {"wrong tone": "1 of 1 raters"}


def test_equal_answers_share_and_a_rater_counts_once(room):
    made, other = room.batch(), room.batch(seed=1, strategy="worst")
    same = {p.example_id: item for item, p in other.placings.items()}
    item = next(i for i in made.assignments["ana"] if made.placings[i].example_id in same)
    twin = same[made.placings[item].example_id]
    room.say(made, "ana", item, quality=2, errors=["wrong tone"])
    room.say(other, "ana", twin, quality=2, errors=["wrong facts"])
    room.say(other, "bo", twin, quality=5)
    shared = {"wrong facts": "1 of 2 raters", "wrong tone": "1 of 2 raters"}
    assert room.found(made, item) == room.found(other, twin) == shared


@pytest.mark.parametrize("strategy", ["worst", "disagreement"])
def test_batches_that_give_no_verdict_count_too(room, strategy):
    made = room.batch(strategy=strategy)
    assert not made.verdicts
    item = made.assignments["ana"][0]
    room.say(made, "ana", item, quality=1, errors=["wrong facts"])
    assert room.found(made, item) == {"wrong facts": "1 of 1 raters"}


def test_another_version_is_another_rubric(room):
    later = dataclasses.replace(room.rubric, version=2, digest="another")
    made = room.batch(rubric=later)
    room.say(made, "ana", made.assignments["ana"][0], quality=1, errors=["wrong facts"])
    assert room.found(made, made.assignments["ana"][0]) == {}
    assert room.detector().growing() == []


def test_choices_made_meanwhile_are_seen_at_the_next_round(room):
    made = room.batch()
    item, detector = made.assignments["ana"][0], room.detector()
    assert room.found(made, item, detector) == {}
    before = list(detector.growing())
    room.say(made, "ana", item, quality=1, errors=["wrong facts"])
    assert [path.name for path in before] == ["batch.json"]
    assert [path.name for path in detector.growing()] == ["batch.json", "ana.jsonl"]
    assert room.found(made, item, detector) == {}
    detector.prepare(())
    assert room.found(made, item, detector) == {"wrong facts": "1 of 1 raters"}


def test_the_kinds_are_the_choices_with_their_anchors(room):
    assert room.detector().categories() == {
        "wrong facts": "It is not true.", "wrong tone": "Too stiff.", "wrong format": "No list.",
        "nothing": "All is well.", "rude": "It insults.",
    }  # fmt: skip


def test_a_kind_that_two_detectors_look_for_bears_both_definitions(project):
    from harness.config import loading

    project.write(RUBRIC, "small.yaml")
    text = (project.folder / "harness.yaml").read_text()
    detect = "detect: [{plugin: basic}, {plugin: rubric, rubric: small.yaml}]"
    path = project.write(text.replace("detect: [fake]", detect))
    told = definitions_of(loading.load(path).detect)
    basic = Registry.build().get("detector", "basic").plugin
    rules = dict(basic(basic.Options()).categories())
    assert told["wrong format"] == f"basic: {rules['wrong format']}; or rubric: No list."
    assert (told["empty"], told["rude"]) == (rules["empty"], "It insults.")
    assert set(told) == {*rules, *room_kinds(project), UNEXPLAINED}


def room_kinds(project):
    options = RubricChoices.Options(rubric=project.folder / "small.yaml")
    return RubricChoices(options).categories()


def unseen(project, summary) -> str:
    path = project.folder / "reports" / summary["run"] / "analysis.json"
    return json.loads(path.read_text("utf-8"))["not_looked_for"]


@pytest.mark.nightly
def test_a_closed_round_keeps_its_kinds_and_another_run_shows_what_was_chosen(project, monkeypatch):

    project.write(RUBRIC, "small.yaml")
    text = (project.folder / "harness.yaml").read_text() + "report: []\n"
    project.write(text.replace("[fake]\nana", "[fake, {plugin: rubric, rubric: small.yaml}]\nana"))
    monkeypatch.chdir(project.folder)
    first = project.inside("iterate", "--rounds", "1", "--json").document
    assert set(first["rounds"][0]["errors"]) == {"unsure"}
    assert unseen(project, first).endswith("a detector of your own; this run had neither.")
    made = material.batch_of_run(first["run"], "small.yaml", (0,), n=9, strategy="worst")
    values = {"quality": 1, "errors": ["wrong facts"], "worst": "rude"}
    material.rate(made, "ana", lambda item: values)
    again = project.inside("iterate", "--rounds", "1", "--json").document
    assert again["rounds"] == first["rounds"]
    sets = ("--set", "min_gain=0.001")
    other = project.inside("iterate", "--rounds", "1", "--json", *sets).document
    assert other["rounds"][0]["errors"] == {
        **first["rounds"][0]["errors"], "wrong facts": 9, "rude": 9,
    }  # fmt: skip
    assert unseen(project, other).startswith("Rules cannot detect a wrong fact")
    assert unseen(project, other).endswith("other answers were not checked for them.")
    # Answers that stayed the same have their kinds; those that changed are unrated.
    assert 0 < other["rounds"][1]["errors"]["wrong facts"] <= 9
