"""A run whose rows are reviewed: it waits, and trains on what was decided and nothing else."""

from __future__ import annotations

import json

import pytest

from tests.plugins.rating.review.reviewers import accept, batches, decide, mixed
from tests.support.project import CONFIG

TWO_ROUNDS = CONFIG.replace("rounds: 3", "rounds: 2") + "probes: []\nreport: []\n"


def asking(project, review, config=TWO_ROUNDS):
    project.write(config.replace("rows: 10}", f"rows: 10, review: {review}}}"))
    return project


def trained_on(project, round_=2):
    """What the last round learned beyond the rows of the source: id -> (answer, origin)."""
    asked = f"SELECT id, prompt, reference, made FROM added WHERE round = {round_ - 1}"
    rows = project.inside("query", asked, "--json").document
    return {row["id"]: (row["reference"], json.loads(row["made"] or "{}")) for row in rows}


def test_a_round_waits_and_trains_on_what_was_decided(project):
    asking(project, "required")
    first = project.inside("iterate")
    assert first.code == 6
    assert "round 1: augment: 10 rows wait to be reviewed" in first.err
    [batch] = batches(project.folder)
    assert f"harness rate serve {batch.name}" in first.err
    assert {placing.split for placing in batch.placings.values()} <= {"train", "pool"}

    half = {"decision": "accept"}
    decide(project.folder, batch, "me", lambda answer, number: half if number < 4 else {})
    again = project.inside("iterate")
    assert again.code == 6
    assert "6 rows wait, of 10, to be reviewed" in again.err
    assert batches(project.folder) == [batch]

    decide(project.folder, batch, "me", mixed)
    last = project.inside("iterate", "--json")
    assert last.code == 0, last.err
    growth = last.document["rounds"][1]
    assert growth["added"] == 8
    assert growth["refused"]["review: wrong answer"] == 2
    said = "10 rows were reviewed: 7 accepted, 1 edited, 2 rejected."
    assert any(said in note for note in last.document["notes"])
    rows = trained_on(project)
    assert len(rows) == 8
    assert {made["review"] for _, made in rows.values()} == {"accepted by me", "edited by me"}
    [edited] = [name for name, (_, made) in rows.items() if made["review"] == "edited by me"]
    answer, made = rows[edited]
    assert edited.endswith("~reviewed")
    assert answer == made["answer before"] + " indeed"
    shown = project.inside("why", edited).out
    assert "review: edited by me" in shown
    assert f"answer before: {made['answer before']}" in " ".join(shown.split())
    assert "review: wrong answer" in project.inside("report", "--full").out


@pytest.mark.nightly
def test_the_rows_of_the_last_round_are_trained_on_by_nobody_and_not_asked_about(project):
    asking(project, "required", CONFIG.replace("rounds: 3", "rounds: 1"))
    assert project.inside("iterate").code == 0
    assert batches(project.folder) == []


@pytest.mark.nightly
def test_nobody_is_asked_about_a_row_twice(project):
    """Another run, another seed: what was said of a row holds for what it teaches."""
    asking(project, "required")
    assert project.inside("iterate").code == 6
    [batch] = batches(project.folder)
    decide(project.folder, batch, "me", mixed)
    assert project.inside("iterate").code == 0
    result = project.inside("iterate", "--as-new-run", "--json")
    assert result.code == 0, result.err
    assert result.document["rounds"][1]["added"] == 8
    assert batches(project.folder) == [batch]


@pytest.mark.nightly
def test_what_was_decided_before_the_round_went_on_stands(project):
    asking(project, "required")
    project.inside("iterate")
    [batch] = batches(project.folder)
    decide(project.folder, batch, "me", accept)
    before = project.inside("iterate", "--json").document
    decide(project.folder, batch, "me", mixed)
    after = project.inside("iterate", "--json")
    assert after.code == 0, after.err
    assert after.document["rounds"] == before["rounds"]


@pytest.mark.nightly
def test_a_sample_that_is_good_enough_lets_the_rest_pass(project):
    asking(project, "{sample: 5, at_least: 0.5}")
    first = project.inside("iterate")
    assert first.code == 6
    assert "5 rows wait to be reviewed" in first.err
    [batch] = batches(project.folder)
    decide(project.folder, batch, "me", accept)
    last = project.inside("iterate", "--json")
    assert last.code == 0, last.err
    said = "5 of 10 rows, drawn at random, were reviewed: 5 accepted"
    [note] = [note for note in last.document["notes"] if said in note]
    assert "54.9% or more and 100.0% or less are right" in note
    words = [made["review"] for _, made in trained_on(project).values()]
    assert words.count("accepted by me") == 5
    assert words.count("not in the part that was reviewed") == 5


def test_a_sample_that_shows_too_few_right_rows_stops_the_round(project):
    asking(project, "{sample: 5, at_least: 0.9}")
    project.inside("iterate")
    [batch] = batches(project.folder)

    def wrong(answer, number):
        return {"decision": "reject", "reason": "wrong answer"} if number < 3 else accept("", 0)

    decide(project.folder, batch, "me", wrong)
    stopped = project.inside("iterate")
    assert stopped.code == 4
    assert "2 of 5 rows that were reviewed are right as proposed" in stopped.err
    assert "at_least asks for 90.0%" in stopped.err
    assert "review: required" in stopped.err
    assert project.inside("iterate").code == 4


@pytest.mark.nightly(but_each=6)
@pytest.mark.parametrize(
    ("review", "words"),
    [
        ("yes", "'required' is needed"),
        ("{sample: 0}", "sample"),
        ("{at_least: 0.9}", "at_least is for a sample"),
        ("{raters: [Ana]}", "cannot be a reviewer's name"),
        ("{raters: [ana, ana]}", "each named once"),
        ("{plugin: nobody}", "no verifier"),
    ],
)
def test_a_review_that_cannot_be_meant_is_refused(project, review, words):
    asking(project, review)
    result = project.inside("check")
    assert result.code == 2
    assert words in result.err, result.err
    assert "augment" in result.err


@pytest.mark.nightly
def test_an_edit_that_repeats_a_row_of_dev_is_refused_by_the_gate(project):
    asking(project, "required")
    project.inside("iterate")
    [batch] = batches(project.folder)
    dev = project.inside(
        "query", "SELECT prompt, reference FROM examples WHERE split = 'dev' LIMIT 1", "--json"
    )
    row = dev.document[0] if dev.code == 0 else pytest.fail(dev.err)

    def leak(answer, number):
        if number:
            return accept(answer, number)
        return {"decision": "edit", "question": row["prompt"]}

    decide(project.folder, batch, "me", leak)
    last = project.inside("iterate", "--json")
    assert last.code == 0, last.err
    assert last.document["rounds"][1]["refused"]["repeat of dev or test"] == 1
    assert last.document["rounds"][1]["added"] == 9


VERIFIER = '''
import dataclasses

import harness


class Shout(harness.Verifier):
    """Has every answer in capitals."""

    name = "shout"

    def verify(self, row, context):
        loud = dataclasses.replace(row, references=(row.references[0].upper(),))
        return harness.Verification(True, "in capitals", loud)


@harness.hookimpl
def register_verifiers():
    return [Shout]
'''


@pytest.mark.nightly
def test_any_verifier_may_review(project):
    (project.folder / "shout.py").write_text(VERIFIER)
    config = TWO_ROUNDS.replace("plugins: [", "plugins: [shout.py, ")
    asking(project, "{plugin: shout}", config)
    result = project.inside("iterate", "--json")
    assert result.code == 0, result.err
    rows = trained_on(project)
    assert len(rows) == 10
    assert all(answer.isupper() for answer, _ in rows.values())
    assert {made["review"] for _, made in rows.values()} == {"in capitals"}
