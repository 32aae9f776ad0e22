"""What rows of a teacher bring to the next round, and which wrong rows its checks find.

    python benchmarks/teacher.py checks
    nice python benchmarks/teacher.py rounds [--tasks python-questions] [--seeds 1 2]
    python benchmarks/teacher.py show

The teacher is a server whose answers are computed (``teacher_answers.py``), so that it is known of
each row whether it is right, and answers are made wrong on purpose. In python-questions it writes
new rows, about functions of installed packages; in library-desk it answers prompts of the pool.

``checks`` trains nothing: rows are proposed through the real augmenter, and each entry of
``verify`` says which pass. ``rounds`` trains: of each task and seed round 1 once, then round 2 on
the rows of round 1 and

* pool: as many rows of the pool, with the answers that it has;
* teacher: rows of a teacher that is wrong in a fifth of its answers, of which a quarter are the
  same wrong answer each time, verified by ``{agree: 3}``;
* unverified: rows of the same teacher as it writes them.

Rows are targeted in all three. No rows at all is round 1 itself. The test set stays sealed. Each
run is a line of the record; lines that stand there are not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from loop import machine, measure
from scipy.stats import t as student
from teacher_answers import Desks, Errors, Functions

import harness
from harness import Dataset, Example, PlanItem
from harness_demo.standin import StandIn

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "benchmarks" / "recorded" / "teacher.jsonl"
WORK = ROOT / "reports" / "teacher"
SEEDS = (1, 2, 3)
"""Fixed before the first of these runs."""
BEFORE, POOL, TEACHER, UNVERIFIED = "round 1", "pool", "teacher", "unverified"
ARMS = (BEFORE, POOL, TEACHER, UNVERIFIED)
ERRORS = Errors(0.2, 0.25)
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Task:
    """An experiment, and what its teacher does.

    Attributes:
        rows: budget of rows added after round 1.
        draws: whether another seed draws other rows as well.
    """

    config: str
    rows: int
    mode: str
    draws: bool = False

    def brain(self) -> Functions | Desks:
        if self.mode == "write":
            return Functions()
        folder = (ROOT / self.config).parent
        return Desks([folder / "pool.jsonl", folder / "train.jsonl"])


TASKS = {
    "python-questions": Task("harness.yaml", 40, "write", draws=True),
    "library-desk": Task("datasets/library-desk/harness.yaml", 30, "answer"),
}


# -- rounds ---------------------------------------------------------------------------------


def carry_out(name: str, seed: int, arm: str, folder: Path) -> Record:
    """One run in a folder that the arms of a seed share; its line of the record.

    Raises:
        SystemExit: the run failed.
    """
    task = TASKS[name]
    brain = task.brain()
    with StandIn(lambda messages, number: brain.says(messages, number, ERRORS)) as server:
        sets = [f"seed={seed}", "baselines=[]", "replay=0", "probes=[]"]
        sets += [f"data.draw={seed}"] if task.draws else []
        sets += [f"rounds={1 if arm == BEFORE else 2}"]
        sets += [f"augment={json.dumps([_augmenter(task, arm, server.url)])}"]
        words = [word for text in sets for word in ("--set", text)]
        done = measure(
            ["iterate", "-c", str(ROOT / task.config), "--no-test", "--json", *words], folder
        )
    summary = json.loads(done.out)
    last = summary["rounds"][-1]
    database = folder / "reports" / summary["run"] / "run.duckdb"
    values = harness.query(
        database,
        "SELECT o.id, e.group_id, o.value FROM outcomes o JOIN examples e USING (id) WHERE "
        f"o.arm = 'main' AND o.split = 'dev' AND o.round = {last['round']} ORDER BY o.id",
    ).rows
    line = {
        "task": name, "seed": seed, "arm": arm, "seconds": round(done.seconds, 1),
        "score": last["scores"][summary["primary"]]["value"],
        "train_rows": last["train_rows"],
        "values": [round(value, 4) for *_, value in values],
        "dev": [[one, group] for one, group, _ in values] if arm == BEFORE else None,
        "machine": machine() if arm == BEFORE else None,
    }  # fmt: skip
    return line if arm == BEFORE else {**line, **_added(summary, database, brain)}


def _augmenter(task: Task, arm: str, endpoint: str) -> dict[str, Any]:
    if arm in (BEFORE, POOL):
        return {"plugin": "pool", "rows": task.rows}
    verify = [{"agree": 3}] if arm == TEACHER else []
    return {
        "plugin": "teacher", "rows": task.rows, "mode": task.mode, "endpoint": endpoint,
        "model": f"computed, {arm}", "verify": verify, "price": {"in": 1, "out": 4},
    }  # fmt: skip


def _added(summary: Record, database: Path, brain: Functions | Desks) -> dict[str, Any]:
    """The rows that round 2 got: how many are wrong, what they cost, what was refused."""
    found = harness.query(
        database,
        "SELECT prompt, reference, made FROM added WHERE round = 1 AND arm = 'main'",
    )
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    made = [
        json.loads(row["made"]) if isinstance(row["made"], str) else row["made"] for row in rows
    ]
    wrong = sum(
        bool(of) and brain.right(row["prompt"]) != row["reference"]
        for row, of in zip(rows, made, strict=True)
    )
    return {
        "added": len(rows), "wrong": wrong, "refused": summary["rounds"][1]["refused"],
        "tokens": sum(of["tokens"] for of in made if of),
        "plan": [[item["slice"] or "everywhere", item["rows"]]
                 for item in summary["rounds"][1]["plan"]],
    }  # fmt: skip


def rounds(names: Sequence[str], seeds: Sequence[int]) -> None:
    # Two threads wait for each other on a machine that others use.
    os.environ["OMP_NUM_THREADS"] = "1"
    found = {(one["task"], one["seed"], one["arm"]) for one in read()}
    # Seed by seed, so that a command that is stopped leaves whole seeds of all tasks.
    for seed in seeds:
        for name in names:
            folder = WORK / f"{name}-{seed}"
            for arm in ARMS:
                if (name, seed, arm) in found:
                    continue
                folder.mkdir(parents=True, exist_ok=True)
                line = carry_out(name, seed, arm, folder)
                RECORD.parent.mkdir(parents=True, exist_ok=True)
                with RECORD.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line, separators=(",", ":")) + "\n")
                print(f"{name} {seed} {arm}: {line['score']:.3f}, {line['seconds']:.0f} s",
                      flush=True)  # fmt: skip
            shutil.rmtree(folder, ignore_errors=True)


def read() -> list[Record]:
    if not RECORD.exists():
        return []
    return [json.loads(line) for line in RECORD.read_text(encoding="utf-8").splitlines()]


# -- checks ---------------------------------------------------------------------------------

ROWS = 120
"""Rows that are asked for; five times as many are written."""
RATES = (0.1, 0.2, 0.4)
VERIFIER = """
import random
import sys

sys.path.insert(0, {folder!r})
import harness
from teacher_answers import PARSING, Functions


def is_right(row):
    with PARSING:
        return Functions().right(row.prompt) == row.references[0]


class Program(harness.Verifier):
    name = "program"

    def verify(self, row, context):
        return harness.Verification(is_right(row), "read off the syntax tree")


class Judge(harness.Verifier):
    name = "judge-8-of-10"

    def verify(self, row, context):
        sees = random.Random(row.id).random() < (0.05 if is_right(row) else 0.8)
        return harness.Verification(not sees, "simulated")


@harness.hookimpl
def register_verifiers():
    return [Program, Judge]
"""
CHECKS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "nothing": (),
    "`{form: json}`": ({"form": "json"},),
    "`{agree: 3}`": ({"agree": 3},),
    "a judge": ({"plugin": "judge-8-of-10"},),
    "`{agree: 3}` and a judge": ({"agree": 3}, {"plugin": "judge-8-of-10"}),
    "a program": ({"plugin": "program"},),
}


def checks() -> None:
    """Of rows that are written right and wrong, which pass; a table of Markdown."""
    path = ROOT / "datasets" / "python-questions" / "train.jsonl"
    data = Dataset(tuple(map(_example, path.read_text("utf-8").splitlines())))
    print("| wrong answers | of these the same each time | check | right rows that stay | "
          "wrong rows left out or put right | wrong among those that pass |")  # fmt: skip
    print("|---|---|---|---|---|---|")
    for rate in RATES:
        for stuck in (0.0, 0.25):
            for name, told in _cell(Errors(rate, stuck), data).items():
                print(f"| {rate:.0%} | {'a quarter' if stuck else 'none'} | {name} | {told} |",
                      flush=True)  # fmt: skip


def _cell(errors: Errors, data: Dataset) -> dict[str, str]:
    brain = Functions()
    told = {}
    with (
        tempfile.TemporaryDirectory() as name,
        StandIn(lambda messages, seed: brain.says(messages, seed, errors)) as server,
    ):
        verifiers = Path(name) / "verifiers.py"
        verifiers.write_text(VERIFIER.format(folder=str(ROOT / "benchmarks")), encoding="utf-8")

        def proposed(verify: Sequence[Mapping[str, Any]]) -> dict[str, Example]:
            # Replies are kept, so that each check is shown the same rows.
            options = {"endpoint": server.url, "model": "computed", "per_request": 10,
                       "verify": list(verify), "cache": f"{name}/replies"}  # fmt: skip
            teacher: Any = harness.make_plugin("augmenter", "teacher", options, [verifiers])
            context = harness.Context(Path(name), seed=1)
            item = PlanItem(None, ROWS, "")
            return {row.id: row for row in teacher.propose(item, data, context)}

        written = proposed(())
        for check, verify in CHECKS.items():
            told[check] = _told(written, proposed(verify), brain)
    return told


def _told(written: Mapping[str, Example], passed: Mapping[str, Example], brain: Functions) -> str:
    right = {name: brain.right(row.prompt) for name, row in written.items()}
    fine = {name for name, row in written.items() if row.references[0] == right[name]}
    good = {name for name, row in passed.items() if row.references[0] == right[name]}
    wrong, bad = written.keys() - fine, passed.keys() - good
    cells = [
        f"{len(fine & good) / len(fine):.0%} of {len(fine)}",
        f"{1 - len(wrong & bad) / len(wrong):.0%} of {len(wrong)}",
        f"{len(bad) / len(passed):.1%} of {len(passed)}" if passed else "none pass",
    ]
    return " | ".join(cells)


def _example(line: str) -> Example:
    row = json.loads(line)
    *turns, answer = row["messages"]
    meta = {"kind": row["kind"]}
    return Example(row["id"], tuple(turns), (answer["content"],), "train", row["group"], meta)


# -- what was recorded ------------------------------------------------------------------------


def show() -> None:
    """Tables of Markdown: an interval of a seed allows for other rows of dev, one over seeds for
    other seeds."""
    found = {(one["task"], one["seed"], one["arm"]): one for one in read()}
    print(
        "| task | seed | round 2 is trained on | score | minus none | minus pool | rows | wrong |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for (task, seed, arm), line in found.items():
        groups = [group for _, group in found[task, seed, BEFORE]["dev"]]
        cells = [
            "" if other == arm or (task, seed, other) not in found or arm == BEFORE
            else _difference(line["values"], found[task, seed, other]["values"], groups)
            for other in (BEFORE, POOL)
        ]  # fmt: skip
        name = {BEFORE: "no further rows (round 1)", POOL: "rows of the pool"}.get(arm, arm)
        counts = [str(line.get("added", "")), "" if arm == POOL else str(line.get("wrong", ""))]
        print(f"| {task} | {seed} | {name} | {line['score']:.3f} | {' | '.join(cells + counts)} |")
    print("\n| task | seeds | round 2 is trained on | minus none | minus pool |")
    print("|---|---|---|---|---|")
    for task in dict.fromkeys(task for task, *_ in found):
        seeds = [seed for name, seed, arm in found if name == task and arm == UNVERIFIED]
        scores = {arm: [found[task, seed, arm]["score"] for seed in seeds] for arm in ARMS}
        for arm in (POOL, TEACHER, UNVERIFIED) if len(seeds) > 1 else ():
            cells = [
                "" if other == arm else _over_seeds(np.subtract(scores[arm], scores[other]))
                for other in (BEFORE, POOL)
            ]
            print(f"| {task} | {len(seeds)} | {arm} | {' | '.join(cells)} |")


def _over_seeds(values: Any) -> str:
    """Mean with a 95 % interval (Student's t) that allows for other seeds."""
    mean = float(np.mean(values))
    half = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]"


def _difference(new: Sequence[float], old: Sequence[float], groups: Sequence[str]) -> str:
    """With a 95 % interval by a bootstrap of whole groups."""
    codes = np.unique(groups, return_inverse=True)[1]
    sums = np.bincount(codes, np.array(new) - np.array(old))
    sizes = np.bincount(codes)
    draws = np.random.default_rng(1).integers(0, len(sums), (10_000, len(sums)))
    means = sums[draws].sum(axis=1) / sizes[draws].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{sums.sum() / sizes.sum():+.3f} [{low:+.3f}, {high:+.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("checks", "rounds", "show"))
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    arguments = parser.parse_args()
    if arguments.what == "rounds":
        rounds(arguments.tasks, arguments.seeds)
    elif arguments.what == "checks":
        checks()
    else:
        show()


if __name__ == "__main__":
    main()
