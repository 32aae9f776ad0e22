"""``harness demo teacher``: its task, its toy model, its server, and the whole walk."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import httpcore2
import pytest
from rich.console import Console

import harness
from harness_demo import toy, units
from harness_demo.standin import StandIn
from harness_demo.teacher_screen import document, show
from harness_demo.walk import Walk, walk
from tests.support.project import Project

ROWS = list(units.rows(7))


def test_no_prompt_stands_in_two_splits_and_rare_kinds_are_rare():
    prompts = [row["messages"][0]["content"] for row in ROWS]
    assert len(set(prompts)) == len(prompts) and list(units.rows(7)) == ROWS
    assert [row["references"] for row in ROWS] == [[units.right(prompt)] for prompt in prompts]
    train = [row["meta"]["kind"] for row in ROWS if row["split"] == "train"]
    assert {kind: train.count(kind) for kind in units.RARE} == dict.fromkeys(units.RARE, units.FEW)
    assert units.right("Convert 3 weeks to days.") == "21"
    with pytest.raises(ValueError, match="no amount"):
        units.right("How are you?")


def test_the_teacher_is_wrong_as_often_as_is_said():
    draw = random.Random(1)
    prompts = [f"{draw.randint(2, 10**6)} hours in minutes?" for _ in range(3_000)]
    first, second = ([units.answered(text, seed) for text in prompts] for seed in (1, 2))
    wrong = [one != units.right(text) for one, text in zip(first, prompts, strict=True)]
    assert sum(wrong) / len(wrong) == pytest.approx(units.WRONG, abs=0.03)
    same = [bad and one == two for bad, one, two in zip(wrong, first, second, strict=True)]
    assert sum(same) / sum(wrong) == pytest.approx(units.STUCK, abs=0.06)


def test_the_toy_model_is_as_good_as_its_rows(tmp_path):
    def row(prompt, answer):
        return harness.Example(prompt, ({"role": "user", "content": prompt},), (answer,), "train")

    rows = [row("2 hours in minutes?", "120"), row("5 hours in minutes?", "300"),
            row("3 hours in minutes?", "7"), row("Convert 2 weeks to days.", "9")]  # fmt: skip
    context = harness.Context(tmp_path)
    base = toy.Toy().fetch(context)
    trained = toy.ToyTrainer().train(base, rows, [], context)
    asked = [row(text, "") for text in (
        "4 hours in minutes?", "Convert 4 weeks to days.", "Express 4 weeks as days."
    )]  # fmt: skip
    said = [one.text for one in toy.ToyGenerator().generate(trained, asked, context)]
    assert said == ["240", "18", toy.UNKNOWN]
    assert {one.text for one in toy.ToyGenerator().generate(base, asked, context)} == {toy.UNKNOWN}


def test_the_server_answers_as_the_api_does():
    with StandIn(lambda messages, seed: f"{messages[-1]['content']} {seed}") as server:
        body = {"messages": [{"role": "user", "content": "Hallo"}], "seed": 5}
        sent = json.dumps(body).encode()
        response = httpcore2.request("POST", f"{server.url}/chat/completions", content=sent)
    reply = json.loads(response.content)
    assert reply["choices"][0]["message"]["content"] == "Hallo 5"
    assert reply["usage"] == {"prompt_tokens": 2, "completion_tokens": 2}


@pytest.fixture(scope="module")
def walked() -> Walk:
    return walk(7)


@pytest.mark.nightly
def test_the_rows_help_and_few_wrong_ones_are_left(walked):
    found = json.loads(json.dumps(document(walked), allow_nan=False))
    assert found["scores"][2] > found["scores"][1] + 0.1 and found["control"]["low"] > 0
    wrong = {side: found[side]["wrong"] / found[side]["rows"] for side in ("written", "added")}
    assert wrong["written"] > 0.1 > wrong["added"]
    planned = {item["slice"] for item in found["plan"]}
    assert {f"kind = {kind}" for kind in units.RARE} <= planned


@pytest.mark.nightly
@pytest.mark.parametrize("width", [50, 80, 160])
def test_the_walk_fits_the_terminal(walked, width):
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    show(walked, console)
    shown = console.file.getvalue()
    assert all(len(line) <= width for line in shown.splitlines())
    assert shown.rstrip().endswith("next: harness docs teacher")
    assert "refused: verify: agree 3" in " ".join(shown.split())


@pytest.mark.nightly
def test_the_command_leaves_nothing_behind(tmp_path):
    done = Project(tmp_path).inside("demo", "teacher", "--json")
    assert done.code == 0 and done.document["added"]["rows"] > 40
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_word_behind_demo_is_a_usage_error(tmp_path: Path):
    assert Project(tmp_path).inside("demo", "pupil").code == 2
