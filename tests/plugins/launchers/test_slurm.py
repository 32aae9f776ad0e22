"""Jobs by SLURM, on a cluster of one node that is started here."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import harness
from harness_launchers import Launched, LaunchedJob
from harness_launchers.jobs import JobAtWork, jobs_at_work
from harness_launchers.launcher import submitted_in
from harness_launchers.slurm import Slurm as Launcher
from harness_testing import check
from tests.integration.test_side_by_side import BRANCHES, carried_out, check_same
from tests.support import slurm
from tests.support.project import CONFIG, Project

pytestmark = [
    pytest.mark.skipif(bool(slurm.lacking()), reason=f"SLURM: {slurm.lacking()}"),
    pytest.mark.usefixtures("as_outside"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[slurm.Slurm]:
    with slurm.one_node(tmp_path_factory.mktemp("slurm")) as started:
        yield started


def launcher(**options: Any) -> Launcher:
    return Launcher(Launcher.Options(**options))


def job(folder: Path, name: str, code: str, **resources: Any) -> LaunchedJob:
    command = (sys.executable, "-c", code)
    return LaunchedJob(name, folder, command, harness.Resources(**resources))


def awaited(launched: Launcher, name: str, *states: str) -> Launched:
    over = time.monotonic() + 60
    while (state := launched.state(name)).state not in states:
        assert time.monotonic() < over, state
        time.sleep(0.2)
    return state


def test_a_job_is_submitted_once_and_seen_to_its_end(cluster: slurm.Slurm, tmp_path: Path) -> None:
    launched = launcher(partition="main", setup=["export SAID=hello"])
    asked = job(tmp_path, "first", "import os; print(os.environ['SAID'])", cpus=1, hours=1)
    name = launched.submit(asked)
    assert launched.submit(asked) == name
    stopped = tmp_path / "told"  # SIGTERM comes first: a training saves a checkpoint then
    code = (
        "import pathlib, signal, sys, time\n"
        f"told = pathlib.Path({str(stopped)!r})\n"
        "signal.signal(signal.SIGTERM, lambda *_: (told.touch(), sys.exit()))\n"
        "pathlib.Path(f'{told}-begun').touch()\n"
        "time.sleep(600)"
    )
    killed = launched.submit(job(tmp_path, "second", code, cpus=1))
    assert awaited(launched, name, "ended").said == ""
    assert "hello" in launched.logs(name)
    awaited(launched, killed, "running")
    while not Path(f"{stopped}-begun").exists():
        time.sleep(0.1)
    subprocess.run(["scancel", killed], check=True)
    assert awaited(launched, killed, "gone").said == "cancelled" and stopped.exists()
    launched.cancel(killed)
    assert launched.state("99999").state == "gone"


def test_it_obeys_the_rules_of_launchers(cluster: slurm.Slurm) -> None:
    outcomes = check(Launcher, {"partition": "main"})
    (work,) = (outcome for outcome in outcomes if outcome.rule == "work")
    assert work.status == "ok", work.message
    assert not [outcome for outcome in outcomes if outcome.status == "failed"]


def test_what_sbatch_refuses_is_told(cluster: slurm.Slurm, tmp_path: Path) -> None:
    with pytest.raises(harness.EnvironmentFailure, match=r"sbatch refuses: .*invalid partition"):
        launcher(partition="none").submit(job(tmp_path, "third", "pass"))


@pytest.mark.nightly
def test_a_job_that_fails_and_one_whose_node_is_drained(
    cluster: slurm.Slurm, tmp_path: Path
) -> None:
    launched = launcher()
    failing = launched.submit(job(tmp_path, "fourth", "raise SystemExit(3)"))
    assert awaited(launched, failing, "failed").said.endswith("exit code 3")
    cluster.scontrol("update", f"NodeName={cluster.node}", "State=DRAIN", "Reason=test")
    waiting = launched.submit(job(tmp_path, "fifth", "pass"))
    assert awaited(launched, waiting, "waiting")
    time.sleep(3)
    drained = launched.state(waiting)
    assert drained.state == "waiting" and drained.said
    cluster.scontrol("update", f"NodeName={cluster.node}", "State=RESUME")
    assert awaited(launched, waiting, "ended")


def of_slurm(text: str, workers: int = 4) -> str:
    return text.replace("launcher: local", f"launcher: slurm, workers: {workers}").replace(
        "launcher: inline", f"launcher: slurm, workers: {workers}"
    )


@pytest.mark.nightly
def test_the_end_is_that_of_a_run_on_this_machine(cluster: slurm.Slurm, tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    here = carried_out(Project(tmp_path / "here"), 1)
    there = Project(tmp_path / "there")
    text = BRANCHES.replace("launcher: local", "launcher: slurm, workers: 4")
    check_same(here, carried_out(there, 4, text=text))


@pytest.mark.nightly
def test_a_killed_run_finds_its_job(cluster: slurm.Slurm, project: Project) -> None:
    slow = ("--set", "train.seconds=12", "--set", "rounds=1")
    submitted = killed_while_it_trains(project, *slow)
    [alone] = training(project)
    assert (alone.id, alone.attended) == (submitted.id, False)
    assert submitted_in(submitted.folder)
    done = project.inside("iterate", "--json", *slow)
    assert done.code == 0, done.err
    jobs = cluster.scontrol("show", "job", "--oneliner").splitlines()
    [trained] = [job for job in jobs if f"StdOut={submitted.folder}/" in job]
    assert f"JobId={submitted.id} " in trained and "JobState=COMPLETED" in trained


@pytest.mark.nightly
def test_a_job_that_no_run_waits_for_is_listed_and_cancelled(
    cluster: slurm.Slurm, project: Project
) -> None:
    submitted = killed_while_it_trains(project, "--set", "train.seconds=300")
    listed = project.inside("jobs")
    assert submitted.id in listed.out and "train" in listed.out
    assert "JobState=RUNNING" in cluster.scontrol("show", "job", submitted.id)
    cancelled = project.inside("jobs", "--cancel", submitted.id)
    assert cancelled.code == 0, cancelled.err
    assert "JobState=CANCELLED" in cluster.scontrol("show", "job", submitted.id)
    assert training(project) == []


def killed_while_it_trains(project: Project, *options: str) -> JobAtWork:
    """The job of a run that was killed meanwhile."""
    project.write(of_slurm(CONFIG, 1))
    run = project.start("iterate", *options)
    over = time.monotonic() + 90
    while not (jobs := [job for job in training(project) if job.id]):
        assert time.monotonic() < over and run.poll() is None
        time.sleep(0.2)
    run.kill()
    run.communicate()
    [submitted] = jobs
    return submitted


def training(project: Project) -> list[JobAtWork]:
    jobs = jobs_at_work(project.folder)
    return [job for job in jobs if "train" in job.label and job.state == "running"]
