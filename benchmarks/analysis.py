"""The figures of the analysis: a large run stored, reported and looked into.

    python benchmarks/analysis.py [--examples N] [--json FILE]

A run of N examples, three rounds and five metrics is made up and written by the ordinary store;
``harness report``, ``errors`` and ``query`` are then timed as processes, with their peak memory.
Loading is compared with ``executemany`` of the same rows, of which that side gets fewer (it would
take hours) and is counted by the row.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from harness.database.contents import Answers, RunContents
from harness.database.writing import build
from harness.kit.files import write_json
from harness.records import (
    Condition,
    ErrorLabel,
    Example,
    Measurement,
    Prediction,
    RoundResult,
    Score,
    Slice,
    Verdict,
    to_json,
)
from harness.report.analysis import Terms, analyse
from harness.report.reading import FILE_NAME
from harness.report.rounds import main_round
from harness.report.summary import with_choice
from harness_testing.sample_run import SUMMARY

ROUNDS = 3
METRICS = ("rougeL", "bleu", "meteor", "exact", "chrf")
KINDS = ("empty", "cut off", "too long", "low overlap")
WORDS = [
    "the",
    "a",
    "refund",
    "invoice",
    "account",
    "is",
    "was",
    "paid",
    "closed",
    "open",
    "please",
    "contact",
    "us",
    "today",
    "number",
]
RUN = "large-00000000"


def text(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(8, 24)))


def contents(count: int) -> RunContents:
    """A run of that many dev examples; a slice is weak, and rounds get a little better."""
    rng = random.Random(1)
    examples = [
        Example(
            f"row-{i}", ({"role": "user", "content": text(rng)},), (text(rng),), "dev",
            f"g{i // 3}", {"kind": "abcd"[i % 4], "length": i % 97},
        )
        for i in range(count)
    ]  # fmt: skip
    rounds = [result(number) for number in range(ROUNDS)]
    weak = Slice(
        (Condition("kind", "=", "a"),), count // 4, count // 4, 0.3, 0.1, 0.05, 0.15, 0.01
    )  # fmt: skip
    return RunContents(
        run=RUN, primary="rougeL", kept_round=2, rounds=rounds, examples=examples,
        answers=[answers(examples, number) for number in range(ROUNDS)],
        slices={("main", number): (weak,) for number in range(ROUNDS)},
    )  # fmt: skip


def answers(examples: Sequence[Example], number: int) -> Answers:
    rng = random.Random(number)
    values = [rng.random() ** (2 - number / 3) for _ in examples]
    return Answers(
        "main", number, "dev",
        [Prediction(row.id, text(rng), "stop", 20, 12) for row in examples],
        [
            Measurement(row.id, name, (value,), {name: value})
            for name in METRICS
            for row, value in zip(examples, values, strict=True)
        ],
        [ErrorLabel(row.id, rng.choice(KINDS), "", "basic") for row in examples[::3]],
        right={row.id: value >= 0.5 for row, value in zip(examples, values, strict=True)},
    )  # fmt: skip


def result(number: int) -> RoundResult:
    label: Any = "improved" if number else "baseline"
    verdict = Verdict(label, f"round {number - 1}" if number else "", 0.05 if number else None,
                      0.02, 0.08, 0.983, 0.03, f"Round {number}.")  # fmt: skip
    scores = {n: Score(n, 0.3 + number / 20, 0.29, 0.5, 100, 0, f"{n}|v:1") for n in METRICS}
    return RoundResult("main", number, 1000, scores, verdict, True)


def loading(database: Path, count: int = 2_000) -> tuple[float, float]:
    """Rows a second: ours over the whole file, and executemany with some of its rows."""
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(f"FROM raw.example_scores LIMIT {count}").fetchall()
        ddl = connection.execute(
            "SELECT sql FROM duckdb_tables() WHERE table_name = 'example_scores'"
        ).fetchone()
        total = sum(
            connection.execute(f"SELECT count(*) FROM raw.{name}").fetchone()[0]  # type: ignore[index]
            for (name,) in connection.execute(
                "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'raw'"
            ).fetchall()
        )
    with tempfile.TemporaryDirectory() as folder:
        other = duckdb.connect(str(Path(folder) / "x.duckdb"))
        other.execute("CREATE SCHEMA raw")
        other.execute(ddl[0])  # type: ignore[index]
        begin = time.perf_counter()
        marks = ", ".join("?" * len(rows[0]))
        other.executemany(f"INSERT INTO raw.example_scores VALUES ({marks})", rows)
        theirs = count / (time.perf_counter() - begin)
        other.close()
    return total, theirs


PROBE = """
import resource, sys
from harness.cli import main
try:
    main()
finally:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak {peak}", file=sys.stderr)
"""


def command(folder: Path, *arguments: str) -> dict[str, float]:
    """Seconds and peak MiB of one ``harness`` process.

    It is started by a small process: a child of this large one would count its memory as its own.
    """
    start = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", start, sys.executable, "-c", PROBE, *arguments],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - begin
    if done.returncode:
        raise SystemExit(done.stderr)
    return {"seconds": seconds, "mib": float(done.stderr.rpartition("peak ")[2])}


def main() -> None:
    """Measure, print a Markdown table, perhaps write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found: dict[str, Any] = {"examples": options.examples}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reports = folder / "reports" / RUN
        reports.mkdir(parents=True)
        made = contents(options.examples)
        begin = time.perf_counter()
        build(reports / "run.duckdb", made)
        seconds = time.perf_counter() - begin
        total, theirs = loading(reports / "run.duckdb")
        found["build"] = {"seconds": seconds, "rows": total, "rows_per_second": total / seconds}
        found["executemany_rows_per_second"] = theirs
        found["loading_ratio"] = total / seconds / theirs
        rounds = tuple(main_round(r, (), (), replayed=0, forgotten=None) for r in made.rounds)
        summary = with_choice(
            dataclasses.replace(SUMMARY, run=RUN, primary="rougeL", rounds=rounds, kept_round=2)
        )
        begin = time.perf_counter()
        document = analyse(summary, reports / "run.duckdb", Terms(right_at=0.5))
        found["analyse"] = {"seconds": time.perf_counter() - begin}
        assert not document.failed, document.failed
        write_json(reports / FILE_NAME, to_json(document))
        write_json(reports / "summary.json", to_json(summary))
        found["report"] = command(folder, "report")
        found["report --html"] = command(folder, "report", "--html", "page.html")
        found["errors"] = command(folder, "errors", "--limit", "20")
        found["query, 20 rows"] = command(folder, "query", "FROM errors LIMIT 20")
        means = "SELECT round, name, avg(value) FROM example_scores GROUP BY ALL ORDER BY ALL"
        found["query, means of all scores"] = command(folder, "query", means)
    found["own peak MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"| {options.examples:,} examples x {ROUNDS} rounds x {len(METRICS)} metrics | |\n|---|---|"
    )
    for key, value in found.items():
        shown = (
            ", ".join(f"{k} {v:,.2f}" for k, v in value.items())
            if isinstance(value, dict)
            else f"{value:,.1f}"
        )
        print(f"| {key} | {shown} |")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
