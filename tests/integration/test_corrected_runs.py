"""A run with corrections: a new version of dev, all rounds scored again, nothing else redone."""

from __future__ import annotations

import json

import pytest

from harness.config import loading
from harness.data import correction_file
from harness.data.corrections import Correction, prompt_digest
from harness.data.filters import NEAR_REPEAT
from harness.opened import StoredSteps, answered, opened
from harness.records.context import Quiet
from harness.run.run import Run
from harness.steps import Steps
from tests.support import fakes

ORIGIN = {"batch": "b", "item": "i", "rater": "ana", "at": "2026-11-25T15:00:00.000Z"}
SET = ("--set", "corrections=better.jsonl")


def row(number, split="dev"):
    return fakes._row(split, number, 24)


def typed(example, text, **changed):
    fields = {"split": example.split, "prompt": prompt_digest(example.messages), "rounds": (0, 1)}
    fields |= changed
    return Correction(fields.pop("id", example.id), reference=text, origin=ORIGIN, **fields)


def user(prompt):
    return [{"role": "user", "content": prompt}]


def accept(project, *found):
    (project.folder / "better.jsonl").write_bytes(correction_file.encoded_corrections(found))
    return project.folder / "better.jsonl"


@pytest.fixture
def counting(project):
    """The score ``exact`` takes any reference; the primary one only the first."""
    text = (project.folder / "harness.yaml").read_text()
    project.write(text.replace("metrics: [", "metrics: [exact, ") + "report: []\n")
    return project


def iterate(project, *options):
    done = project.inside("iterate", "--rounds", "1", "--json", *options)
    assert done.code == 0, done.err
    return done.document


@pytest.mark.nightly
def test_dev_is_scored_again_and_nothing_is_trained_or_generated(counting, monkeypatch):
    before = iterate(counting)
    monkeypatch.chdir(counting.folder)
    said = {one.round: one.predictions for one in answered(opened(before["run"], Quiet()))}
    found = [typed(row(n), said[n % 2][n].text) for n in range(6)]
    accept(counting, *found, typed(row(3, "pool"), "left to an augmenter"))
    after = iterate(counting, *SET)
    assert after["run"] != before["run"]
    assert [n for n in after["notes"] if "has 6 corrected" in n] == [
        "dev has 6 corrected references from better.jsonl"
    ]
    stored = {"round 0: generate", "round 1: train", "round 1: generate", "data"}
    assert stored <= set(after["cached"])
    scored = {label for label in after["cached"] if ": score" in label and "test" not in label}
    assert not scored
    for number in (0, 1):
        same, new = (one["rounds"][number]["scores"] for one in (before, after))
        alike = sum(said[number][n].text == found[n].reference for n in range(6))
        assert alike >= 3
        gain = new["exact"]["value"] - same["exact"]["value"]
        assert gain == pytest.approx(alike / 48)
        assert new["overlap"] == same["overlap"]


def test_a_run_keeps_the_corrections_that_it_began_with(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    path = accept(project, typed(row(0), "one"))

    def begun():
        run = Run(loading.load(project.folder / "harness.yaml", sets=[SET[1]]), Quiet())
        run.prepare()
        return run, Steps(run).data().split("dev")

    first, before = begun()
    assert before[0].references == (*row(0).references, "one")
    accept(project, typed(row(0), "one"), typed(row(1), "two"))
    second, after = begun()
    assert second.name != first.name
    assert after[1].references == (*row(1).references, "two")
    assert "dev has 2 corrected references from better.jsonl" in second.notes
    path.write_bytes(path.read_bytes() + b'{"cut')
    for run, dev in ((first, before), (second, after)):
        assert StoredSteps(opened(run.name, Quiet())).data().split("dev") == dev


def test_without_the_key_a_run_has_the_name_that_it_had(project):
    plain = loading.load(project.folder / "harness.yaml")
    assert "corrections" not in plain.key()
    accept(project, typed(row(0), "one"))
    given = loading.load(project.folder / "harness.yaml", sets=[SET[1]])
    key = given.key()
    assert {**key, "corrections": 0} == {**plain.key(), "corrections": 0}
    assert given.shown()["corrections"] == str(project.folder / "better.jsonl")
    accept(project, typed(row(0), "two"))
    assert given.key() != key


def test_a_file_that_is_not_there_is_a_problem_of_the_config(project):
    project.write((project.folder / "harness.yaml").read_text() + "corrections: gone.jsonl\n")
    done = project.inside("iterate")
    assert done.code == 2
    assert "harness.yaml:14: corrections: there is no file" in done.err
    assert "gone.jsonl; harness rate accept writes such files" in done.err


WRONG = [
    (typed(row(0), "x", id="dev-99"), "1 of the corrected rows are not among", "dev-99"),
    (typed(row(0), "x", prompt="a" * 64), "better.jsonl:2: the prompt of 'dev-0' is not", ""),
    (typed(row(0, "train"), "x", split="dev"), "better.jsonl:2: 'train-0' was rated as", "train"),
    (typed(row(0, "test"), "x", split="dev"), "better.jsonl:2: 'test-0' was rated as", "test"),
    (typed(row(0, "pool"), "x", split="dev"), "better.jsonl:2: 'pool-0' was rated as", "pool"),
    (typed(row(0), "x", split="pool"), "better.jsonl:2: 'dev-0' was rated as", "dev"),
    (typed(row(0, "test"), "x"), "better.jsonl:2: a row of 'test' cannot be", "sealed"),
]  # fmt: skip


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize(("wrong", "message", "more"), WRONG)
def test_a_correction_that_fits_no_row_stops_the_run(project, wrong, message, more):
    accept(project, wrong)
    done = project.inside("iterate", *SET)
    assert (done.code, done.out) == (4, "")
    assert message in done.err
    assert more in done.err
    assert project.inside("check", *SET).err == done.err


def test_answers_are_scored_against_the_corrected_dev_of_a_config(project):
    project.write("".join(json.dumps({"text": f"said {n}"}) + "\n" for n in range(48)), "a.jsonl")
    ask = ("score", "-p", "a.jsonl", "-c", "harness.yaml", "-m", "exact", "--split", "dev")

    def right(*options):
        done = project.inside(*ask, "--json", *options)
        assert done.code == 0, done.err
        return done.document["metrics"]["exact"]["value"]

    accept(project, typed(row(0), "said 0"), typed(row(7), "said 7"))
    assert right() == 0
    assert right(*SET) == pytest.approx(2 / 48)
    checked = project.inside("check", *SET)
    assert (checked.code, "fine" in checked.out) == (0, True)


def test_a_training_row_that_repeats_a_typed_reference_is_refused(project):
    """A part of its prompt is that of a dev row: too little alone, too much with its answer."""
    leak = "Where do I find the invoice of March for the small shop downtown?"
    held = "Where do I find the invoice of March, for the large office downtown?"
    answer = "Open the page Billing and look under Documents."
    rows = [("leak", leak, answer, "train"), ("held", held, "In your mail.", "dev")]
    rows += [
        (word, f"{word} is a word; what does it mean to a sailor?", f"A {word}.", split)
        for word, split in zip(fakes.WORDS, ["train", "test"] * 6, strict=True)
    ]
    lines = [
        {"id": name, "messages": user(prompt), "references": [said], "split": split}
        for name, prompt, said, split in rows
    ]
    project.write("".join(json.dumps(line) + "\n" for line in lines), "rows.jsonl")
    text = (project.folder / "harness.yaml").read_text()
    text = text.replace("data: {source: fake}", "data: {source: jsonl, path: rows.jsonl}")
    text += "valid: 0\nfilters: {near: 0.9, source: refuse}\n"
    path = project.write(text)

    def train(*sets):
        steps = Steps(Run(loading.load(path, sets=sets), Quiet(), root=project.folder))
        return [one.id for one in steps.data().split("train")], steps.run.notes

    before, said = train()
    assert "leak" in before and not any("left out" in one for one in said)
    accept(project, Correction("held", "dev", answer, prompt_digest(user(held)), ORIGIN))
    after, said = train(SET[1])
    assert set(before) - set(after) == {"leak"}
    assert f"1 of 7 rows of train were left out: {NEAR_REPEAT}" in said


MARK = "one-sided references"


def scores(document):
    sides = [one["scores"] for one in document["rounds"]]
    return [score for side in [*sides, document["test"]["kept"]] for score in side.values()]


def gains(before, after):
    return [
        new["scores"]["exact"]["value"] - old["scores"]["exact"]["value"]
        for old, new in zip(before["rounds"], after["rounds"], strict=True)
    ]


@pytest.mark.nightly
def test_references_of_one_round_tilt_the_scale_and_every_score_says_so(counting, monkeypatch):
    before = iterate(counting)
    monkeypatch.chdir(counting.folder)
    old, new = (one.predictions for one in answered(opened(before["run"], Quiet())))
    differ = [n for n in range(48) if old[n].text != new[n].text][:12]
    accept(counting, *(typed(row(n), new[n].text, rounds=(1,)) for n in differ))
    after = iterate(counting, *SET)
    assert gains(before, after) == pytest.approx([0, 12 / 48])
    assert {one["caveat"] for one in scores(after)} == {MARK}
    assert {one["caveat"] for one in scores(before)} == {""}
    (note,) = [note for note in after["notes"] if "blindly" in note]
    assert note.startswith("12 of 12 corrected references of better.jsonl")
    assert f"exact ({MARK})" in counting.inside("score", "--run", after["run"]).out
    assert f"overlap ({MARK})" in counting.inside("runs").out


@pytest.mark.nightly
def test_where_the_rounds_are_not_known_they_count_as_one(counting):
    accept(counting, typed(row(1), "what it should have said", rounds=()))
    assert {one["caveat"] for one in scores(iterate(counting, *SET))} == {MARK}


@pytest.mark.nightly
def test_references_of_two_rounds_bear_no_mark_and_a_note_names_the_rounds(counting):
    accept(counting, typed(row(1), "what it should have said", rounds=(0, 1)))
    after = iterate(counting, *SET)
    assert {one["caveat"] for one in scores(after)} == {""}
    (note,) = [note for note in after["notes"] if "typed at" in note]
    assert "answers of rounds 0 and 1: a comparison with any other round leans" in note
