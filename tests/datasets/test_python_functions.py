"""The short functions with tests keep the promises of their README."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from harness.kit import yaml_file
from harness_sandbox.sandboxes import Sandbox
from tests.plugins.sandbox.conftest import bubblewrap as bubblewrap
from tests.support.project import FAKES, Project

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import python_functions

FOLDER = Path(__file__).parents[2] / "datasets" / "python-functions"
SPLITS = ("train", "pool", "dev", "test")
ROWS: dict[str, list[dict[str, Any]]] = {
    split: [json.loads(line) for line in (FOLDER / f"{split}.jsonl").read_bytes().splitlines()]
    for split in SPLITS
}
EVERYTHING = [row for rows in ROWS.values() for row in rows]
README = (FOLDER / "README.md").read_text(encoding="utf-8")
RARE = {"dates", "tables"}


def code(row: dict[str, Any]) -> str:
    (reference,) = row["references"]
    return str(reference).removeprefix("```python\n").removesuffix("\n```")


def passes(source: str, tests: str) -> bool:
    try:
        exec(f"{source}\n{tests}", {})
    except Exception:
        return False
    return True


def test_rows_and_templates_are_apart() -> None:
    assert len({row["id"] for row in EVERYTHING}) == len(EVERYTHING)
    assert len({row["messages"][-1]["content"] for row in EVERYTHING}) == len(EVERYTHING)
    groups = {split: {row["group"] for row in ROWS[split]} for split in SPLITS}
    assert not any(groups[one] & groups[other] for one, other in combinations(SPLITS, 2))
    kinds = {split: Counter(row["meta"]["kind"] for row in ROWS[split]) for split in SPLITS}
    assert {kind for kind, count in kinds["train"].items() if count == 3} == RARE
    assert set(kinds["dev"].values()) == {20} and set(kinds["test"].values()) == {16}


def test_each_reference_passes_its_tests() -> None:
    assert [row["id"] for row in EVERYTHING if not passes(code(row), row["meta"]["tests"])] == []


@pytest.mark.nightly
def test_hardly_another_function_passes() -> None:
    alike = defaultdict(list)
    for row in EVERYTHING:
        alike[row["meta"]["kind"], row["group"].partition(",")[0]].append(row)
    # Of one name, so that no answer fails for its name alone.
    pairs = [(a, b) for rows in alike.values() for a in rows for b in rows if code(a) != code(b)]
    wrong = sum(passes(code(other), row["meta"]["tests"]) for row, other in pairs)
    assert f"Of {len(pairs):,} pairs" in README and f"{wrong} pass ({wrong / len(pairs):.1%}" in (
        README.replace(" %", "%")
    )


def test_no_constant_passes() -> None:
    for body in ["None", "0", "[]", "''", "x"]:
        for row in EVERYTHING:
            name = row["meta"]["tests"].removeprefix("assert ").partition("(")[0]
            assert not passes(f"def {name}(x): return {body}", row["meta"]["tests"]), row["id"]


def test_some_references_are_what_their_words_say() -> None:
    """Worked out by hand, from the prompts alone."""
    tables = "apple;3;20\nbread;9;7\ncat;1;8"
    for kind, name, words, given, expected in (
        ("numbers", "squares", "odd numbers", [1, 2, -3], 10),
        ("words", "backwards", "words that start with 'd'", "dog Dora dip", ["god", "pid"]),
        ("letters", "places", "digits", "a1b22", [1, 3, 4]),
        ("prices", "highest", "cost an even amount", {"a": 4, "b": 9, "c": 6}, 6),
        ("dates", "written", "fall on a weekend", ["2024-12-31", "2024-12-29"], ["29.12.2024"]),
        ("tables", "value", "cost less than 10", tables, 71),
    ):  # fmt: skip
        source = python_functions.source(kind, name, words)
        assert python_functions.called(source, name, given) == expected, (kind, name)


@pytest.mark.nightly
def test_the_same_seed_writes_the_same_rows(tmp_path: Path) -> None:
    python_functions.main(tmp_path)
    for split in SPLITS:
        assert (tmp_path / f"{split}.jsonl").read_bytes() == (
            FOLDER / f"{split}.jsonl"
        ).read_bytes()


_LEARNER = """
import json, pathlib, harness


class Learner(harness.Generator):
    \"\"\"Right once something was trained; before, it has another name for each function.\"\"\"

    name = "learner"

    def generate(self, checkpoint, examples, context):
        lines = [l for f in pathlib.Path("{folder}").glob("*.jsonl") for l in f.open()]
        right = {{row["id"]: row["references"][0] for row in map(json.loads, lines)}}
        for row in examples:
            text = right[row.id]
            text = text if checkpoint.kind == "adapter" else text.replace("def ", "def my_")
            yield harness.Prediction(row.id, text, "stop", 8, 8)


@harness.hookimpl
def register_generators():
    return [Learner]
"""


@pytest.mark.nightly
def test_the_experiment_walks_on_a_few_rows(project: Project, bubblewrap: Sandbox) -> None:
    """The shipped config and its sandbox; model, training and answers are fakes."""
    for split in SPLITS:
        lines = (FOLDER / f"{split}.jsonl").read_text("utf-8").splitlines(keepends=True)
        (project.folder / f"{split}.jsonl").write_text("".join(lines[:8]), "utf-8")
    (project.folder / "learner.py").write_text(_LEARNER.format(folder=project.folder), "utf-8")
    config = yaml_file.read(FOLDER / "harness.yaml")[0] | {
        "rounds": 1, "plugins": [str(FAKES), "learner.py"], "model": {"source": "fake"},
        "train": {"plugin": "fake"}, "generate": {"plugin": "learner"},
        "execution": {"launcher": "inline"}, "probes": [],
    }  # fmt: skip
    project.write(json.dumps(config))
    done = project.inside("iterate", "--no-test", "--json")
    assert done.code == 0, done.err
    before, after = done.document["rounds"]
    assert (before["scores"]["executes"]["value"], after["scores"]["executes"]["value"]) == (0, 1)
    assert before["errors"] == {"fails its tests": 8} and not after["errors"]


def test_the_readme_counts_what_is_there() -> None:
    for kind in {row["meta"]["kind"] for row in EVERYTHING}:
        counts = [sum(row["meta"]["kind"] == kind for row in ROWS[split]) for split in SPLITS]
        assert f"| {' | '.join(map(str, [*counts, sum(counts)]))} |" in _line(kind)
    groups = [len({row["group"] for row in ROWS[split]}) for split in SPLITS]
    assert f"| {' | '.join(map(str, [*groups, sum(groups)]))} |" in _line("templates")


def _line(name: str) -> str:
    (line,) = re.findall(rf"^\| {name} .*$", README, re.MULTILINE | re.IGNORECASE)
    return str(line)
