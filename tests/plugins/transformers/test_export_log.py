"""``harness export --to``: a log for Inspect, and a task for lm-evaluation-harness.

That these programs read what is written: benchmarks/interop.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness import DataError, Example, Prediction
from harness.kit import yaml_file
from harness_transformers.export import lm_eval_task
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


def test_rows_of_dev_are_a_task_of_lm_eval(run: Any, tmp_path: Any) -> None:
    project, result = run
    done = project.inside("export", "--to", "lm-eval", "-o", str(tmp_path / "task"))
    assert done.code == 0 and done.out.startswith("cd ") and result["run"] in done.out
    task, _ = yaml_file.read(tmp_path / "task" / "task.yaml")
    assert task["task"] == result["run"] and task["generation_kwargs"]["until"] == []
    lines = (tmp_path / "task" / "dev.jsonl").read_text().splitlines()
    documents = [json.loads(line) for line in lines]
    best = result["rounds"][result["kept_round"]]
    assert len(documents) == best["scores"]["overlap"]["n"]
    assert set(documents[0]) == {"id", "system", "prompt", "references"}
    again = project.inside("export", "--to", "lm-eval", "-o", str(tmp_path / "task"))
    assert again.code == 2


def test_a_row_that_is_no_question_is_no_task(tmp_path: Any) -> None:
    user = {"role": "user", "content": "{{ Why }}?"}
    system, answer = {"role": "system", "content": "S"}, {"role": "assistant", "content": "So."}
    rows = [Example("a", (system, user), ("x", "y")), Example("b", (user,))]
    assert lm_eval_task.write(tmp_path, "t", rows, {"generate": {"max_new_tokens": 8}}) == 1
    (document,) = map(json.loads, (tmp_path / "dev.jsonl").read_text().splitlines())
    assert (document["system"], document["prompt"]) == ("S", "{{ Why }}?")
    task, _ = yaml_file.read(tmp_path / "task.yaml")
    assert task["generation_kwargs"]["max_gen_toks"] == 8
    with pytest.raises(DataError, match="user, assistant, user"):
        lm_eval_task.write(tmp_path, "t", [Example("c", (user, answer, user), ("x",))], {})
    with pytest.raises(DataError, match="no row of dev has a reference"):
        lm_eval_task.write(tmp_path, "t", rows[1:], {})
