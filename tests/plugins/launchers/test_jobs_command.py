"""`harness jobs`: what is at work in a folder, from another terminal."""

from __future__ import annotations

import json

import pytest

import harness
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
@pytest.mark.nightly(but_each=2)
def test_a_training_is_shown_and_a_launched_one_outlives_its_run(
    project: Project, text: str
) -> None:
    project.write(text)
    run = project.start("iterate", "--set", "train.seconds=900", "--set", "train.parts=900")
    until(
        lambda: (
            run.poll() is not None
            or any("train" in job.label and job.left for job in at_work(project))
        ),
        "the training",
    )
    shown = project.inside("jobs")
    assert shown.code == 0
    assert "round 1: train" in shown.out and "of 900 step" in shown.out and "left" in shown.out
    run.kill()
    run.communicate()
    if text is LAUNCHED:
        [job] = project.inside("jobs", "--json").document
        assert job["state"] == "running" and not job["attended"]
        cancelled = project.inside("jobs", "--cancel", job["id"])
        assert cancelled.code == 0 and json.dumps(job["id"])[1:-1] in cancelled.err
    assert at_work(project) == []


def at_work(project: Project) -> list[harness.JobAtWork]:
    return harness.jobs_at_work(project.folder)
