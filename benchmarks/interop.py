"""Whether other evaluation programs and ours read each other's files, with the real programs.

None of them is a requirement of harness: each stands in an environment of its own.

    python -m venv /tmp/inspect && /tmp/inspect/bin/pip install inspect_ai pandas pyarrow
    python -m venv /tmp/lm-eval && /tmp/lm-eval/bin/pip install lm_eval
    python benchmarks/interop.py --inspect /tmp/inspect --lm-eval /tmp/lm-eval --run FOLDER

It lets them write results without a model or network and has ``harness score`` read these. What
``harness export`` writes of the latest run in FOLDER is read by them. With ``--keep FOLDER`` the
files stay there: those in tests/plugins/score/logs were made so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROWS = (
    ("Capital of France?", "Paris", "geo"),
    ("Capital of Italy?", "Rome", "geo"),
    ("Author of Faust?", "Goethe", "books"),
)

INSPECT = """
import json, sys, tiktoken

class Bytes:  # tiktoken would load its tables from the network
    def encode(self, text, **_):
        return list(text.encode())

tiktoken.get_encoding = tiktoken.encoding_for_model = lambda name: Bytes()
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.log import write_eval_log
from inspect_ai.model import ModelOutput, get_model
from inspect_ai.scorer import match
from inspect_ai.solver import generate

rows = json.loads(sys.argv[1])
def run(name, right, epochs=1):
    samples = [Sample(id=f"q{n}", input=question, target=answer, metadata={"topic": topic})
               for n, (question, answer, topic) in enumerate(rows, 1)]
    outputs = [ModelOutput.from_content("mockllm/model", answer if n < right else "?")
               for _ in range(epochs) for n, (_, answer, _) in enumerate(rows)]
    task = Task(dataset=samples, solver=generate(), scorer=match(), name="capitals", epochs=epochs)
    model = get_model("mockllm/model", custom_outputs=outputs)
    log, = eval(task, model=model, log_dir="all", display="none", max_samples=1)
    for sample in log.samples:
        sample.events, sample.events_data = [], None  # most of a log, and not read
    write_eval_log(log, name)

run("old.eval", 1)
run("new.eval", 3)
run("new.json", 3)
run("epochs.eval", 2, epochs=2)
"""

READ = """
import json, sys
from inspect_ai.analysis import evals_df, samples_df
from inspect_ai.log import read_eval_log

log = read_eval_log(sys.argv[1])
frame = samples_df(log)
if sys.argv[1].endswith(".eval"):
    assert len(samples_df(sys.argv[1])) == len(frame)
    assert len(evals_df(sys.argv[1])) == 1
header = read_eval_log(sys.argv[1], header_only=True)
assert header.eval.task == log.eval.task and not header.samples
scores = {score.name: score.metrics["value"].value for score in log.results.scores if score.metrics}
columns = [f"score_{name}" for name in scores]
print(json.dumps({"samples": len(log.samples), "rows": len(frame), "scores": scores,
                  "columns": [name for name in columns if name in frame],
                  "answers": {sample.id: sample.output.completion for sample in log.samples}}))
"""

TASK = """task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: rows.jsonl}}}}
test_split: test
output_type: {kind}
doc_to_text: "{{{{question}}}}"
{more}
"""
GENERATE = """doc_to_target: "{{answer}}"
metric_list: [{metric: exact_match}]"""
TASKS = {
    "one": ("generate_until", GENERATE),
    "filters": (
        "generate_until",
        f"{GENERATE}\nfilter_list:\n"
        "  - {name: strict, filter: [{function: take_first}]}\n"
        "  - {name: upper, filter: [{function: uppercase}, {function: take_first}]}",
    ),
    "choice": (
        "multiple_choice",
        "doc_to_choice: [Paris, Rome]\ndoc_to_target: 0\nmetric_list: [{metric: acc}]",
    ),
}


def inspect_logs(environment: Path, folder: Path) -> None:
    """Logs of three samples: two systems, one of them in both formats, and one with epochs."""
    call([environment / "bin/python", "-c", INSPECT, json.dumps(ROWS)], folder)


def exported_log(environment: Path, run: Path, folder: Path) -> None:
    """The log of the latest run of a folder, read by Inspect."""
    log, document = folder / "exported.eval", folder / "exported.json"
    program = Path(sys.executable).with_name("harness").absolute()
    for path in (log, document):
        call([program, "export", "--to", "inspect", "-o", path], run)
    written = json.loads(document.read_text())
    for path in (log, document):
        checked_log(environment, path, written, folder)


def checked_log(environment: Path, log: Path, written: Any, folder: Path) -> None:
    """Compare what Inspect reads with what was written."""
    read = json.loads(call([environment / "bin/python", "-c", READ, log], folder))
    samples, scores = written["samples"], written["results"]["scores"]
    expect(f"Inspect reads so many samples of {log.name}", read["samples"], len(samples))
    expect("and so many rows of a data frame", read["rows"], len(samples))
    values = {score["name"]: score["metrics"]["value"]["value"] for score in scores}
    expect("with the scores", read["scores"], values)
    scored = {name for sample in samples for name in sample["scores"]}
    expect("and their columns", set(read["columns"]), {f"score_{name}" for name in scored})
    answers = {sample["id"]: sample["output"]["completion"] for sample in samples}
    expect("and the answers as they are", read["answers"] == answers, True)


def lm_eval_samples(environment: Path, folder: Path) -> None:
    """Samples of three tasks, answered by the model ``dummy``."""
    tasks = folder / "tasks"
    tasks.mkdir()
    names = ("question", "answer", "topic")
    lines = (json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in ROWS)
    (folder / "rows.jsonl").write_text("".join(lines))
    for name, (kind, more) in TASKS.items():
        (tasks / f"{name}.yaml").write_text(TASK.format(name=name, kind=kind, more=more))
    program = [environment / "bin/lm_eval", "run", "--model", "dummy", "--tasks", ",".join(TASKS)]
    call([*program, "--include_path", "tasks", "--log_samples", "--output_path", "out"], folder)
    for name in TASKS:
        (samples,) = folder.glob(f"out/*/samples_{name}_*.jsonl")
        samples.rename(folder / f"samples_{name}.jsonl")


def exported_task(environment: Path, run: Path, folder: Path) -> None:
    """The task of the latest run's rows, carried out by lm_eval with the model ``dummy``."""
    task = folder / "task"
    program = Path(sys.executable).with_name("harness").absolute()
    call([program, "export", "--to", "lm-eval", "-o", task], run)
    rows = [json.loads(line) for line in (task / "dev.jsonl").read_text().splitlines()]
    rows[0]["references"] = ["other", "lol"]  # the dummy's answer, so that one is right
    (task / "dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    name = (task / "task.yaml").read_text().splitlines()[0].removeprefix("task: ")
    command = [environment / "bin/lm_eval", "run", "--model", "dummy", "--tasks", name]
    call([*command, "--include_path", ".", "--log_samples", "--output_path", "out"], task)
    (results,) = task.glob("out/*/results_*.json")
    own = json.loads(results.read_text())["results"][name]["exact_match,none"]
    expect("lm_eval carries out the task", own, 1 / len(rows))
    (samples,) = task.glob("out/*/samples_*.jsonl")
    expect("score finds the same", score(task, "-p", str(samples), "-m", "exact")["exact"], own)


def call(command: list[str | Path], folder: Path) -> str:
    """Run a program, quietly; raises SystemExit with what it said where it fails."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def score(folder: Path, *arguments: str) -> dict[str, float]:
    """Score -> value, of ``harness score --json``."""
    command = [Path(sys.executable).with_name("harness"), "score", *arguments, "--json"]
    document = json.loads(call(command, folder))
    return {name: entry["value"] for name, entry in document["metrics"].items()}


def expect(what: str, value: object, expected: object) -> None:
    """Print a check; raises SystemExit where it fails."""
    if value != expected:
        raise SystemExit(f"{what}: {value}, not {expected}")
    print(f"{what}: {value}")


def main() -> None:
    """Make, read, compare; prints a line for each check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inspect", type=Path, help="an environment with inspect_ai")
    parser.add_argument("--lm-eval", type=Path, help="an environment with lm_eval")
    parser.add_argument("--run", type=Path, help="a folder in which a run lies")
    parser.add_argument("--keep", type=Path, help="a folder where the files stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = options.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        folder = folder.resolve()
        if options.inspect:
            inspect_logs(options.inspect.absolute(), folder)
            for new in ("new.eval", "new.json"):
                values = score(folder, "-p", new, "-b", "old.eval", "-m", "exact")
                expect(f"score reads Inspect's {new}", values, {"exact": 1.0})
            values = score(folder, "-p", "epochs.eval", "-m", "exact")
            expect("score reads epochs", values, {"exact": 2 / 3})
            if options.run:
                exported_log(options.inspect.absolute(), options.run, folder)
        if options.lm_eval:
            lm_eval_samples(options.lm_eval.absolute(), folder)
            for source in ("samples_one.jsonl", "samples_filters.jsonl:upper"):
                values = score(folder, "-p", source, "-m", "exact")
                expect(f"score reads lm_eval's {source}", values, {"exact": 0.0})
            if options.run:
                exported_task(options.lm_eval.absolute(), options.run, folder)


if __name__ == "__main__":
    main()
