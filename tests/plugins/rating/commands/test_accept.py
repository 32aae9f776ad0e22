"""``harness rate accept``: what raters typed, listed, and taken into a file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from harness.data import correction_file
from harness_rating.ratings import events
from harness_rating.ratings.folder import RatingsFolder
from harness_rating.ratings.typed_answers import corrections
from tests.plugins.rating import material

LONG = "It is [red]long[/red] \x1b[31m" + "and longer " * 40


@pytest.fixture
def room(project, monkeypatch):
    """A folder with a batch of 12 items of dev; nobody has typed anything."""
    monkeypatch.chdir(project.folder)
    project.made = material.batch(project.folder / ".harness" / "ratings", n=12, repeats=0.0)
    return project


def say(room, rater, text, place=0, criterion="better"):
    item = room.made.assignments[rater][place]
    log = events.Events(room.folder / ".harness" / "ratings" / room.made.name, rater)
    log.append(material.event(rater, item, criterion, "set", text))
    return item


def accept(room, *options, code=0):
    done = room.inside("rate", "accept", *options)
    assert done.code == code, done.err
    return done.out if code == 0 else done.err


def rows(room, name="better.jsonl"):
    return [correction.text for correction in correction_file.read_corrections(room.folder / name)]


def test_what_was_typed_is_listed_and_kept_and_a_second_time_changes_nothing(room):
    item = say(room, "ana", "A much better answer.")
    example = room.made.placings[item].example_id
    number = example.removeprefix("row-")
    shown = accept(room, "-o", "better.jsonl")
    for text in (item, "dev, ana", f"question {number}?", f"reference {number}", "A much better"):
        assert text in shown
    assert "1 accepted into better.jsonl." in shown
    assert shown.splitlines()[-1] == "next: harness iterate --set corrections=better.jsonl"
    assert rows(room) == [(example, "A much better answer.")]
    before = (room.folder / "better.jsonl").read_bytes()
    assert "0 accepted into better.jsonl; 1 were there already." in accept(
        room, room.made.name, "-o", "better.jsonl"
    )
    assert (room.folder / "better.jsonl").read_bytes() == before


def test_an_existing_file_is_extended(room):
    say(room, "ana", "First.")
    accept(room, "-o", "better.jsonl")
    say(room, "bo", "Second.", 1)
    assert "1 accepted into better.jsonl; 1 were there already." in accept(
        room, "-o", "better.jsonl"
    )
    assert [text for _, text in rows(room)] == ["First.", "Second."]


def test_the_document(room):
    say(room, "ana", "First.")
    item = say(room, "bo", "Second.", 1)
    document = json.loads(accept(room, "-o", "better.jsonl", "--item", item, "--json"))
    example = room.made.placings[item].example_id
    number = example.removeprefix("row-")
    assert {key: document[key] for key in ("batch", "file", "new", "known", "next_command")} == {
        "batch": room.made.name, "file": "better.jsonl", "new": 1, "known": 0,
        "next_command": "harness iterate --set corrections=better.jsonl",
    }  # fmt: skip
    (one,) = document["accepted"]
    assert one["origin"]["rater"] == "bo"
    assert (one["example_id"], one["split"], one["reference"], one["before"], one["prompt"]) == (
        example, "dev", "Second.", [f"reference {number}"],
        f"system: be brief\n\nuser: question {number}?",
    )  # fmt: skip


@pytest.mark.parametrize("width", ["60", "100"])
def test_texts_fit_the_terminal_and_are_only_text(room, width):
    say(room, "ana", LONG)
    done = room.inside("rate", "accept", "-o", "better.jsonl", COLUMNS=width)
    table = done.out.split("\n\n")[0]
    assert "[red]long[/red]" in table and "\x1b" not in done.out
    assert max(len(line.rstrip()) for line in table.splitlines()) <= int(width)


def test_the_next_command_knows_a_config_that_has_the_file_already(room):
    say(room, "ana", "First.")
    room.write((room.folder / "harness.yaml").read_text() + "corrections: ./better.jsonl\n")
    assert accept(room, "-o", "better.jsonl").splitlines()[-1] == "next: harness iterate"
    (room.folder / "harness.yaml").unlink()
    last = accept(room, "-o", "better.jsonl").splitlines()[-1]
    assert last == f"next: harness iterate --set corrections={room.folder / 'better.jsonl'}"


def test_rows_of_the_pool_are_for_an_augmenter(room):
    root = room.folder / ".harness" / "ratings"
    reserve = material.batch(root, n=5, split="pool", repeats=0.0)
    log = events.Events(root / reserve.name, "ana")
    log.append(material.event("ana", reserve.assignments["ana"][0], "better", "set", "Typed."))
    shown = accept(room, reserve.name, "-o", "better.jsonl")
    told = " ".join(shown.split())
    assert "{plugin: better-answers, file: better.jsonl, rows: 1}" in told
    assert "corrections:" not in told
    assert "first under `augment:`, the command changes nothing" in told
    assert "it is a new run" in told and "opens the test set again, and that is counted" in told
    assert shown.splitlines()[-1] == "next: harness iterate"
    assert [
        correction.split
        for correction in correction_file.read_corrections(room.folder / "better.jsonl")
    ] == ["pool"]


def pairs(room, split="pool"):
    root = room.folder / ".harness" / "ratings"
    return material.batch(
        root, material.rubric(material.PREFERENCE, id="pairs"), n=4, split=split, versus=0,
        overlap=1.0, repeats=0.0,
    )  # fmt: skip


def test_what_is_preferred_to_what(room):
    made = pairs(room)
    said = dict(zip(made.originals, ["A", "B", "tie", "A"], strict=True))
    assert "In " + made.name in accept(room, made.name, "-o", "p.jsonl", "--preferences")
    assert not (room.folder / "p.jsonl").exists()
    for rater in ("ana", "bo"):
        material.rate(
            made, rater, lambda item: {"preference": said[item]}, room.folder / ".harness/ratings"
        )
    shown = " ".join(accept(room, made.name, "-o", "p.jsonl", "--preferences").split())
    assert shown.count("rejected: ") == 3 and "3 accepted into p.jsonl" in shown
    assert "{plugin: better-answers, file: p.jsonl, rows: 3}" in shown
    document = json.loads(accept(room, made.name, "-o", "p.jsonl", "--preferences", "--json"))
    assert (document["new"], document["known"]) == (0, 3)
    for one in document["accepted"]:
        item, place = one["origin"]["item"], "AB".index(said[one["origin"]["item"]])
        answers = made.by_id[item].answers
        assert (one["reference"], one["rejected"]) == (answers[place], [answers[1 - place]])


def test_ratings_over_and_under_a_level(room):
    root = room.folder / ".harness" / "ratings"
    made = material.batch(root, n=3, split="pool", raters=("ana",), repeats=0.0)
    quality = dict(zip(made.originals, [5, 1, 3], strict=True))
    whole = {"polite": True, "tone": "warm", "errors": []}
    material.rate(made, "ana", lambda item: {**whole, "quality": quality[item]}, root)
    options = (made.name, "-o", "p.jsonl", "--preferences", "--json")
    assert json.loads(accept(room, *options))["accepted"] == []
    levels = ("--over", "0.95", "--under", "0.6")
    texts = [(one["reference"] == "", one.get("rejected", [])) for one in
             json.loads(accept(room, *options, *levels))["accepted"]]  # fmt: skip
    _, bad, _ = made.originals
    assert sorted(texts) == [(False, []), (True, [made.by_id[bad].answers[0]])]
    assert "no rating reaches a level" in " ".join(accept(room, *options[:-1]).split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preferences"], "none of them may teach"),
        (["--preferences", "--item", "x"], "give it without --preferences"),
        (["--preferences", "--over", "0.4", "--under", "0.4"], "has to be below --over"),
        (["--preferences", "--over", "1.1"], "--over"),
        (["--over", "0.4"], "levels of --preferences"),
    ],
)
def test_preferences_that_cannot_be_taken(room, options, message):
    made = pairs(room, "dev")
    assert message in accept(room, made.name, "-o", "b.jsonl", *options, code=2)
    assert not (room.folder / "b.jsonl").exists()


def test_nobody_has_typed_anything_yet(room):
    say(room, "ana", 5, criterion="quality")
    shown = accept(room, "-o", "better.jsonl")
    assert f"Nobody has typed a better answer in {room.made.name} yet." in shown
    assert shown.splitlines()[-1] == f"next: harness rate status {room.made.name}"
    assert not (room.folder / "better.jsonl").exists()
    assert json.loads(accept(room, "-o", "better.jsonl", "--json"))["accepted"] == []


WRONG = [
    (["-o", "no/better.jsonl"], 2, "there is no folder no"),
    (["-o", "."], 2, "this is a folder"),
    (["-o", "harness.yaml"], 4, "harness.yaml:1: this line is cut or damaged"),
    (["-o", "b.jsonl", "--item", "0123"], 2, "has no item '0123'"),
    (["other-batch", "-o", "b.jsonl"], 2, "there is no batch 'other-batch'"),
    ([], 2, "-o"),
]


def test_where_no_file_can_be_and_what_the_system_refuses(room):
    say(room, "ana", "First.")
    os.mkfifo(room.folder / "pipe.jsonl")
    assert "-o pipe.jsonl: this is a device or a pipe" in accept(room, "-o", "pipe.jsonl", code=2)
    assert "name too long" in accept(room, "-o", "x" * 300, code=2)
    if Path("/proc/self").is_dir():
        assert "-o /proc/x: cannot write: " in accept(room, "-o", "/proc/x", code=3)


@pytest.mark.parametrize(("options", "code", "message"), WRONG)
def test_what_cannot_be_done_is_said_and_nothing_is_written(room, options, code, message):
    say(room, "ana", "First.")
    config = (room.folder / "harness.yaml").read_bytes()
    assert message in accept(room, *options, code=code)
    assert (room.folder / "harness.yaml").read_bytes() == config
    assert not (room.folder / "b.jsonl").exists()


def test_an_item_for_which_nobody_typed_is_named(room):
    say(room, "ana", "First.")
    item = room.made.assignments["ana"][3]
    found = accept(room, "-o", "b.jsonl", "--item", item, code=2)
    assert f"nobody typed a better answer for item '{item}'" in found


def test_a_rubric_that_asks_for_no_better_answer(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    rules = material.rubric(material.CRITERIA[:5], id="plain")
    made = material.batch(project.folder / ".harness" / "ratings", rules)
    assert corrections(made, RatingsFolder()) == []
    done = project.inside("rate", "accept", "-o", "b.jsonl")
    assert done.code == 2
    assert "rubric plain asks for no better answer" in done.err


@pytest.fixture
def begun(project, monkeypatch):
    """A run of another config than the usual one, and a batch of its answers."""
    monkeypatch.chdir(project.folder)
    (project.folder / "sub").mkdir()
    (project.folder / "harness.yaml").rename(project.folder / "sub" / "exp.yaml")
    done = project.inside("iterate", "-c", "sub/exp.yaml", "--rounds", "1", "--json")
    assert done.code == 0, done.err
    project.run = done.document["run"]
    return project


def batch_of(begun, **more):
    root = begun.folder / ".harness" / "ratings"
    begun.made = material.batch(root, run=begun.run, n=5, repeats=0.0, **more)
    say(begun, "ana", "Typed.")


@pytest.mark.nightly
def test_the_next_command_is_the_one_that_the_run_was_given(begun):
    batch_of(begun)
    whole = "next: harness iterate -c sub/exp.yaml --rounds 1 --set corrections="
    last = accept(begun, "-o", "sub/better.jsonl").splitlines()[-1]
    assert last == f"{whole}better.jsonl"  # relative to the config
    last = accept(begun, "-o", "better.jsonl").splitlines()[-1]
    assert last == f"{whole}{begun.folder / 'better.jsonl'}"
    text = (begun.folder / "sub" / "exp.yaml").read_text()
    begun.write(text + "corrections: better.jsonl\n", "sub/exp.yaml")
    last = accept(begun, "-o", "sub/better.jsonl").splitlines()[-1]
    assert last == "next: harness iterate -c sub/exp.yaml --rounds 1"


@pytest.mark.nightly
def test_a_run_that_was_given_other_corrections_gets_the_new_ones(begun):
    kept = begun.folder / ".harness" / "runs" / begun.run / "command.json"
    words = json.loads(kept.read_text())
    kept.write_text(json.dumps([*words, "--set", "corrections=old.jsonl", "--set", "seed=3"]))
    batch_of(begun)
    last = accept(begun, "-o", "sub/better.jsonl").splitlines()[-1]
    assert last.endswith("--rounds 1 --set seed=3 --set corrections=better.jsonl")


def test_an_augmenter_that_reads_the_file_is_known(begun):
    batch_of(begun, split="pool")
    config = begun.folder / ".harness" / "runs" / begun.run / "config.yaml"
    told = " ".join(accept(begun, "-o", "sub/better.jsonl").split())
    assert "until `{plugin: better-answers, file: better.jsonl, rows: 1}` is first" in told
    entry = {"plugin": "better-answers", "file": str(begun.folder / "sub/better.jsonl"), "rows": 5}
    text = config.read_text().replace("augment:\n", f"augment:\n- {json.dumps(entry)}\n")
    config.write_text(text)
    shown = accept(begun, "-o", "sub/better.jsonl")
    assert "the run's config has one that does" in " ".join(shown.split())
    assert shown.splitlines()[-1] == "next: harness iterate -c sub/exp.yaml --rounds 1"


def test_a_batch_of_one_round_tilts_the_scale_and_that_is_said(room):
    say(room, "ana", "A much better answer.")
    shown = " ".join(accept(room, "-o", "better.jsonl").split())
    assert (
        "warning: 1 of 1 text for dev come from batches that did not show the answers of two"
        in shown
    )
    assert "harness rate create --round A --vs B" in shown
    assert [
        correction.rounds
        for correction in correction_file.read_corrections(room.folder / "better.jsonl")
    ] == [(3,)]


def test_a_blind_batch_of_two_rounds_is_fair_and_its_shares_are_told(room):
    root = room.folder / ".harness" / "ratings"
    both = material.batch(root, n=6, versus=0, repeats=0.0)
    log = events.Events(root / both.name, "ana")
    for number, item in enumerate(both.assignments["ana"][:3]):
        log.append(material.event("ana", item, "better", "set", f"Text {number}."))
    shown = " ".join(accept(room, both.name, "-o", "better.jsonl").split())
    assert "warning" not in shown
    assert "unequal shares tilt the scale a little, too." in shown
    assert {
        correction.rounds
        for correction in correction_file.read_corrections(room.folder / "better.jsonl")
    } == {(0, 3)}


@pytest.mark.parametrize("rounds", ["3", "[true]", "[-1]", '["0", "1"]'])
def test_a_file_whose_rounds_are_no_numbers_is_refused(room, rounds):
    say(room, "ana", "A much better answer.")
    accept(room, "-o", "better.jsonl")
    path = room.folder / "better.jsonl"
    path.write_text(path.read_text().replace('"rounds":[3]', f'"rounds":{rounds}'))
    assert "better.jsonl:2" in accept(room, "-o", "better.jsonl", code=4)
