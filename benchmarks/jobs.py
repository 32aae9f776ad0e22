"""What jobs cost beside their work, and what several workers bring.

    python benchmarks/jobs.py [--part local|ray|many|branches|answers|trials]

- local: milliseconds of a job that does nothing, through the run's workers and through a worker
  alone, in turns in one process.
- ray: the same in a warm actor of a Ray that is started here.
- many: 200 jobs that sleep for 2 s, on 8 and on 32 workers of this machine; efficiency is their
  sleep by the time of all workers.
- branches: a run with four arms whose trainings sleep, on one worker and on two.
- answers: three rounds whose answers to dev sleep for each row, on one worker, on two, and on two
  with each pass as four jobs.
- trials: 1,000 trials of ten minutes with a spread of a fifth, by a simulated clock, on 2, 8 and 32
  workers; the run's process is at work for each as long as `branches` measured. Efficiency is the
  work of all trials by the time of all workers.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.records import Checkpoint, Example
from harness.records.context import silent, unheard
from harness.registry import Registry
from harness.run.job import Job, write
from harness.run.worker import Worker
from harness.run.workers import Workers
from harness.stages import Resources

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.project import CONFIG, Project

PLUGIN = """
import time
import harness

class Echo(harness.Generator):
    name = "echo"
    class Options(harness.Options):
        seconds: float = 0.0
        each: float = 0.0
        jobs: int = 1
    def jobs(self):
        return self.options.jobs
    def generate(self, checkpoint, examples, context):
        time.sleep(self.options.seconds)
        for row in examples:
            time.sleep(self.options.each)
            yield harness.Prediction(row.id, row.prompt)

@harness.hookimpl
def register_generators():
    return [Echo]
"""


def laid_out(folder: Path, plugin: Path, **options: float) -> Path:
    rows = [Example("e1", ({"role": "user", "content": "text"},))]
    job = Job(
        "generator", "echo", options, (str(plugin),), Checkpoint("base", "/x", "d"), ("examples",),
        seed=5, round=0, arm="main",
    )  # fmt: skip
    write(job, {"examples": rows}, folder)
    return folder


def timed(call: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - begun)


def never() -> bool:
    return False


def local(folder: Path, plugin: Path, jobs: int = 60) -> None:
    alone, pool = [], []
    with Worker() as worker, Workers(2) as workers:
        for number in range(jobs):
            for times, do in ((alone, worker.do), (pool, workers.do)):
                place = laid_out(folder / f"{number}-{len(times)}-{do is worker.do}", plugin)
                times.append(timed(lambda do=do, place=place: do(place, silent, never)))
    before, after = statistics.median(alone[5:]), statistics.median(pool[5:])
    print(f"local: {before:.1f} ms a job alone, {after:.1f} ms by the run's workers "
          f"(+{after - before:.1f}; median of {jobs - 5})")  # fmt: skip


def ray(folder: Path, plugin: Path, jobs: int = 30) -> None:
    made = Registry.build().get("runner", "ray").plugin
    launched = made(made.Options())
    times = []
    for number in range(jobs):
        place = laid_out(folder / f"ray-{number}", plugin)
        times.append(
            timed(lambda place=place: launched.do(place, Resources(), "", silent, never, unheard))
        )
    launched.close()
    print(f"ray: {times[0] / 1000:.1f} s the first job, {statistics.median(times[1:]):.0f} ms each "
          f"of {jobs - 1} in a warm actor (at most {max(times[1:]):.0f})")  # fmt: skip


def many(folder: Path, plugin: Path, jobs: int = 200, seconds: float = 2.0) -> None:
    for count in (8, 32):
        with Workers(count) as workers:
            # Each worker starts before the clock does.
            for part, number, sleep in (("first", count, 1.0), ("rest", jobs, seconds)):
                places = [
                    laid_out(folder / f"{count}-{part}-{n}", plugin, seconds=sleep)
                    for n in range(number)
                ]
                begun = time.perf_counter()
                list(workers.side_by_side(
                    [lambda place=place: workers.do(place, silent, never) for place in places]
                ))  # fmt: skip
        took = time.perf_counter() - begun
        print(f"many: {jobs} jobs of {seconds:.0f} s on {count} workers take {took:.1f} s: "
              f"efficiency {jobs * seconds / count / took:.2f}")  # fmt: skip


def branches(folder: Path, seconds: float = 15.0) -> float:
    arms = "\n".join(f"- {{name: a{n}, set: {{train.gain: 0.00{n}}}}}" for n in range(1, 5))
    took = {}
    for workers in (1, 2):
        project = Project(folder / f"branches-{workers}")
        project.folder.mkdir()
        text = CONFIG.replace("rounds: 3", "rounds: 1").replace(
            "launcher: inline", f"launcher: local, workers: {workers}"
        )
        project.write(text)
        assert project.inside("iterate", "--json").code == 0
        project.write(
            text.replace("train: {plugin: fake}", f"train: {{plugin: fake, seconds: {seconds}}}")
        )
        assert project.inside("iterate", "--json").code == 0
        project.write(project.folder.joinpath("harness.yaml").read_text() + f"arms:\n{arms}\n")
        begun = time.perf_counter()
        done = project.inside("iterate", "--json")
        took[workers] = time.perf_counter() - begun
        assert done.code == 0, done.err
        assert len(json.loads(done.out)["arms"]) == 4
    own = took[1] - 4 * seconds
    print(f"branches: four trainings of {seconds:.0f} s take {took[1]:.1f} s on one worker, "
          f"{took[2]:.1f} s on two: {took[1] / took[2]:.2f} times as fast; "
          f"{250 * own:.0f} ms each beside the sleep")  # fmt: skip
    return own / 4


def answers(folder: Path, plugin: Path, seconds: float = 0.25) -> None:
    took = {}
    for workers, jobs in ((1, 1), (2, 1), (2, 4)):
        project = Project(folder / f"answers-{workers}-{jobs}")
        project.folder.mkdir()
        text = CONFIG.replace("plugins: [", f"plugins: [{plugin}, ").replace(
            "launcher: inline", f"launcher: local, workers: {workers}"
        )
        project.write(
            text.replace(
                "generate: {plugin: fake}",
                f"generate: {{plugin: echo, each: {seconds}, jobs: {jobs}}}",
            )
        )
        begun = time.perf_counter()
        done = project.inside("iterate", "--json", "--no-test")
        took[workers, jobs] = time.perf_counter() - begun
        assert done.code == 0, done.err
    one, two, shared = took.values()
    print(f"answers: three rounds whose four passes sleep for {seconds} s at each of 48 rows take "
          f"{one:.1f} s on one worker, {two:.1f} s on two, {shared:.1f} s on two with jobs: 4: "
          f"{one / shared:.2f} times as fast")  # fmt: skip


def trials(each: float, number: int = 1000, mean: float = 600.0) -> None:
    draw = random.Random(7)
    work = [max(60.0, draw.gauss(mean, mean / 5)) for _ in range(number)]
    for workers in (2, 8, 32):
        for parallel in (workers, math.ceil(workers * 5 / 4), 2 * workers, number):
            took = simulated(work, workers, parallel, each)
            share = sum(work) / (workers * took)
            print(f"trials: {workers} workers, parallel: {parallel}: efficiency {share:.2f}")


def simulated(work: list[float], workers: int, parallel: int, each: float) -> float:
    """Seconds until all is done, where one process is busy for ``each`` of them, and each waits for
    the ends of those ``parallel`` or more places before it."""
    turn, free = 0.0, [0.0] * workers
    ended: list[float] = []
    for number, seconds in enumerate(work):
        before = ended[number - parallel] if number >= parallel else 0.0
        begin = turn = max(heapq.heappop(free), turn, before) + each
        heapq.heappush(free, begin + seconds)
        ended.append(max([begin + seconds, *ended[-1:]]))
    return ended[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=["local", "ray", "many", "branches", "answers", "trials"])
    part = parser.parse_args().part
    with tempfile.TemporaryDirectory() as name:
        folder, plugin = Path(name), Path(name) / "echo.py"
        plugin.write_text(PLUGIN)
        if part in (None, "local"):
            local(folder, plugin)
        if part in (None, "ray"):
            ray(folder, plugin)
        if part in (None, "many"):
            many(folder, plugin)
        if part in (None, "answers"):
            answers(folder, plugin)
        each = branches(folder) if part in (None, "branches", "trials") else 0.0
        if part in (None, "trials"):
            trials(each)


if __name__ == "__main__":
    main()
