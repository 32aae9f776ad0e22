"""Two revisions of the code on one experiment: seconds by stage, in turn, in one call.

    python benchmarks/revisions.py BEFORE [AFTER] [--repeats 2] [-c FILE] [--rounds N]

BEFORE and AFTER are commits (AFTER: the working tree's HEAD). Each gets a checkout and an
environment of its own that borrows the libraries of this one, so that nothing but the code differs.
Each run is a whole `harness iterate` in an empty folder with the model in the cache; the revisions
take turns, alone on the machine, and the least wall time of each counts. Printed are wall seconds,
seconds from the first to the last step of trainings and of answering, as the stages report them,
and of all else (imports, loading, storing, scoring, reports), and the ratios; a JSON line is added
to benchmarks/recorded/revisions.jsonl.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "benchmarks" / "recorded" / "revisions.jsonl"
PARTS = ("wall", "train", "generate", "else")


STEPS = "STEPS_OF_STAGES"
"""Names the file in which a run leaves the seconds of its stages' steps."""


def main() -> None:
    if STEPS in os.environ:
        _watched(Path(os.environ[STEPS]))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before")
    parser.add_argument("after", nargs="?", default="HEAD")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("-c", "--config", type=Path)
    parser.add_argument("--rounds", type=int)
    given = parser.parse_args()
    arguments = ["-c", str(given.config.resolve())] if given.config else []
    arguments += ["--rounds", str(given.rounds)] if given.rounds else []
    commits = [_git("rev-parse", "--short", name) for name in (given.before, given.after)]
    found: dict[str, list[dict[str, float]]] = {commit: [] for commit in commits}
    with tempfile.TemporaryDirectory() as name:
        commands = {commit: _installed(commit, Path(name) / commit) for commit in commits}
        for _ in range(given.repeats):
            for commit in commits:
                found[commit].append(_run(commands[commit], arguments))
                print(commit, found[commit][-1], flush=True)
    best = [min(found[commit], key=lambda run: run["wall"]) for commit in commits]
    print(f"{'seconds':10}" + "".join(f"{commit:>12}" for commit in commits) + f"{'ratio':>8}")
    for part in PARTS:
        one, other = (run[part] for run in best)
        print(f"{part:10}{one:12.1f}{other:12.1f}{other / one:7.2f}x")
    with RECORDED.open("a") as stream:
        stream.write(json.dumps({"arguments": arguments, "runs": found}) + "\n")


def _git(*arguments: str) -> str:
    return subprocess.check_output(["git", *arguments], cwd=ROOT, text=True).strip()


def _installed(commit: str, folder: Path) -> Path:
    """A checkout of the commit, installed without its dependencies; its Python."""
    subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
    subprocess.run(["git", "checkout", "-q", commit], cwd=folder, check=True)
    environment = folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q", "--no-deps", "-e", "."]
    subprocess.run(install, cwd=folder, check=True)
    own = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    )
    borrowed = [sysconfig.get_path("purelib"), *(p for p in sys.path if "site-packages" in p)]
    # First in the alphabet: what installs the commit needs them.
    Path(own.strip(), "_borrowed.pth").write_text("\n".join(dict.fromkeys(borrowed)))
    asked = [python, "-P", "-c", "import harness; print(harness.__file__)"]
    found = Path(subprocess.check_output(asked, text=True).strip())
    if not found.is_relative_to(folder):
        sys.exit(f"{found} would be measured, which is not in {folder}")
    return python


def _run(python: Path, arguments: list[str]) -> dict[str, float]:
    kept = {name: v for name, v in os.environ.items() if not name.startswith("OPENBLAS_")}
    with tempfile.TemporaryDirectory() as folder:
        steps = Path(folder) / "steps.json"
        begin = time.perf_counter()
        done = subprocess.run(
            [python, "-P", __file__, "iterate", "--json", *arguments], cwd=folder,
            capture_output=True, text=True, env={**kept, STEPS: str(steps)},
        )  # fmt: skip
        parts = {"wall": time.perf_counter() - begin, "train": 0.0, "generate": 0.0}
        if done.returncode:
            sys.exit(done.stderr[-3000:])
        for stage, seconds in json.loads(steps.read_text()):
            for part in ("train", "generate"):
                if stage.startswith(part):
                    parts[part] += seconds
    parts["else"] = parts["wall"] - parts["train"] - parts["generate"]
    return {part: round(value, 1) for part, value in parts.items()}


def _watched(path: Path) -> None:
    """Do what the command line says as ``harness`` does, and write down when stages report steps.

    Both revisions show them by a ``Display``: each stage's report is called with (0, total, what)
    before its first step, and with (total, total, what) after its last.
    """
    display: Any = importlib.import_module("harness.kit.terminal.progress").Display
    begins, ends = display.stage, display.stage_done
    times: list[float] = []
    found: list[tuple[str, float]] = []

    def stage(self: Any, label: str) -> Any:
        times.clear()
        shown = begins(self, label)

        def report(*step: Any) -> None:
            times.append(time.perf_counter())
            shown(*step)

        return report

    def stage_done(self: Any, stage: str, *rest: Any) -> None:
        if len(times) > 1:
            found.append((stage, times[-1] - times[0]))
        times.clear()
        ends(self, stage, *rest)
        path.write_text(json.dumps(found))

    display.stage, display.stage_done = stage, stage_done
    sys.exit(importlib.import_module("harness.cli").main())


if __name__ == "__main__":
    main()
