"""Databases of runs that never were, and the openings of the test set that a folder counts."""

from __future__ import annotations

import json

from harness.database.contents import RunContents
from harness.database.writing import build
from harness.records import Example, RoundResult, Score, Verdict


def openings(project) -> list[str]:
    path = project.folder / ".harness" / "test-openings.jsonl"
    lines = map(json.loads, path.read_text().splitlines())
    return [line["run"] for line in lines if "run" in line]


def planted(folder, examples, answers, *, diagnoses=(), later=(), rounds=(), added=()) -> None:
    build(folder / "run.duckdb", RunContents(
        "planted", "f1", 0, rounds=rounds or [closed(0, "baseline", True)], examples=examples,
        answers=answers, added={"main": added},
        diagnoses={("main", number): found for number, found in enumerate([diagnoses, *later])},
    ))  # fmt: skip
    (folder / "summary.json").write_text("{}")


def closed(number, label, kept):
    verdict = Verdict(label, "round 0", 0.1, 0.0, 0.2, 0.95, 0.1, "s")
    return RoundResult("main", number, 1, {"f1": Score("f1", 0.5, 0, 1, 1, 0, "f1")}, verdict, kept)


def row(name, split="train", text="a question", **more):
    return Example(name, ({"role": "user", "content": text},), ("an answer",), split, **more)
