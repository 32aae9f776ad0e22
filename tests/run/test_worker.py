"""One worker for all jobs of a run: what it keeps, what no job can change, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.errors import Cancelled, DataError, EnvironmentFailure, PluginError
from harness.kit.files import read_jsonl
from harness.records import Checkpoint, Example
from harness.registry import Registry
from harness.run import forked
from harness.run.job import Job, write, write_question
from harness.run.worker import Worker
from tests.support.waiting import until

PLUGIN = r"""
import multiprocessing, os, signal, subprocess, sys, threading, time
import harness
from harness.errors import DataError

LOADED = []
SEEN = {}

class Keeping(harness.Generator):
    name = "keeping"
    class Options(harness.Options):
        do: str = ""
        fails: bool = False

    def preload(self, checkpoint):
        print("loading ahead", flush=True)
        if self.options.do == "preload dies":
            os._exit(9)
        if self.options.fails:
            raise RuntimeError("no such library")
        if checkpoint not in LOADED:
            LOADED.append(checkpoint)

    def environment(self):
        return {"loaded": str(LOADED), "parent": str(os.getppid())}

    def generate(self, checkpoint, examples, context):
        do = self.options.do
        print("job", do, flush=True)
        if do == "change":
            os.environ["HARNESS_TEST"] = "changed"
            os.chdir("/")
            sys.setrecursionlimit(500)
            LOADED.clear()
            SEEN["before"] = True
        if do == "fails":
            os.environ["HARNESS_TEST"] = "changed"
            raise DataError("bad row")
        if do == "leaves a process":
            left = subprocess.Popen(["sleep", "600"])
            context.note(left=left.pid)
        if do == "ends a fork":
            forks = multiprocessing.get_context("fork")
            begun = forks.Event()
            fork = forks.Process(target=lambda: (begun.set(), time.sleep(600)))
            fork.start()
            begun.wait()
            fork.terminate()
            fork.join(10)
            context.note(code=fork.exitcode)
        if do == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if do == "kill the worker":
            os.kill(os.getppid(), signal.SIGKILL)
        if do in ("wait", "kill the worker"):
            for step in range(2400):
                context.progress(step, 2400, str(os.getpid()))
                time.sleep(0.05)
        context.note(
            worker=os.getppid(), loaded=len(LOADED), seen=dict(SEEN), folder=os.getcwd(),
            changed=os.environ.get("HARNESS_TEST", ""), limit=sys.getrecursionlimit(),
            threads=threading.active_count(), group=os.getpgid(0) == os.getpid(),
        )
        for row in examples:
            yield harness.Prediction(row.id, row.prompt)

@harness.hookimpl
def register_generators():
    return [Keeping]
"""


@pytest.fixture
def lay(tmp_path):
    path = tmp_path / "keeping.py"
    path.write_text(PLUGIN)

    def go(do="", **options):
        made = Job(
            "generator", "keeping", {"do": do, **options}, (str(path),),
            Checkpoint("base", "/x", "d"), ("examples",), seed=5, round=2, arm="main",
        )  # fmt: skip
        folder = tmp_path / f"job-{len(list(tmp_path.iterdir()))}"
        write(made, {"examples": [Example("e", ({"role": "user", "content": "text"},))]}, folder)
        return folder

    return go


@pytest.fixture
def run(lay):
    with Worker() as worker:

        def go(do="", *, report=lambda *step: None, stop=lambda: False, **options):
            return worker.do(lay(do, **options), report, stop)["facts"]

        yield go


def alive(process):
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(process):
    return until(lambda: not alive(process), f"the end of process {process}")


def test_threads_that_share_a_worker_wait_for_each_other(lay):
    folders = [lay(f"{number}") for number in range(3)]
    with Worker() as worker, ThreadPoolExecutor(3) as threads:
        results = threads.map(
            lambda folder: worker.do(folder, lambda *step: None, lambda: False), folders
        )
        assert len([*results]) == 3


def test_jobs_share_what_was_loaded_ahead_and_nothing_that_a_job_did(run):
    first = run()
    run("change")
    with pytest.raises(DataError, match="bad row"):
        run("fails")
    assert run() == first
    assert (first["loaded"], first["seen"], first["changed"]) == (1, {}, "")


@pytest.mark.nightly
def test_each_log_has_its_own_job_alone(lay):
    folders = [lay("one"), lay("two")]
    with Worker() as worker:
        for folder in folders:
            worker.do(folder, lambda *step: None, lambda: False)
    texts = [(folder / "log.txt").read_text().splitlines() for folder in folders]
    assert texts == [["loading ahead", "job one"], ["loading ahead", "job two"]]


@pytest.mark.nightly
def test_environments_are_asked_in_the_same_worker(run, tmp_path, lay):
    lay()
    (tmp_path / "asked").mkdir()
    path = tmp_path / "keeping.py"
    keeping = Registry.build([path]).get("generator", "keeping").plugin
    entry = SimpleNamespace(
        stage="generator", part="generator", plugin="keeping", instance=keeping()
    )
    write_question([entry], [str(path)], tmp_path / "asked")
    with Worker() as worker:
        answer = worker.do(tmp_path / "asked", lambda *step: None, lambda: False)["answer"]
        job = worker.do(lay(), lambda *step: None, lambda: False)["facts"]
    assert answer["generator"] == {"loaded": "[None]", "parent": str(job["worker"])}
    assert job["loaded"] == 2


@pytest.mark.nightly
def test_a_job_that_is_killed_takes_nothing_else_along(run):
    before = run()
    with pytest.raises(EnvironmentFailure, match=r"was killed \(signal 9\)"):
        run("kill")
    assert run() == before


@pytest.mark.nightly
def test_a_worker_that_is_killed_takes_its_job_along_and_the_next_job_gets_another(run):
    before, jobs = run(), []
    with pytest.raises(EnvironmentFailure, match=r"was killed \(signal 9\)"):
        run("kill the worker", report=lambda done, total, what: jobs.append(int(what)))
    assert all(map(gone, jobs))
    after = run()
    assert after["worker"] != before["worker"]
    os.kill(after["worker"], signal.SIGKILL)  # between two jobs nobody waits for it
    assert gone(after["worker"])
    assert run()["worker"] not in (before["worker"], after["worker"])


@pytest.mark.nightly
def test_loading_ahead_that_fails_is_logged_and_ends_the_worker_after_the_job(lay):
    with Worker() as worker:
        folder = lay(fails=True)
        first = worker.do(folder, lambda *step: None, lambda: False)["facts"]
        second = worker.do(lay(), lambda *step: None, lambda: False)["facts"]
    assert first["loaded"] == 0 and second["loaded"] == 1
    assert first["worker"] != second["worker"]
    assert "RuntimeError: no such library" in (folder / "log.txt").read_text()


@pytest.mark.nightly
def test_loading_ahead_that_dies_says_so(run):
    with pytest.raises(PluginError, match=r"ended without an answer \(exit code 9\)"):
        run("preload dies")
    assert run()["loaded"] == 1


@pytest.mark.nightly
def test_a_run_may_have_it_load_before_there_is_a_job(lay):
    with Worker() as worker:
        worker.load(lay())
        facts = worker.do(lay(), lambda *step: None, lambda: False)["facts"]
        assert facts["loaded"] == 1
        folder = lay("fails")
        worker.load(folder)
        with pytest.raises(DataError, match="bad row"):
            worker.do(folder, lambda *step: None, lambda: False)
        again = worker.do(lay(), lambda *step: None, lambda: False)["facts"]
        assert again == facts


@pytest.mark.nightly
@pytest.mark.parametrize("options", [{"fails": True}, {"do": "preload dies"}])
def test_what_goes_wrong_before_there_is_a_job_costs_no_job(lay, options):
    with Worker() as worker:
        worker.load(lay(**options))
        assert worker.do(lay(), lambda *step: None, lambda: False)["facts"]["loaded"] == 1


def test_what_a_job_leaves_running_is_ended_with_it(run):
    facts = run("leaves a process")
    assert gone(facts["left"]) and alive(facts["worker"])


def test_a_process_that_a_job_forks_can_be_ended_by_it(run):
    assert run("ends a fork")["code"] == -signal.SIGTERM


def test_a_job_that_was_stopped_stops_and_the_next_one_is_done(run):
    steps = []
    with pytest.raises(Cancelled):
        run("wait", report=lambda *step: steps.append(step), stop=lambda: len(steps) > 2)
    assert run()["loaded"] == 1


@pytest.mark.nightly
def test_nothing_is_left_where_the_run_fails_in_the_middle_of_a_job(run):
    seen = [run()["worker"]]

    def fail(done, total, what):
        seen.append(int(what))
        raise RuntimeError("the display broke")

    with pytest.raises(RuntimeError, match="the display broke"):
        run("wait", report=fail)
    assert len(seen) == 2 and all(map(gone, seen))


@pytest.mark.nightly
def test_a_worker_that_nobody_closes_ends_with_its_run(lay):
    worker = Worker()
    process = worker.do(lay(), lambda *step: None, lambda: False)["facts"]["worker"]
    assert alive(process)
    del worker
    assert gone(process)


ALONE = """
import os, sys
from pathlib import Path
from types import SimpleNamespace
from harness.run.worker import Worker
def say(done, total, what):
    print(what, flush=True)
Worker().do(Path(sys.argv[1]), say, lambda: False)
"""


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("with_worker", [False, True], ids=["the run", "the run and its worker"])
def test_job_and_worker_end_where_the_runs_process_is_killed(lay, with_worker):
    command = [sys.executable, "-c", ALONE, str(lay("wait"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        job = int(parent.stdout.readline())
        status = Path(f"/proc/{job}/status").read_text()
        worker = int(status.partition("PPid:")[2].split()[0])
        assert alive(job) and alive(worker)
        if with_worker:  # at once: neither can end the job
            os.kill(worker, signal.SIGSTOP)
        parent.kill()
        if with_worker:
            os.kill(worker, signal.SIGKILL)
    assert gone(job) and gone(worker)


@pytest.mark.nightly
def test_where_forks_are_not_safe_each_job_has_a_worker_of_its_own(lay, monkeypatch, tmp_path):
    code = (
        "from harness.run import forked, worker_process\n"
        "forked.FORKS = False\n"
        "worker_process.main()\n"
    )
    real = subprocess.Popen

    def started(command, **settings):
        return real([sys.executable, "-P", "-c", code], **settings)

    monkeypatch.setattr("harness.kit.gate.Popen", started)
    steps = []
    with Worker() as worker:
        folder = lay()
        facts = [
            worker.do(folder, lambda *step: None, lambda: False)["facts"]
            for folder in (folder, lay())
        ]
        with pytest.raises(DataError, match="bad row"):
            worker.do(lay("fails"), lambda *step: None, lambda: False)
        with pytest.raises(Cancelled):
            worker.do(lay("wait"), lambda *step: steps.append(step), lambda: len(steps) > 2)
    assert [one["loaded"] for one in facts] == [0, 0] and forked.FORKS
    assert [row["text"] for row in read_jsonl(folder / "output" / "predictions.jsonl")] == ["text"]


def test_threads_of_a_worker_wait_asleep_unless_the_user_says_how():
    from harness.run.worker import environment

    assert environment({"A": "1"}) == {"A": "1", "GOMP_SPINCOUNT": "1000"}
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        assert environment({name: "x"}) == {name: "x"}
