"""``harness rate verdict``: a run, a blind batch, real event files, and what a person reads."""

from __future__ import annotations

import json
import random
import shutil
import uuid
from pathlib import Path

import pytest

from harness_rating.batches.records import FOLDER, Event
from harness_rating.outcomes.outcomes import outcomes_of
from harness_rating.ratings import events
from harness_rating.ratings.folder import RatingsFolder
from tests.plugins.rating import material

PAIRS = """\
schema: harness.rubric/1
id: pairs
version: 1
title: Pairs
language: en
instructions: Read both.
criteria:
  - id: which
    title: "Which [/b] [red]one[/red] is the better answer to get?"
    question: Which would you rather get?
    scale: {kind: pairwise, anchors: {A: this, tie: equal, B: that}}
"""
LEVELS = """\
schema: harness.rubric/1
id: levels
version: 1
title: Levels
language: en
instructions: Read it.
criteria:
  - id: right
    title: Right
    question: Is it right?
    scale: {kind: ordinal, min: 1, max: 5, anchors: {1: wrong, 5: right}}
  - id: polite
    title: Polite
    question: Is it polite?
    scale: {kind: binary, anchors: {"yes": polite, "no": rude}}
"""


@pytest.fixture
def rated(finished, tmp_path, monkeypatch):
    """A copy of a finished run of three rounds, in which batches can be made and rated."""
    done, result = finished
    shutil.copytree(done.folder, tmp_path / "copy")
    project = type(done)(tmp_path / "copy")
    monkeypatch.chdir(project.folder)
    project.run = result.document["run"]
    return project


def made(project, text, rounds, value, **changed):
    """A batch rated by Ana and Bo.

    Args:
        rounds: the round rated, and perhaps the one that it is compared with.
        value: (criterion, rounds of the answers shown, random source) -> value.
    """
    path = Path("rubric.yaml")
    path.write_text(text, encoding="utf-8")
    spec = {"n": 40, "repeats": 0.05, **changed}
    batch = material.batch_of_run(project.run, path, rounds, ("ana", "bo"), **spec)
    rng = random.Random(3)

    def values(item):
        shown = batch.placings[item].rounds
        return {
            criterion.id: value(criterion.id, shown, rng) for criterion in batch.rubric.criteria
        }

    for rater in batch.raters:
        material.rate(batch, rater, values)
    return batch


def prefers_the_later(_, rounds, rng):
    liked = "A" if rounds[0] > rounds[1] else "B"
    return rng.choice([liked, liked, liked, "tie", "A", "B"])


def rates_the_later_higher(criterion, rounds, rng):
    if criterion == "polite":
        return rng.random() < 0.9
    return rng.randint(1, 4) + (rounds[0] > 0)


@pytest.mark.nightly
def test_pairs_are_told_in_a_table_and_in_words(rated):
    batch = made(rated, PAIRS, (3, 0), prefers_the_later)
    result = rated.inside("rate", "verdict", COLUMNS="80")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1] == f"{batch.name} (rubric pairs/1, of {rated.run})"
    assert lines[2].split() == ["rounds", "won/tied/lost", "win", "rate", "[95", "%]"]
    assert "Which [/b] [red]one[/…  3 vs 0" in lines[3]
    assert lines[3].rstrip().endswith("improved")
    words = " ".join(result.out.split())
    assert "for the answer shown first" in words
    assert "power; 40 examples in " in words
    assert "Pairs of answers give verdicts and win rates, and no score of a round." in words


def test_the_document_is_what_the_ratings_say_at_the_level_of_the_planned_rounds(rated):
    batch = made(rated, LEVELS, (2, 0), rates_the_later_higher)
    result = rated.inside("rate", "verdict", batch.name, "--json")
    assert (result.code, result.err) == (0, "")
    assert result.document == json.loads(
        json.dumps(outcomes_of(batch, RatingsFolder().ratings(batch), level=1 - 0.05 / 3))
    )
    assert [score["round"] for score in result.document["scores"]] == [0] * 3 + [2] * 3


@pytest.mark.parametrize("columns", [80, 120])
def test_rated_answers_show_their_differences_where_there_is_room(rated, columns):
    made(rated, LEVELS, (3, 0), rates_the_later_higher)
    result = rated.inside("rate", "verdict", COLUMNS=str(columns))
    assert max(map(len, result.out.splitlines())) <= columns
    assert ("difference [95 %]" in result.out) == (columns == 120)
    assert [line.split()[0] for line in result.out.splitlines()[3:6]] == [
        "Overall",
        "Right",
        "Polite",
    ]
    words = " ".join(result.out.split())
    assert words.count(" against round 0: ") == 1  # only what decides is told in words, too
    assert "The overall score decides" in words


def test_what_was_settled_counts(rated):
    batch = made(rated, LEVELS, (3, 0), rates_the_later_higher, overlap=1.0)
    for number, rater in enumerate(batch.raters):  # they differ on each answer
        material.rate(
            batch, rater,
            lambda item, n=number: {"right": 1 + n + 3 * (batch.placings[item].rounds == (3,))},
        )  # fmt: skip
    before = rated.inside("rate", "verdict", "--json").document["comparisons"][1]
    log = events.Events(FOLDER / batch.name, "settled-lead")
    later = [i for i, p in batch.placings.items() if p.rounds == (3,) and p.repeat_of is None]
    for item in later:
        log.append(Event(uuid.uuid4().hex, "settled-lead", item, "right", "set", 1, events.now()))
    after = rated.inside("rate", "verdict", "--json").document["comparisons"][1]
    assert (before["label"], after["label"]) == ("improved", "regressed")


def test_one_round_shows_its_scores(rated):
    made(rated, LEVELS, (3,), rates_the_later_higher, overlap=0.0)
    result = rated.inside("rate", "verdict", COLUMNS="80")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[2].split() == ["round", "score", "[95", "%]", "answers", "groups", "unrated"]
    assert [line.split()[:2] for line in lines[3:6]] == [
        ["Overall", "3"], ["Right", "3"], ["Polite", "3"],
    ]  # fmt: skip
    assert "[0." in lines[3]
    assert "This batch holds one round, so there is no verdict" in result.out


def test_a_sample_for_finding_errors_is_told_to_be_one(rated):
    made(rated, LEVELS, (3, 0), rates_the_later_higher, strategy="worst", n=24)
    result = rated.inside("rate", "verdict", COLUMNS="80")
    assert result.code == 0
    assert "improved" not in result.out
    assert "This sample (worst) is for finding errors" in result.out


def test_without_ratings_it_says_so_and_what_to_do(rated):
    made(rated, LEVELS, (3, 0), rates_the_later_higher, n=24)
    (batch,) = RatingsFolder().names()
    for path in (FOLDER / batch / "events").glob("*.jsonl"):
        path.unlink()
    result = rated.inside("rate", "verdict")
    assert result.code == 0
    assert "Nothing that counts is rated yet" in result.out
    assert result.out.splitlines()[-1] == f"next: harness rate status {batch}"


def test_a_batch_whose_run_is_gone_says_which(rated):
    made(rated, LEVELS, (3, 0), rates_the_later_higher, n=24)
    shutil.rmtree(Path(".harness", "runs"))
    result = rated.inside("rate", "verdict")
    assert (result.code, result.out) == (2, "")
    assert f"no run is called '{rated.run}'" in result.err


def test_no_batch_is_one_message(project):
    result = project.inside("rate", "verdict")
    assert (result.code, result.out) == (2, "")
    assert "there is no batch in this folder yet" in result.err
