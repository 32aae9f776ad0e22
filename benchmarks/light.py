"""What an installation without training weighs and how quick it is, as Markdown.

    python benchmarks/light.py [--runs 5]

The wheel is built, and installed with its own dependencies, and nothing borrowed, in an empty
environment, once with pip's cache and once without. Sizes are of files as ``du`` counts them, byte
code included, by distribution. ``harness score`` of 1,000 pairs by ROUGE and BLEU is timed there as
a process: the median of the runs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIZES = """
import importlib.metadata, json, pathlib
sizes = {}
for of in importlib.metadata.distributions():
    files = [pathlib.Path(of.locate_file(file)) for file in of.files or ()]
    used = sum(file.stat().st_blocks for file in files if file.is_file())
    sizes[of.name] = used * 512
print(json.dumps(sizes))
"""
SMALL = 5_000_000
"""Bytes below which a distribution stands in the last row."""


def timed(*command: str, folder: Path) -> float:
    begun = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
        [wheel] = map(str, folder.glob("*.whl"))
        installed = {}
        for what, options in (("from the index", ["--no-cache-dir"]), ("from pip's cache", [])):
            venv.create(folder / what, with_pip=True)
            python = str(folder / what / "bin" / "python")
            installed[what] = timed(
                python, "-m", "pip", "install", "--quiet", *options, wheel, folder=folder
            )
        answers = [
            {"id": f"{n}", "prediction": f"the answer is {n}", "reference": f"it is {n * 7 % 1000}"}
            for n in range(1000)
        ]
        lines = "".join(json.dumps(answer) + "\n" for answer in answers)
        (folder / "answers.jsonl").write_text(lines, encoding="utf-8")
        harness = str(Path(python).with_name("harness"))
        score = [harness, "score", "-p", "answers.jsonl", "-r", "answers.jsonl", "-m", "rouge,bleu"]
        first = timed(*score, folder=folder)
        scored = statistics.median(timed(*score, folder=folder) for _ in range(runs))
        listed = subprocess.run([python, "-c", SIZES], check=True, capture_output=True, text=True)
        sizes = json.loads(listed.stdout)
    print(
        f"| distribution | MB |\n|---|---:|\n| all {len(sizes)} | {sum(sizes.values()) / 1e6:.0f} |"
    )
    for name, size in sorted(sizes.items(), key=lambda entry: -entry[1]):
        if size >= SMALL:
            print(f"| {name} | {size / 1e6:.0f} |")
    rest = [size for size in sizes.values() if size < SMALL]
    print(f"| {len(rest)} more | {sum(rest) / 1e6:.0f} |")
    print("\n| | s |\n|---|---:|")
    for what, seconds in installed.items():
        print(f"| `pip install`, {what} | {seconds:.0f} |")
    print(f"| `harness score` of 1,000 pairs by ROUGE and BLEU | {scored:.2f} |")
    print(f"| the same the first time, when byte code is made | {first:.2f} |")


if __name__ == "__main__":
    main()
