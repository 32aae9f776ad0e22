"""How long ``harness check`` takes on people's own rows, and how much memory.

    python benchmarks/rows.py [--rows N] [--json FILE]

Writes N rows (200,000) as JSON lines, CSV, Parquet and the strict format of the source ``jsonl``,
and runs the whole command on each in a process of its own: the program starts, the format is
recognised, every row is read, checked and dealt out, repeats between the splits are looked for.
A row has a question of 40 made-up words, an answer of 20, a customer and a topic, about 500 bytes.

The table is Markdown. *Seconds* are those of the clock, *processor* those that the processor
worked, which other work on the machine changes less. Memory is the peak of the process (resident
set).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CONFIG = """
rounds: 3
data:
  {{source: {source}, path: {path}, {columns}sizes: {{train: .6, pool: .1, dev: .15, test: .15}}}}
model: {{source: pypi, name: smollm2-135m-instruct}}
train: {{plugin: lora}}
generate: {{plugin: transformers}}
metrics: [{{plugin: rouge}}]
primary: rougeL
"""
COLUMNS = "columns: {group: customer, meta: topic}, "


def rows(count: int) -> Iterator[dict[str, str]]:
    """Made-up questions and answers."""
    draw = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(draw.choices(letters, k=draw.randint(3, 9))) for _ in range(8_000)]
    for number in range(count):
        yield {
            "id": f"r{number}",
            "question": " ".join(draw.choices(words, k=40)),
            "answer": " ".join(draw.choices(words, k=20)),
            "topic": f"topic {draw.randrange(10)}",
            "customer": f"c{draw.randrange(max(1, count // 4))}",
        }


def native(row: dict[str, str]) -> dict[str, Any]:
    """The same row as the source ``jsonl`` has it."""
    return {
        "id": row["id"],
        "group": row["customer"],
        "messages": [{"role": "user", "content": row["question"]}],
        "references": [row["answer"]],
        "meta": {"topic": row["topic"]},
    }


def write(folder: Path, count: int) -> dict[str, tuple[str, str]]:
    """Name of the format -> source and file."""
    import pyarrow.csv
    import pyarrow.parquet

    with (
        (folder / "rows.jsonl").open("w") as lines,
        (folder / "native.jsonl").open("w") as strict,
        (folder / "rows.csv").open("w", newline="") as sheet,
    ):
        table = csv.writer(sheet)
        for number, row in enumerate(rows(count)):
            if not number:
                table.writerow(row)
            table.writerow(row.values())
            lines.write(json.dumps(row) + "\n")
            strict.write(json.dumps(native(row)) + "\n")
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(folder / "rows.csv"), folder / "rows.parquet")
    return {
        "JSON lines": ("rows", "rows.jsonl"),
        "CSV": ("rows", "rows.csv"),
        "Parquet": ("rows", "rows.parquet"),
        "JSON lines, source `jsonl`": ("jsonl", "native.jsonl"),
    }


def measured(folder: Path, source: str, file: str) -> dict[str, float]:
    """Seconds, seconds of the processor and MiB of one ``harness check``."""
    columns = COLUMNS if source == "rows" else ""
    config = CONFIG.format(source=source, path=file, columns=columns)
    (folder / "harness.yaml").write_text(config)
    command = [sys.executable, "-c", "from harness.cli import main; main()", "check"]
    start = time.perf_counter()
    with (folder / "output.txt").open("w") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit((folder / "output.txt").read_text())
    return {
        "seconds": round(seconds, 1),
        "processor": round(used.ru_utime + used.ru_stime, 1),
        "MiB": round(used.ru_maxrss / 1024),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("| format | MB | seconds | processor | memory |\n|---|---|---|---|---|")
        for form, (source, file) in write(folder, given.rows).items():
            figures = measured(folder, source, file)
            size = (folder / file).stat().st_size / 1e6
            found[form] = {"MB": round(size), **figures}
            print(
                f"| {form} | {size:.0f} | {figures['seconds']:.1f} s | "
                f"{figures['processor']:.1f} s | {figures['MiB']:.0f} MiB |",
                flush=True,
            )
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
