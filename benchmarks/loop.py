"""The figures of the loop: start-up, going on, and time, memory and scores of both examples.

    python benchmarks/loop.py [--only help|default|billing] [-c FILE]

``help`` takes seconds. ``default`` and ``billing`` carry the whole runs out in an empty folder,
with nothing but the model taken from a cache, so run them alone: other work on the machine spoils
the times. ``-c FILE`` measures an experiment of your own instead. The figures are printed, and
written to ``reports/benchmark-loop.json``.

Memory is that of the run's whole process tree, sampled every 0.1 s: proportional set size (a
shared page counts once), where the system gives none of that resident set size, which counts
shared pages in each process. A peak between two samples is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "reports" / "benchmark-loop.json"
CONFIGS = {
    "default": ROOT / "harness.yaml",
    "billing": ROOT / "datasets" / "support-billing" / "harness.yaml",
}
HEAVY = ("torch", "transformers", "duckdb", "pandas", "sacrebleu", "nltk", "evaluate")
HARNESS = (sys.executable, "-c", "from harness.cli import main; main()")
TRACED = (
    "import sys\n"
    "from harness.cli import main\n"
    "try:\n    main()\n"
    "finally:\n"
    "    print(*sorted(m for m in {heavy} if m in sys.modules), file=sys.stderr)\n"
)
SAMPLE_SECONDS = 0.1
MIB = 1 << 20


@dataclass
class Measured:
    """One command.

    Attributes:
        seconds: wall clock, start of the interpreter included.
        peak: MiB, the greatest sum over the process tree.
        stages: stage -> the greatest sum seen while it worked.
        how: ``pss`` or ``rss``.
    """

    seconds: float
    out: str
    err: str
    peak: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)
    how: str = "pss"


class Sampler:
    """Watches the memory of a process and all its descendants."""

    def __init__(self, pid: int, folder: Path) -> None:
        self.root = psutil.Process(pid)
        self.folder = folder
        self.how = "pss" if platform.system() == "Linux" else "rss"
        self.peak = 0.0
        self.stages: dict[str, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            used = self._used()
            stage = self._stage()
            self.peak = max(self.peak, used)
            self.stages[stage] = max(self.stages.get(stage, 0.0), used)

    def _used(self) -> float:
        try:
            processes = [self.root, *self.root.children(recursive=True)]
        except psutil.Error:
            return 0.0
        return sum(self._of(process) for process in processes) / MIB

    def _of(self, process: psutil.Process) -> int:
        try:
            if self.how == "pss":
                return int(process.memory_full_info().pss)
            return int(process.memory_info().rss)
        except psutil.AccessDenied:
            self.how = "rss"
            return 0
        except psutil.Error:
            return 0

    def _stage(self) -> str:
        """The stage at work: its attempt has a folder named ``<stage>-<key>``."""
        try:
            found = list(self.folder.glob(".harness/work/*/*"))
        except OSError:
            found = []
        # A folder goes when its stage is done, but for the model's, which then has a result.
        names = {
            re.sub(r"-[0-9a-f]{12}$", "", path.name)
            for path in found
            if path.name != "model" or not (path / "result.json").exists()
        }
        return min(names, default="between stages")


def measure(arguments: Sequence[str], folder: Path, *, sample: bool = False) -> Measured:
    """Run ``harness ARGUMENTS`` in ``folder``.

    Raises:
        SystemExit: it failed.
    """
    begin = time.perf_counter()
    with subprocess.Popen(
        [*HARNESS, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={**os.environ, "NO_COLOR": "1"},
    ) as process:  # fmt: skip
        if sample:
            with Sampler(process.pid, folder) as sampler:
                out, err = process.communicate()
        else:
            out, err = process.communicate()
    seconds = time.perf_counter() - begin
    if process.returncode:
        raise SystemExit(f"harness {' '.join(arguments)}: exit {process.returncode}\n{err}")
    if not sample:
        return Measured(seconds, out, err)
    return Measured(seconds, out, err, sampler.peak, sampler.stages, sampler.how)


def heavy_imports(arguments: Sequence[str], folder: Path) -> list[str]:
    """Which of the heavy libraries a command imports."""
    code = TRACED.format(heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stderr.strip().splitlines()[-1].split() if done.stderr.strip() else []


def start_up() -> dict[str, Any]:
    """``harness --help``: median of five, and what it imports."""
    with tempfile.TemporaryDirectory() as folder:
        times = [measure(["--help"], Path(folder)).seconds for _ in range(5)]
        imports = heavy_imports(["--help"], Path(folder))
    return {"seconds": statistics.median(times), "all": times, "heavy imports": imports}


def experiment(config: Path) -> dict[str, Any]:
    """A whole run in an empty folder, and the same command once it is finished."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = ["iterate", "-c", str(config), "--json"]
        run = measure(command, folder, sample=True)
        document = json.loads(run.out)
        again = [measure(command, folder) for _ in range(5)]
        if any(json.loads(other.out) != document for other in again):
            raise SystemExit(f"{config}: a finished run, asked again, says something else")
        imports = heavy_imports(command, folder)
    figures = {key: value for key, value in asdict(run).items() if key not in ("out", "err")}
    return {
        "run": figures,
        "again": statistics.median(other.seconds for other in again),
        "again heavy imports": imports,
        "summary": document,
    }


# -- what is printed ----------------------------------------------------------------------


def show_start_up(figures: Mapping[str, Any]) -> None:
    heavy = ", ".join(figures["heavy imports"]) or "none"
    print(f"harness --help: {figures['seconds']:.3f} s (median of 5); heavy imports: {heavy}")


def show_experiment(name: str, figures: Mapping[str, Any]) -> None:
    run, summary = figures["run"], figures["summary"]
    heavy = ", ".join(figures["again heavy imports"]) or "none"
    print(f"\n{name}: {run['seconds']:.1f} s, peak {run['peak']:.0f} MiB ({run['how']})")
    print(f"asked again: {figures['again']:.3f} s (median of 5); heavy imports: {heavy}\n")
    _table(_stage_rows(run["stages"], summary["seconds"]))
    print()
    _table(_score_rows(summary))
    print()
    for entry in summary["rounds"]:
        print(f"round {entry['round']}: {entry['verdict']['sentence']}")
    print(f"test: {summary['test']['verdict']['sentence']}")
    if "control" in summary:
        print(f"control: {summary['control']['sentence']}")


def _stage_rows(peaks: Mapping[str, float], seconds: Mapping[str, float]) -> list[list[str]]:
    rows = [["stage", "seconds", "peak MiB"]]
    for stage in [*seconds, *(name for name in peaks if name not in seconds)]:
        spent = f"{seconds[stage]:.1f}" if stage in seconds else ""
        peak = f"{peaks[stage]:.0f}" if stage in peaks else "shorter than a sample"
        rows.append([stage, spent, peak])
    return rows


def _score_rows(summary: Mapping[str, Any]) -> list[list[str]]:
    """Every score of every round on dev, then of test."""
    names = list(summary["rounds"][0]["scores"])
    rows = [["round", "rows", *names, "verdict"]]
    for entry in summary["rounds"]:
        kept = " (kept)" if entry["round"] == summary["kept_round"] else ""
        cells = [_score(entry["scores"][name]) for name in names]
        label = entry["verdict"]["label"]
        rows.append([f"{entry['round']}{kept}", str(entry["train_rows"]), *cells, label])
    test = summary["test"]
    for side, label in (("baseline", ""), ("kept", test["verdict"]["label"])):
        cells = [_score(test[side][name]) for name in names]
        rows.append([f"test, {side}", "", *cells, label])
    return rows


def _score(score: Mapping[str, Any]) -> str:
    if score["value"] is None:
        return "unscored"
    if score["low"] is None:
        return f"{score['value']:.4g}"
    return f"{score['value']:.4g} [{score['low']:.4g}, {score['high']:.4g}]"


def _table(rows: Sequence[Sequence[str]]) -> None:
    """A Markdown table, so that it can be pasted into docs."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(f"| {' | '.join(cells)} |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    from harness import __version__

    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "memory MiB": psutil.virtual_memory().total // MIB,
        "python": platform.python_version(),
        "harness": __version__,
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found[1] if found else platform.processor()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=["help", *CONFIGS])
    parser.add_argument("-c", "--config", type=Path, help="an experiment of your own")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    configs = CONFIGS
    if arguments.config:
        configs = {arguments.config.stem: arguments.config.resolve()}
    elif arguments.only:
        configs = {name: path for name, path in CONFIGS.items() if name == arguments.only}
    figures: dict[str, Any] = {"machine": machine()}
    print(json.dumps(figures["machine"]))
    if arguments.only in (None, "help"):
        figures["help"] = start_up()
        show_start_up(figures["help"])
    for name, path in configs.items():
        figures[name] = experiment(path)
        show_experiment(name, figures[name])
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(f"\nwritten to {arguments.output}")


if __name__ == "__main__":
    main()
