"""``harness export --to inspect``: what is written is a log that is read, by us as well.

That Inspect itself reads it: benchmarks/interop.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness import Example, Prediction
from harness_transformers.export.inspect_log import _sample
from tests.support.project import Project


@pytest.fixture
def run(finished: Any) -> tuple[Project, dict[str, Any]]:
    project, result = finished
    return project, result.document


def exported(project: Project, *arguments: str) -> dict[str, Any]:
    done = project.inside("export", "--to", "inspect", *arguments)
    assert done.code == 0, done.err
    path = project.folder / arguments[arguments.index("-o") + 1]
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_the_log_has_answers_and_scores_of_the_best_round(run: Any, tmp_path: Any) -> None:
    project, result = run
    target = str(tmp_path / "best.json")
    log = exported(project, "-o", target)
    best = result["rounds"][result["kept_round"]]
    assert log["eval"]["metadata"]["round"] == result["kept_round"]
    assert log["results"]["total_samples"] == len(log["samples"]) == best["scores"]["overlap"]["n"]
    score = {entry["name"]: entry for entry in log["results"]["scores"]}["overlap"]
    assert score["metrics"]["value"]["value"] == best["scores"]["overlap"]["value"]
    mean = sum(sample["scores"]["overlap"]["value"] for sample in log["samples"])
    assert mean / len(log["samples"]) == pytest.approx(score["metrics"]["value"]["value"])


def test_score_compares_logs_of_two_rounds(run: Any, tmp_path: Any) -> None:
    project, result = run
    logs = [str(tmp_path / name) for name in ("0.json", "1.eval")]
    for number, path in enumerate(logs):
        command = ("export", "--to", "inspect", "--round", str(number), "-o", path)
        assert project.inside(*command).code == 0
    files = ("-p", logs[1], "-b", logs[0])
    done = project.inside("score", *files, "-m", "exact", "--json")
    again = project.inside("score", "--run", result["run"], "-m", "exact", "--json")
    for number in (0, 1):
        value = done.document["systems"][logs[number]]["metrics"]["exact"]
        own = again.document["systems"][f"round {number}"]["metrics"]["exact"]
        assert (value["value"], value["low"], value["n"]) == (own["value"], own["low"], own["n"])


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["-o", "log"], 2, "end in .eval"),
        (["-o", "log.json", "--merge"], 2, "exports no model"),
        (["-o", "missing/log.json"], 2, "folder"),
        (["-o", "log.json", "--round", "77"], 4, "77"),
    ],
)
def test_what_cannot_be_written_is_refused(
    run: Any, words: list[str], code: int, reason: str
) -> None:
    project, _ = run
    done = project.inside("export", "--to", "inspect", *words)
    assert done.code == code and reason in done.err, done.err
    assert not (project.folder / "log.json").exists()


def test_calls_of_tools_and_cut_answers() -> None:
    call = {"type": "function", "function": {"name": "find", "arguments": {"q": "x"}}}
    example = Example(
        "a",
        (
            {"role": "user", "content": "Find x."},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": "x is here", "tool_call_id": "1"},
        ),
        ("Here.", "There."),
        "dev",
        group="g",
    )
    sample = _sample(example, Prediction("a", "He", "length", 5, 2), {}, "harness/model")
    assert sample["input"][1]["tool_calls"] == [
        {"id": "call-1-0", "function": "find", "arguments": {"q": "x"}, "type": "function"}
    ]
    assert sample["target"] == ["Here.", "There."] and sample["metadata"] == {"group": "g"}
    assert sample["output"]["choices"][0]["stop_reason"] == "max_tokens"
    assert sample["output"]["usage"]["total_tokens"] == 7 and sample["scores"] == {}
