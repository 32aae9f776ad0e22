"""The shipped recipes: what they hold, and that a run of them works."""

from __future__ import annotations

import json

import pytest

import harness
from harness_rows.initial.recipes import RECIPES
from tests.support.project import FAKES

NAMES = [recipe.name for recipe in RECIPES]


def rows_of(name):
    path = harness.shipped(f"datasets/recipes/{name}.jsonl")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("name", NAMES)
def test_sixty_rows_without_a_repeat(name):
    rows = rows_of(name)
    assert len(rows) == 60
    for key in ("messages", "input", "text", "document", "summary"):
        found = [json.dumps(row[key]) for row in rows if key in row]
        assert len(set(found)) == len(found)
    kinds = [row.get("topic") or row.get("kind") or row["label"] for row in rows]
    assert {kinds.count(kind) for kind in kinds} == {12}


def test_what_is_extracted_stands_in_the_note():
    for row in rows_of("extract"):
        fields = json.loads(row["output"])
        assert list(fields) == ["who", "what", "when", "where"]
        assert [v for v in fields.values() if v is not None and v not in row["input"]] == []


@pytest.mark.nightly
@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_passes_check_and_runs(name, empty):
    done = empty.inside("init", "--recipe", name)
    assert done.code == 0, done.err
    assert "rows.jsonl and harness.yaml are written" in done.out
    done = empty.inside("check")
    assert done.code == 0, done.err
    assert "warning" not in done.out
    (empty.folder / "repeating.py").write_text(REPEATING)
    changes = (
        f"plugins=[{FAKES}, repeating.py]", "model={source: fake}", "train={plugin: fake}",
        "generate={plugin: repeating}", "execution.launcher=inline",
    )  # fmt: skip
    sets = [part for change in changes for part in ("--set", change)]
    run = empty.inside("iterate", "--rounds", "1", "--json", *sets)
    assert run.code == 0, run.err
    assert run.document["rounds"]


REPEATING = """
import harness

class Repeating(harness.Generator):
    name = "repeating"

    def generate(self, checkpoint, examples, context):
        for row in examples:
            yield harness.Prediction(row.id, row.prompt[:40], "stop", 8, 8)

@harness.hookimpl
def register_generators():
    return [Repeating]
"""
