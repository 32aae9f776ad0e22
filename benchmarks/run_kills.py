"""A whole run killed (-9) at random moments: does it come to the end of an unbroken one?

    python benchmarks/run_kills.py [--kills 150] [--seed 1]

A run of the fakes of ``tests/support`` with a control arm, arms, models, a search, repeated seeds,
a curve and baselines. It is carried out once unbroken. Then others begin, are killed at random
moments, and go on by the same command until that comes to its end. The summary and the files of all
artifacts are compared with those of the unbroken run. Prints a line for each run, and the number of
kills.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SUPPORT = ROOT / "tests" / "support"
CONFIG = f"""\
rounds: 2
seed: 7
plugins: [{SUPPORT / "fakes.py"}, {SUPPORT / "searching.py"}]
data: {{source: fake}}
model: {{source: fake}}
train: {{plugin: valley}}
generate: {{plugin: fake}}
metrics: [{{plugin: overlap}}]
primary: overlap
detect: [fake]
analyze: [fake]
augment: [{{plugin: fake, rows: 10, control: random}}]
baselines: [few-shot]
arms: [{{name: small, set: {{train.size: 4}}}}]
models: [{{source: fake, skill: 0.5}}]
curve: true
seeds: 5
search: {{over: {{train.rate: [0.0001, 0.001], train.size: [4, 8, 16]}}, trials: 4}}
"""
DIFFERING = ("seconds", "seconds_by_stage", "cached", "dates")
"""Of a summary: what may differ between two walks through one run."""


class End(NamedTuple):
    """What a finished run left: its summary, and each artifact's files with their digests."""

    summary: dict[str, Any]
    artifacts: dict[str, Any]


def finished(folder: Path, limit: float | None = None) -> bool:
    """Begin the run, or go on with it; whether it came to its end within so many seconds.

    Raises:
        SystemExit: something else than the limit ended it.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", "from harness.cli import main; main()", "iterate"],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _, said = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return False
    if process.returncode:
        raise SystemExit(f"exit code {process.returncode}\n{said.decode()}")
    return True


def begun(folder: Path) -> Path:
    folder.mkdir()
    (folder / "harness.yaml").write_text(CONFIG, encoding="utf-8")
    return folder


def end_of(folder: Path) -> End:
    (path,) = folder.glob("reports/*/summary.json")
    store = folder / ".harness" / "artifacts"
    files = {
        made.parent.relative_to(store).as_posix(): json.loads(made.read_bytes())["files"]
        for made in store.glob("*/*/manifest.json")
        if made.parent.parent.name != "summary"
    }
    return End(_without_times(json.loads(path.read_bytes())), files)


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_times(v) for k, v in value.items() if k not in DIFFERING}
    return [_without_times(v) for v in value] if isinstance(value, list) else value


def differing(whole: End, broken: End) -> Iterator[str]:
    """Each place at which two ends differ, with both values."""
    yield from _differing("", whole._asdict(), broken._asdict())


def _differing(place: str, whole: Any, broken: Any) -> Iterator[str]:
    """Each place at which the two differ, with both values."""
    if isinstance(whole, dict) and isinstance(broken, dict):
        for key in {**whole, **broken}:
            yield from _differing(f"{place}.{key}", whole.get(key), broken.get(key))
    elif isinstance(whole, list) and isinstance(broken, list) and len(whole) == len(broken):
        for number, pair in enumerate(zip(whole, broken, strict=True)):
            yield from _differing(f"{place}.{number}", *pair)
    elif whole != broken:
        yield f"{place}: {str(whole)[:200]} / {str(broken)[:200]}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs killed at random moments.")
    parser.add_argument("--kills", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    draw, kills, runs = random.Random(asked.seed), 0, 0
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        unbroken, since = begun(root / "unbroken"), time.monotonic()
        finished(unbroken)
        seconds, expected = time.monotonic() - since, end_of(unbroken)
        print(f"unbroken: {seconds:.1f} s, {len(expected.artifacts)} artifacts", flush=True)
        while kills < asked.kills:
            folder, own = begun(root / f"run-{runs}"), 0
            while not finished(folder, draw.uniform(0, 0.6 * seconds)):
                own += 1
            kills, runs = kills + own, runs + 1
            if different := list(differing(expected, end_of(folder))):
                raise SystemExit("\n".join([f"run {runs}: {own} kills, DIFFERENT", *different]))
            print(f"run {runs}: {own} kills, equal", flush=True)
    print(f"{kills} kills over {runs} runs: all equal")


if __name__ == "__main__":
    main()
