"""Jobs by Ray: in one that is started here, warm actors, and what becomes of them."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.run.job import write_question
from harness_launchers import Launched, LaunchedJob
from harness_launchers.ray import Ray
from tests.integration.test_side_by_side import BRANCHES, carried_out, check_same
from tests.support.project import Project

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
import run_kills

pytestmark = pytest.mark.nightly


@pytest.fixture
def launcher() -> Iterator[Ray]:
    made = Ray(Ray.Options())
    yield made
    made.close()


def awaited(launched: Ray, name: str, *states: str) -> Launched:
    over = time.monotonic() + 120
    while (state := launched.state(name)).state not in states:
        assert time.monotonic() < over, state
        time.sleep(0.2)
    return state


def job(folder: Path, name: str, **resources: Any) -> LaunchedJob:
    return LaunchedJob(name, folder, (sys.executable,), harness.Resources(**resources))


def test_a_job_is_known_by_its_name_and_waits_for_what_it_needs(
    launcher: Ray, tmp_path: Path
) -> None:
    first = launcher.submit(job(tmp_path, "one"))
    assert launcher.submit(job(tmp_path, "one")) == first
    assert awaited(launcher, first, "failed").state == "failed", "there is no job in that folder"
    more = launcher.submit(job(tmp_path, "two", cpus=10_000))
    assert awaited(launcher, more, "waiting").said == "for free resources of the cluster"
    launcher.cancel(more)
    awaited(launcher, more, "gone")
    assert launcher.state("0").state == "gone"


def test_a_job_has_failed_where_its_actor_was_killed_whenever_that_is_asked(
    launcher: Ray, tmp_path: Path
) -> None:
    write_question([], [], tmp_path)
    name = launcher.submit(job(tmp_path, "one"))
    awaited(launcher, name, "ended")
    [actor] = launcher._handles.values()
    ray = launcher._connected()
    os.kill(ray.get(actor.__ray_call__.remote(lambda self: os.getpid())), signal.SIGKILL)
    over = time.monotonic() + 60
    while ray.util.list_named_actors(all_namespaces=True):  # from then on its name is not known
        assert time.monotonic() < over
        time.sleep(0.1)
    assert launcher.state(name).state == "failed"
    other = launcher.submit(job(tmp_path, "two"))
    assert launcher.state(name).state == "failed", "another job has met the dead actor, too"
    awaited(launcher, other, "ended")


def test_a_new_actor_belongs_to_the_job_that_it_was_made_for(launcher: Ray) -> None:
    ray = launcher._connected()
    name = launcher._with_room(ray, harness.Resources())
    assert not ray.get(launcher._handles[name].taken.remote())


def test_a_job_that_was_just_handed_over_is_not_gone(launcher: Ray, tmp_path: Path) -> None:
    for n in range(10):
        handed = launcher.submit(job(tmp_path, f"job {n}"))
        assert launcher.state(handed).state != "gone"
        awaited(launcher, handed, "failed")


def test_an_actor_without_a_job_gives_way_to_one_that_waits(launcher: Ray, tmp_path: Path) -> None:
    cpus = int(launcher._connected().cluster_resources()["CPU"])
    launcher.submit(job(tmp_path, "one", cpus=cpus))  # its end is never asked for
    other = launcher.submit(job(tmp_path, "two", cpus=cpus, memory=1))
    assert awaited(launcher, other, "failed").state == "failed", "it was begun"


def test_an_actor_that_waits_itself_is_not_asked_to_give_way(launcher: Ray, tmp_path: Path) -> None:
    first = launcher.submit(job(tmp_path, "one", cpus=10_000))
    second = launcher.submit(job(tmp_path, "two", cpus=10_001))
    launcher._handles[second.partition("/")[0]] = None  # it cannot be asked anything
    assert awaited(launcher, first, "waiting").said == "for free resources of the cluster"


def test_a_cluster_that_was_started_again_is_met_anew(tmp_path: Path) -> None:
    # A short path: that of a socket has 107 bytes at most.
    with tempfile.TemporaryDirectory() as short, run_kills.ray(Path(short)) as place:
        made = Ray(Ray.Options(address=place.execution.split("'")[1]))
        try:
            awaited(made, made.submit(job(tmp_path, "one")), "failed")
            with subprocess.Popen(["true"]) as process:
                place.strikes["raylet"](process, random.Random(1))
            write_question([], [], tmp_path)
            for number in range(60):
                with contextlib.suppress(harness.EnvironmentFailure):  # no fault of the job's
                    name = made.submit(job(tmp_path, f"again-{number}"))
                    if awaited(made, name, "ended", "failed", "gone").state == "ended":
                        break
            assert made.state(name).state == "ended"
        finally:
            made._connected().shutdown()  # a process that is connected ends with the cluster
            made.close()


def test_the_end_is_that_of_a_run_on_this_machine(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    here = carried_out(Project(tmp_path / "here"), 1)
    text = BRANCHES.replace("launcher: local", "launcher: ray, workers: 3")
    check_same(here, carried_out(Project(tmp_path / "there"), 3, text=text))


def test_a_ray_that_has_ended_knows_no_job() -> None:
    assert Ray(Ray.Options()).state("harness-1/one").state == "gone"
