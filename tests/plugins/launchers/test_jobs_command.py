"""`harness jobs`: what is at work in a folder, from another terminal."""

from __future__ import annotations

import json
import time

import pytest

from harness.records.context import silent
from harness.run.at_work import AtWork
from harness_launchers.jobs import JobAtWork, jobs_at_work
from tests.support.launchers import SAMPLE
from tests.support.project import CONFIG, FAKES, Project
from tests.support.waiting import until

LAUNCHED = CONFIG.replace(f"[{FAKES}]", f"[{FAKES}, {SAMPLE}]").replace(
    "launcher: inline", "launcher: sample"
)


def test_nothing_is_at_work(project: Project) -> None:
    assert project.inside("jobs").out == "no jobs are at work in this folder\n"
    assert project.inside("jobs", "--json").document == []
    done = project.inside("jobs", "--cancel", "7")
    assert done.code == 2 and "no launcher has a job '7'" in done.err


@pytest.mark.parametrize("text", [CONFIG.replace("inline", "local"), LAUNCHED])
@pytest.mark.nightly
@pytest.mark.usefixtures("as_outside")
def test_a_training_is_shown_and_a_launched_one_outlives_its_run(
    project: Project, text: str
) -> None:
    project.write(text)
    run = project.start("iterate", "--set", "train.seconds=24")
    until(
        lambda: (
            run.poll() is not None
            or any("train" in job.label and job.total for job in at_work(project))
        ),
        "the training",
    )
    shown = project.inside("jobs")
    assert shown.code == 0
    assert "round 1: train" in shown.out and "of 3 step" in shown.out
    run.kill()
    run.communicate()
    if text is LAUNCHED:
        [job] = project.inside("jobs", "--json").document
        assert job["state"] == "running" and not job["attended"]
        cancelled = project.inside("jobs", "--cancel", job["id"])
        assert cancelled.code == 0 and json.dumps(job["id"])[1:-1] in cancelled.err
    assert at_work(project) == []


def test_time_left_is_that_of_the_pace_and_not_of_the_queue(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    folder = project.folder / ".harness" / "work" / "run" / "train-1"
    folder.mkdir(parents=True)
    with AtWork(folder, "round 1: train", "local") as job:
        report = job.hearing(silent)
        for step in range(240, 301):  # it goes on from a checkpoint, after an hour in a queue
            monkeypatch.setattr(time, "monotonic", lambda step=step: now + 3600 + 2 * step)
            report(step, 600, "steps")
        monkeypatch.undo()
        [shown] = at_work(project)
        assert (shown.done, shown.left) == (300, pytest.approx(600, rel=0.05))


def test_a_job_without_an_id_is_yet_to_be_submitted_and_cannot_be_cancelled(
    project: Project,
) -> None:
    folder = project.folder / ".harness" / "work" / "run" / "train-1"
    folder.mkdir(parents=True)
    with AtWork(folder, "round 1: train", "slurm"):
        [job] = at_work(project)
        assert (job.id, job.state, job.said) == ("", "waiting", "to be submitted")
        assert project.inside("jobs", "--cancel", "all").err == ""


def at_work(project: Project) -> list[JobAtWork]:
    return jobs_at_work(project.folder)
