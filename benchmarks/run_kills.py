"""A whole run, its jobs and those who run them, killed (-9) at random: how does it end?

    python benchmarks/run_kills.py [--where local|slurm|ray] [--kills 50] [--seed 1] [--folder F]
        [--minutes M]

A run of the fakes of ``tests/support`` with a control arm, arms, models, a search, repeated seeds,
a curve and baselines. It is carried out once unbroken, one job after the other. Then others begin
with several workers, are struck at random moments, and the same command goes on until it comes to
its end. The summary and the files of all artifacts are compared with those of the unbroken run; at
the end no job is at work, and of ``local`` and ``slurm`` no process is left. Struck are the run's
own process, and

- local: its workers, and jobs at work;
- slurm: jobs at work, also by ``scancel``, slurmd, and slurmctld, of a SLURM that is started here;
- ray: actors, their workers, and the raylet, of a Ray that is started here.

Prints a line for each run, and the number of kills of each kind. With a folder the next call goes
on counting where the last one stopped, after so many minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from harness_launchers.jobs import jobs_at_work

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
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
search: {{over: {{train.rate: [0.0001, 0.001], train.size: [4, 8, 16]}}, trials: 4, parallel: 2}}
"""
DIFFERING = ("seconds", "seconds_by_stage", "cached", "dates")
"""Of a summary: what may differ between two walks through one run."""


class End(NamedTuple):
    """What a finished run left: its summary, and each artifact's files with their digests."""

    summary: dict[str, Any]
    artifacts: dict[str, Any]


def finished(folder: Path) -> None:
    """Begin the run, or go on with it, to its end.

    Raises:
        SystemExit: it fails.
    """
    done = subprocess.run(
        [sys.executable, "-c", "from harness.cli import main; main()", "iterate"],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"exit code {done.returncode}\n{done.stderr}")


def begun(folder: Path, execution: str = "{launcher: local}") -> Path:
    """A folder with the run's config."""
    folder.mkdir()
    text = f"{CONFIG}execution: {execution}\n"
    (folder / "harness.yaml").write_text(text, encoding="utf-8")
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


Strike = Callable[[subprocess.Popen[bytes], random.Random], bool]
"""Strikes something of a run's process; whether it hit anything."""


class Place(NamedTuple):
    """Where jobs are at work.

    Attributes:
        execution: of the config.
        strikes: what is struck -> a call with the run's process and the draw, which says whether it
            hit something.
        processes: whether none may be left at the end.
    """

    execution: str
    strikes: dict[str, Strike]
    processes: bool = True


def _the_run(process: subprocess.Popen[bytes], draw: random.Random) -> bool:
    process.kill()
    return True


def _killed(processes: list[psutil.Process], draw: random.Random) -> bool:
    """Kill one of them."""
    with contextlib.suppress(psutil.NoSuchProcess):
        if processes:
            draw.choice(processes).kill()
            return True
    return False


def _with(word: str, among: Iterable[psutil.Process] | None = None) -> list[psutil.Process]:
    """Processes whose command has a word; of all that there are, it has to be one of this very
    benchmark's folders."""
    processes = []
    for process in psutil.process_iter() if among is None else among:
        with contextlib.suppress(psutil.Error):
            if word in " ".join(process.cmdline()):
                processes.append(process)
    return processes


def _children(of: Iterable[psutil.Process]) -> list[psutil.Process]:
    children = []
    for process in of:
        with contextlib.suppress(psutil.Error):
            children += process.children()
    return children


def _in(folder: Path) -> Iterator[psutil.Process]:
    """Processes at work in a folder."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if Path(process.cwd()) == folder:
                yield process


@contextlib.contextmanager
def local(_: Path) -> Iterator[Place]:
    def workers(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return _children([psutil.Process(process.pid)])
        return []

    def job(process: subprocess.Popen[bytes], draw: random.Random) -> bool:
        """One at work; they are short, so that it is looked for a while."""
        over = time.monotonic() + 2
        while time.monotonic() < over and process.poll() is None:
            if processes := _children(workers(process)):
                return _killed(processes, draw)
        return False

    strikes = {
        "run": _the_run,
        "worker": lambda process, draw: _killed(workers(process), draw),
        "job": job,
    }
    yield Place("{launcher: local, workers: 3}", strikes)


@contextlib.contextmanager
def slurm(folder: Path) -> Iterator[Place]:
    from tests.support import slurm as support

    if lacking := support.lacking():
        raise SystemExit(f"SLURM: {lacking}")
    with support.one_node(folder) as cluster:

        def daemon(name: str) -> Strike:
            def strike(process: subprocess.Popen[bytes], draw: random.Random) -> bool:
                cluster.kill(name)
                time.sleep(draw.uniform(0, 3))
                cluster.start(*cluster.commands[name])
                return True

            return strike

        def resumed(strike: Strike) -> Strike:
            """The strike, after what an administrator does: a slurmctld that was killed may give a
            job's number again, upon which SLURM drains the node."""

            def struck(process: subprocess.Popen[bytes], draw: random.Random) -> bool:
                if "DRAIN" in cluster.scontrol("show", "node", cluster.node):
                    cluster.scontrol("update", f"NodeName={cluster.node}", "State=RESUME")
                return strike(process, draw)

            return struck

        def cancelled(process: subprocess.Popen[bytes], draw: random.Random) -> bool:
            asked = ["squeue", "--noheader", "--format=%i"]
            jobs = subprocess.run(asked, capture_output=True, text=True).stdout.split()
            return bool(jobs) and not subprocess.run(["scancel", draw.choice(jobs)]).returncode

        def job(process: subprocess.Popen[bytes], draw: random.Random) -> bool:
            with contextlib.suppress(psutil.NoSuchProcess):
                here = Path(psutil.Process(process.pid).cwd())
                return _killed(_with("harness_launchers", _in(here)), draw)
            return False

        yield Place(
            "{launcher: {plugin: slurm, partition: main}, workers: 3}",
            {
                name: resumed(strike)
                for name, strike in {
                    "run": _the_run, "job": job, "scancel": cancelled, "slurmd": daemon("slurmd"),
                    "slurmctld": daemon("slurmctld"),
                }.items()
            },
        )  # fmt: skip


@contextlib.contextmanager
def ray(folder: Path) -> Iterator[Place]:
    with socket.socket() as free:  # another run may have one of its own on this machine
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    os.environ["RAY_AUTH_MODE"] = "disabled"  # from 2.60 on a cluster asks for a token otherwise
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}

    def command(*words: str) -> None:
        call = [sys.executable, "-m", "ray.scripts.scripts", *words]
        subprocess.run(call, env=environment, capture_output=True, check=True)

    def start() -> None:
        command(
            "start", "--head", f"--port={port}", f"--temp-dir={folder}", "--num-cpus=4",
            "--include-dashboard=false", "--disable-usage-stats",
        )  # fmt: skip

    def raylets() -> list[psutil.Process]:
        return _with("raylet/raylet", _with(str(folder)))

    def actors() -> list[psutil.Process]:
        return _with("ray::Actor", _children(raylets()))

    def stop() -> None:
        for process in (*_children(actors()), *_children(raylets()), *_with(str(folder))):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def raylet(process: subprocess.Popen[bytes], draw: random.Random) -> bool:
        _killed(raylets(), draw)
        time.sleep(draw.uniform(0, 2))
        stop()
        start()
        return True

    strikes = {
        "run": _the_run,
        "actor": lambda process, draw: _killed(actors(), draw),
        "job": lambda process, draw: _killed(_children(actors()), draw),
        "raylet": raylet,
    }
    start()
    try:
        launcher = f"{{plugin: ray, address: '{address}'}}"
        yield Place(f"{{launcher: {launcher}, workers: 3}}", strikes, processes=False)
    finally:
        stop()


PLACES = {"local": local, "slurm": slurm, "ray": ray}


def struck(folder: Path, place: Place, draw: random.Random, pause: float) -> Counter[str]:
    """Carry a run out that is struck again and again; what was struck how often.

    Args:
        pause: mean seconds between two strikes; longer with each start, or no run would end.

    Raises:
        SystemExit: it fails, and nothing had struck it.
    """
    hit: Counter[str] = Counter()
    while True:
        before, said = hit.total(), folder / "said.txt"
        with said.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-c", "from harness.cli import main; main()", "iterate"],
                cwd=folder, env={**os.environ, "NO_COLOR": "1"},
                stdout=subprocess.DEVNULL, stderr=stream,
            )  # fmt: skip
            while process.poll() is None:
                try:
                    process.wait(draw.expovariate(1 / pause))
                except subprocess.TimeoutExpired:
                    kind = draw.choice(list(place.strikes))
                    if place.strikes[kind](process, draw):
                        hit[kind] += 1
        if process.returncode == 0:
            return hit
        if hit.total() == before:
            raise SystemExit(f"exit code {process.returncode}\n{said.read_text()}")
        pause *= 1.1


def left(folder: Path, seconds: float = 30) -> list[str]:
    """Commands of processes that are at work in a folder after so many seconds."""
    over = time.monotonic() + seconds
    while True:
        commands = []
        for process in _in(folder):
            with contextlib.suppress(psutil.Error):
                commands.append(" ".join(process.cmdline()))
        if not commands or time.monotonic() > over:
            return commands
        time.sleep(0.5)


def simulated(
    where: str, kills: int, seed: int, root: Path, minutes: float = float("inf")
) -> Counter[str]:
    """Break runs until so many kills are counted; how many of each kind.

    Args:
        root: a folder, in which an earlier call has counted before.

    Raises:
        SystemExit: a run ended otherwise than the unbroken one, or left something behind.
    """
    since, counted = time.monotonic(), root / f"{where}-{seed}.json"
    known = json.loads(counted.read_text()) if counted.is_file() else {"kills": {}, "runs": 0}
    hit, runs = Counter(known["kills"]), known["runs"]
    expected, seconds = _unbroken(root / "unbroken")
    with tempfile.TemporaryDirectory() as name, PLACES[where](Path(name)) as place:
        whole, seconds = _unbroken(root / f"unbroken-{where}", place.execution)
        wrong = list(differing(expected, whole))
        while not wrong and hit.total() < kills and time.monotonic() - since < 60 * minutes:
            folder = begun(root / f"{where}-{seed}-{runs}-{os.getpid()}", place.execution)
            own = struck(folder, place, random.Random(f"{seed} {runs}"), min(4.0, seconds / 6))
            hit, runs = hit + own, runs + 1
            wrong = list(differing(expected, end_of(folder)))
            wrong += [f"at work: {job.label}" for job in jobs_at_work(folder)]
            wrong += left(folder) if place.processes else []
            strikes = ", ".join(f"{number} {kind}" for kind, number in sorted(own.items()))
            print(f"run {runs}: {strikes}: {'DIFFERENT' if wrong else 'equal'}", flush=True)
            if not wrong:
                counted.write_text(json.dumps({"kills": hit, "runs": runs}))
                shutil.rmtree(folder)
        if wrong:
            raise SystemExit("\n".join(wrong))
    print(f"{where}: {hit.total()} kills over {runs} runs, all equal: {dict(hit)}", flush=True)
    return hit


def _unbroken(folder: Path, execution: str = "{launcher: local}") -> tuple[End, float]:
    """The end of a run that nothing strikes, and its seconds; kept for the next call."""
    took = folder.with_suffix(".seconds")
    if not took.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        begun(folder, execution)
        since = time.monotonic()
        finished(folder)
        took.write_text(str(time.monotonic() - since))
        print(f"{folder.name}: {float(took.read_text()):.1f} s", flush=True)
    return end_of(folder), float(took.read_text())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--where", choices=PLACES, default="local")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="goes on where the last call stopped")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    asked = parser.parse_args()
    with contextlib.ExitStack() as stack:
        root = asked.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        root.mkdir(parents=True, exist_ok=True)
        simulated(asked.where, asked.kills, asked.seed, root.resolve(), asked.minutes)


if __name__ == "__main__":
    main()
