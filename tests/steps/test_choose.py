"""The run keeps the checkpoint of a training that scores best on valid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.project import CONFIG, SUPPORT

LEAVING = (
    CONFIG.replace("plugins: [", f"plugins: [{SUPPORT / 'leaving.py'}, ")
    .replace("rounds: 3", "rounds: 2\nvalid: 0.2\nprobes: []")
    .replace("train: {plugin: fake}", "train: {plugin: leaving}")
    .replace("generate: {plugin: fake}", "generate: {plugin: left}")
)


def kept(folder: Path) -> list[float]:
    """The skill of each round's checkpoint."""
    paths = sorted(folder.glob(".harness/artifacts/train/*/skill.json"))
    return [json.loads(path.read_text()) for path in paths]


def test_the_best_on_valid_is_kept_and_what_was_seen_is_in_the_log(project):
    project.write(LEAVING)
    result = project.inside("iterate", "--json")
    assert result.code == 0, result.err
    assert kept(project.folder) == [0.9, 0.9]
    log = next(project.folder.glob(".harness/artifacts/train/*/log.jsonl"))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    seen = [line for line in lines if "score" in line]
    assert [line["step"] for line in seen] == [1, 2, 3]
    assert [line["epoch"] for line in seen] == [0.5, 1.0, None]
    assert {line["score_rows"] for line in seen} == {9}
    assert max(seen, key=lambda line: line["score"])["step"] == 2
    assert [line["step"] for line in lines if line.get("kept")] == [2]
    (note,) = [
        note
        for note in result.document["notes"]
        if note.startswith("round 1: train: the checkpoint")
    ]
    assert "after step 2 is kept, the best of 3 by overlap on 9 rows of valid (0.9" in note
    assert "chance alone would lift the best by 0.0" in note and "valid: 0.2" in note
    seconds = result.document["seconds"]
    assert "train" in seconds and not {"train steps", "generate valid"} & set(seconds)


def test_the_least_is_kept_of_a_score_that_is_better_where_lower(project):
    project.write(
        LEAVING.replace("[{plugin: overlap}]", "[{plugin: wrong}]").replace(
            "primary: overlap", "primary: wrong"
        )
    )
    assert project.inside("iterate", "--json").code == 0
    assert kept(project.folder) == [0.9, 0.9]


@pytest.mark.parametrize(("skills", "skill"), [([1.0, 1.0, 0.0], 1.0), ([0.4], 0.4)])
def test_of_equal_ones_the_latest(project, skills, skill):
    project.write(
        LEAVING.replace("{plugin: leaving}", f"{{plugin: leaving, skills: {skills}}}").replace(
            "rounds: 2", "rounds: 1"
        )
    )
    result = project.inside("iterate", "--json")
    assert kept(project.folder) == [skill]
    log = next(project.folder.glob(".harness/artifacts/train/*/log.jsonl")).read_text()
    assert f'"kept":true,"step":{2 if len(skills) > 1 else 1}' in log
    (note,) = [note for note in result.document["notes"] if "the checkpoint after" in note]
    assert ("chance alone would lift" in note) is (len(skills) > 1)


def test_a_closed_round_stands_where_nothing_but_its_checkpoint_is_left(project):
    project.write(LEAVING)
    first = project.inside("iterate", "--json")
    for stage in ("train steps", "generate valid", "score valid"):
        folder = project.folder / ".harness" / "artifacts" / stage
        assert folder.is_dir()
        folder.rename(project.folder / stage)
    again = project.inside("iterate", "--json")
    assert again.code == 0, again.err
    assert not (project.folder / ".harness" / "artifacts" / "train steps").exists()
    assert again.document["rounds"] == first.document["rounds"]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"valid: 0.2": "valid: 0"}, 2, ("train.by", "there are none", "valid: 0.2")),
        ({"{plugin: leaving}": "{plugin: leaving, leaves: false}"}, None, ("nothing in steps/",)),
        ({"{plugin: leaving}": "{plugin: leaving, rows: 0}"}, None, ("choice()", "3 checkpoints")),
    ],
)
def test_what_leaves_no_choice_is_said(project, changes, code, words):
    text = LEAVING
    for old, new in changes.items():
        text = text.replace(old, new)
    project.write(text)
    result = project.inside("iterate", "--json")
    assert result.code == code if code else result.code, result.err
    for word in words:
        assert word in result.err
