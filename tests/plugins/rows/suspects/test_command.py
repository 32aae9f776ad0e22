"""``harness data suspects``: what it ranks, writes and goes on with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import CONFIG, FAKES, SUPPORT, Project

LOSING = (
    CONFIG.replace(f"[{FAKES}]", f"[{FAKES}, {SUPPORT / 'losing.py'}]")
    .replace("generate: {plugin: fake}", "generate: {plugin: losing}")
    .replace("data: {source: fake}", "data: {source: jsonl, path: rows}")
)
KINDS = ("billing", "delivery", "returns")
Row = dict[str, Any]


def row(number: int, prompt: str, answer: str, split: str = "train") -> Row:
    turn = {"role": "user", "content": prompt}
    return {"id": f"{split}-{number}", "messages": [turn], "references": [answer], "split": split}


def told(number: int, split: str = "train") -> Row:
    """A row whose answer is in its prompt."""
    words = " ".join(f"{split}{number}{letter}" for letter in "abcdef")
    return row(number, f"repeat {split}: {words}", words, split)


def labelled(number: int, split: str = "train") -> Row:
    kind = KINDS[number % 3]
    return row(number, f"about {kind} : message {split}{number} of mine", kind, split)


def placed(project: Project, make: Any, wrong: dict[int, str]) -> Project:
    """The project with 60 rows of train, of which these have another answer."""
    folder = project.folder / "rows"
    folder.mkdir()
    for split, size in (("train", 60), ("pool", 4), ("dev", 10), ("test", 10)):
        rows = [make(number, split) for number in range(size)]
        if split == "train":
            for number, answer in wrong.items():
                rows[number]["references"] = [answer]
        text = "".join(json.dumps(one) + "\n" for one in rows)
        (folder / f"{split}.jsonl").write_text(text, encoding="utf-8")
    project.write(LOSING)
    return project


@pytest.fixture
def texts(project: Project) -> Project:
    others = {number: told(number + 20)["references"][0] for number in (3, 8, 21)}
    return placed(project, told, others)


@pytest.fixture
def labels(project: Project) -> Project:
    return placed(project, labelled, {number: KINDS[(number + 1) % 3] for number in (4, 30)})


def lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_answers_of_other_rows_stand_first(texts: Project) -> None:
    done = texts.inside("data", "suspects", "-o", "look.jsonl", "--share", "0.1", COLUMNS="80")
    assert done.code == 0, done.err
    written = lines(texts.folder / "look.jsonl")
    assert len(written) == 6 and [line["rank"] for line in written] == [1, 2, 3, 4, 5, 6]
    assert {line["id"] for line in written[:3]} == {"train-3", "train-8", "train-21"}
    first = written[0]
    assert first["score"] > written[3]["score"] and first["likelier"] == ""
    assert first["prompt"].startswith("repeat train: ") and first["reason"]
    assert max(map(len, done.out.splitlines())) <= 80
    assert "What is rare looks like what is wrong" in " ".join(done.out.split())
    assert "6 rows of 60 to be looked at." in done.out
    assert (texts.folder / "rows/train.jsonl").read_text().count("\n") == 60
    # A run of which no round is closed has nothing to be made again.
    report = texts.inside("report")
    assert report.code == 2 and "there is no run in this folder yet" in report.err


def test_of_labels_the_likelier_one_is_named(labels: Project) -> None:
    done = labels.inside("data", "suspects", "--json", "--folds", "2")
    assert done.code == 0, done.err
    assert done.document["answers"] == "labels" and done.document["labels"] == list(KINDS)
    assert len(done.document["suspects"]) == 12
    for line in done.document["suspects"][:2]:
        assert line["likelier"] in line["prompt"] and line["likelier"] != line["answer"]
        assert f"'{line['likelier']}' is likelier" in line["reason"] and line["score"] > 0.9
    assert {line["likelier"] for line in done.document["suspects"][2:]} == {""}


def test_rows_that_contradict_each_other_are_listed_beside(labels: Project) -> None:
    path = labels.folder / "rows/train.jsonl"
    again = labelled(7) | {"id": "again", "references": ["delivery or returns"]}
    rows = [*lines(path), again]
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    done = labels.inside("data", "suspects", "--json", "--share", "0.03")
    found = {line["id"]: line for line in done.document["suspects"]}
    assert done.document["conflicts"] == 2
    assert found["again"]["conflicts"] == ["train-7"]
    assert found["train-7"]["conflicts"] == ["again"]
    assert "the same prompt as again, and another answer" in found["train-7"]["reason"]
    assert [line["rank"] for line in done.document["suspects"]] == [*range(1, len(found) + 1)]


@pytest.mark.nightly
def test_a_second_call_goes_on_where_the_first_was_killed(texts: Project) -> None:
    kills = str(texts.folder / "kills")
    calls = ("data", "suspects", "--json", "--folds", "2")
    ends = [texts.harness(*calls, FAKE_KILLS=kills) for _ in range(5)]
    # In the middle of each training and of each reading, once; what was done is not done again.
    assert [end.code for end in ends] == [-9, -9, -9, -9, 0]
    made = texts.manifests()
    assert texts.inside(*calls).document == ends[-1].document and texts.manifests() == made
    first = {line["id"] for line in ends[-1].document["suspects"][:3]}
    assert first == {"train-3", "train-8", "train-21"}


def test_parts_are_held_out_side_by_side(texts: Project) -> None:
    alone = texts.inside("data", "suspects", "--json")
    shutil.rmtree(texts.folder / ".harness")
    beside = texts.inside("data", "suspects", "--json", "--set", "execution.workers=3")
    assert beside.code == 0, beside.err
    assert beside.document == alone.document


def test_what_cannot_be_done_is_said_before_anything_is_trained(texts: Project) -> None:
    (texts.folder / "there.jsonl").write_text("", encoding="utf-8")
    there = texts.inside("data", "suspects", "-o", "there.jsonl")
    assert there.code == 2 and "this file is there already" in there.err
    both = texts.inside("data", "suspects", "harness.yaml", "-c", "harness.yaml")
    assert both.code == 2 and "one only" in both.err
    texts.write(LOSING.replace("{plugin: losing}", "{plugin: fake}"))
    unable = texts.inside("data", "suspects")
    assert unable.code == 2 and "has no answer_losses()" in unable.err
    path = texts.folder / "rows/train.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:15]) + "\n", encoding="utf-8")
    few = texts.inside("data", "suspects")
    assert few.code == 4 and "train has 15 rows" in few.err


def test_texts_of_rows_are_shown_as_they_are(texts: Project) -> None:
    path = texts.folder / "rows/train.jsonl"
    rows = lines(path)
    rows[3]["references"] = ["[bold]no[/bold] \x1b[31mred\x1b[0m " + "x" * 300]
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    done = texts.inside("data", "suspects", COLUMNS="80")
    assert done.code == 0, done.err
    assert "[bold]no[/bold]" in done.out and "\x1b[31m" not in done.out
    assert max(map(len, done.out.splitlines())) <= 80
