"""How time and memory grow with the rows: source, gate, stages of a round, planner, reports.

    python benchmarks/scale.py [--rows N ...] [--out FILE]

For each size a run of one round is carried out on rows of that number (70 % train, 10 % each of
pool, dev and test) read by the source ``jsonl``; model, trainer and generator are the tiny ones of
the tests, so that what remains is the work of the harness. Each size is a process of its own. The
table gives the seconds of each stage by the run's own summary, of reports and all else (``other``),
the wall clock and the greatest resident memory; *growth* is the exponent of time over rows between
the two greatest sizes (1 = linear, 2 = quadratic). Run it alone: other work spoils it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FAKES = HERE.parent / "tests" / "support" / "fakes.py"
OUTPUT = HERE.parent / "reports" / "benchmark-scale.json"
SIZES = (10_000, 50_000, 200_000)
SHARES = {"train": 0.7, "pool": 0.1, "dev": 0.1, "test": 0.1}
CONFIG = f"""\
rounds: 1
plugins: [{FAKES}]
data: {{source: jsonl, path: rows.jsonl}}
model: {{source: fake}}
train: {{plugin: fake, gain: 0}}
generate: {{plugin: fake}}
metrics: [{{plugin: overlap}}]
primary: overlap
detect: [basic]
analyze: [slices]
augment: [{{plugin: pool, rows: 200}}]
execution: {{launcher: inline}}
"""


def write_rows(path: Path, count: int) -> None:
    """``count`` rows whose prompts have little in common."""
    draw = random.Random(count)
    words = ["".join(draw.choices("abcdefghijklmnoprstuvwy", k=7)) for _ in range(20_000)]
    with path.open("w") as stream:
        for split, share in SHARES.items():
            for number in range(round(count * share)):
                text = " ".join(draw.choices(words, k=8))
                turn = {"role": "user", "content": f"repeat: {text}"}
                row = {
                    "id": f"{split}{number}", "messages": [turn], "references": [text],
                    "split": split, "meta": {"kind": number % 7, "tail": number % 3},
                }  # fmt: skip
                stream.write(json.dumps(row) + "\n")


def measured(count: int) -> dict[str, Any]:
    """Seconds of each stage, wall clock and memory of one run on so many rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "harness.yaml").write_text(CONFIG)
        write_rows(folder / "rows.jsonl", count)
        begin = time.monotonic()
        command = [sys.executable, str(Path(__file__).resolve()), "--run"]
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, "NO_COLOR": "1"}, capture_output=True, text=True
        )
        wall = time.monotonic() - begin
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        document, peak = done.stdout.rsplit("\n", 2)[:2]
    seconds: dict[str, float] = json.loads(document)["seconds"]
    other = wall - sum(seconds.values())
    return {
        "rows": count, "seconds": {**seconds, "other": round(other, 3)},
        "wall": round(wall, 2), "peak_mib": round(int(peak) / 1024),
    }  # fmt: skip


def run_here() -> None:
    """The run itself, followed by the greatest resident memory in KiB."""
    from harness.cli import main

    sys.argv = ["harness", "iterate", "--json"]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def table(results: list[dict[str, Any]]) -> str:
    """Stages by sizes, with the exponent of growth between the two greatest."""
    stages = list(dict.fromkeys(name for result in results for name in result["seconds"]))
    lines = ["| stage | " + " | ".join(f"{r['rows']:,} rows" for r in results) + " | growth |"]
    lines.append("|---" * (len(results) + 2) + "|")
    for stage in [*stages, "wall"]:
        values = [r["wall"] if stage == "wall" else r["seconds"].get(stage, 0) for r in results]
        shown = " | ".join(f"{value:.2f} s" for value in values)
        lines.append(f"| {stage} | {shown} | {_growth(results, values)} |")
    peaks = " | ".join(f"{r['peak_mib']} MiB" for r in results)
    return "\n".join([*lines, f"| memory | {peaks} | |"])


def _growth(results: list[dict[str, Any]], values: list[float]) -> str:
    if len(values) < 2 or min(values[-2:]) < 0.05:
        return ""
    rows = results[-1]["rows"] / results[-2]["rows"]
    return f"{math.log(values[-1] / values[-2]) / math.log(rows):.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--out", type=Path, default=OUTPUT)
    parser.add_argument("--run", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        run_here()
        return
    results = []
    for count in arguments.rows:
        results.append(measured(count))
        print(json.dumps(results[-1]), file=sys.stderr)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=1) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
