"""What the docs and the labelled answers say of the detectors still holds."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from harness.kit.terms import shown
from harness.records import Example, Prediction, ScoredExample
from harness_detectors import Basic
from harness_detectors.basic import CATEGORIES
from harness_detectors.rules import ELSEWHERE, MISSING

ROOT = Path(__file__).resolve().parents[3]
LABELS = ROOT / "datasets" / "detector-labels" / "outputs.jsonl"
ROWS = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").split("\n") if line]


def table(page: str, heading: str) -> dict[str, str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    part = text.split(f"## {heading}\n", 1)[1].split("\n## ")[0]
    cells = re.findall(r"^\| ([^|]*) \| ([^|]*) \|$", part, re.MULTILINE)
    return {first: second for first, second in cells if first not in ("category", "label", "field")}


def test_the_page_names_each_category_and_prints_its_definition():
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    defined = table("docs/errors.md", "The categories")
    for name, definition in Basic().categories().items():
        word = shown("category", name)
        assert f"*{word}*" in page
        assert defined[f"`{name}`" if word == name else f"{word} (`{name}`)"] == definition


def test_the_labels_are_kinds_that_the_readme_defines():
    used = {label for row in ROWS for label in row["labels"]}
    defined = table("datasets/detector-labels/README.md", "Labels")
    assert used <= set(defined)
    unlabelled = {"near copy of a training row", "unfinished", "missing item"}
    undetected = {"contradiction"}
    assert set(defined) == set(CATEGORIES) - unlabelled | undetected


def test_the_labelled_answers_are_as_the_readme_says():
    states = Counter((row["task"], row["state"]) for row in ROWS)
    text = (ROOT / "datasets" / "detector-labels" / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| ([\w\- ]+) \| ([\w\-, ]+) \| (\d+) \|", text, re.MULTILINE)
    assert {(task, state): int(n) for task, state, n in told} == states
    assert Counter(row["half"] for row in ROWS) == {"tuning": 207, "held-out": 207}
    assert len({row["id"] for row in ROWS}) == len(ROWS) == 414
    prompts: dict[str, str] = {}
    for row in ROWS:
        prompt = json.dumps(row["messages"])
        assert prompts.setdefault(prompt, row["half"]) == row["half"]


def test_the_rules_agree_with_the_labels_that_they_were_written_on():
    right, wrong, detector = Counter[str](), Counter[str](), Basic()
    for row in ROWS:
        if row["half"] != "tuning":
            continue
        example = Example(row["id"], tuple(row["messages"]), tuple(row["references"]), "dev")
        answer = Prediction(row["id"], row["answer"], row["finish_reason"])
        found = {label.category for label in detector.detect(ScoredExample(example, answer, {}))}
        labels = set(row["labels"])
        if found & ELSEWHERE:  # the labels say what such answers miss as well
            labels -= MISSING
        right.update(found & labels)
        wrong.update(found ^ labels)
    # Names of the question were labelled, too.
    assert right["missing name"] >= 0.85 * (right["missing name"] + wrong["missing name"])
    for kind in set(right) - {"missing name"}:
        assert right[kind] >= 0.9 * (right[kind] + wrong[kind]), kind
