"""A trainer that is interrupted goes on where it was, from what it left in ``context.scratch``."""

from __future__ import annotations

import json
import os
import signal

import pytest

from harness.run import scratch
from tests.support.project import CONFIG, FAKES

TRAINER = f"""
import json, os, runpy
import harness

FAKES = runpy.run_path({str(FAKES)!r})

class Counting(FAKES["FakeTrainer"]):
    '''Takes six steps, and keeps the number of those that are done.'''

    name = "counting"

    class Options(harness.Options):
        steps: int = 6

    def train(self, base, train, valid, context):
        path = context.scratch / "done.json"
        done = json.loads(path.read_text()) if path.exists() else 0
        if done:
            context.say(f"goes on after step {{done}}, a [bold]step[/bold]\\x1b[31m")
        with open("taken.txt", "a") as taken:
            for step in range(done + 1, self.options.steps + 1):
                path.write_text(json.dumps(step))
                taken.write(f"{{context.round}} {{step}} {{context.checkpoint_minutes}}\\n")
                taken.flush()
                if (context.round, step) == (1, int(os.environ.get("DIE_AT", 0))):
                    os.kill(os.getpid(), 9)
                context.progress(step, self.options.steps)
        skill = base.info["skill"] + 0.1
        (context.output / "skill.json").write_text(json.dumps(skill))
        return harness.Checkpoint(
            "adapter", str(context.output), "", "fake", info={{"skill": skill}}
        )

@harness.hookimpl
def register_trainers():
    return [Counting]
"""
GIVEN = ("iterate", "--rounds", "2", "--json", "--set", "report=[]")


@pytest.fixture
def counting(project):
    (project.folder / "counting.py").write_text(TRAINER)
    text = CONFIG.replace(f"[{FAKES}]", f"[{FAKES}, counting.py]")
    project.write(text.replace("train: {plugin: fake}", "train: {plugin: counting}"))
    return project


def taken(project):
    lines = (project.folder / "taken.txt").read_text().splitlines()
    return [tuple(line.split()[:2]) for line in lines]


def left(project):
    return list((project.folder / ".harness" / "work").glob("*/*/scratch/*"))


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("launcher", ["inline", "local"])
def test_a_killed_trainer_goes_on_and_nothing_of_its_scratch_stays(counting, launcher):
    given = (*GIVEN, "--set", f"execution.launcher={launcher}")
    alive = counting.harness(*given, DIE_AT="4")
    if launcher == "inline":
        assert alive.code == -signal.SIGKILL
        assert left(counting)
        alive = counting.harness(*given)
    else:
        assert "the job's process was killed (signal 9)" in alive.err
    assert alive.code == 0, alive.err
    assert "note: round 1: train: goes on after step 4, a [bold]step[/bold]" in alive.err
    assert "\x1b" not in alive.err
    steps = [str(step) for step in range(1, 7)]
    assert taken(counting) == [(r, step) for r in "12" for step in steps]
    assert not left(counting)


def ago(path, seconds):
    """Set the time of a file back."""
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


@pytest.mark.nightly
def test_a_training_in_two_attempts_took_as_long_as_both(counting):
    assert counting.harness(*GIVEN, DIE_AT="4").code == -signal.SIGKILL
    [note] = (counting.folder / ".harness" / "work").glob("*/train-*/seconds")
    ago(note, 6600)
    budget = ("--set", "execution.budget.hours=1")
    stopped = counting.inside(*GIVEN, *budget)
    assert stopped.code == 130, stopped.err
    assert "round 2: train is expected to take 1 h 50 min" in " ".join(stopped.err.split())
    assert not left(counting)
    done = counting.inside(*GIVEN)
    assert done.document["seconds"]["train"] == pytest.approx(6600, abs=5)


def test_an_attempt_counts_up_to_what_it_left_last(tmp_path):
    folder = tmp_path / "train-1"
    note, kept = folder / scratch.SECONDS, scratch.of(folder) / "step"
    assert scratch.begun(folder) == 0
    kept.write_text("1")
    ago(note, 60)
    scratch.keep_alone(folder)
    assert scratch.begun(folder) == pytest.approx(60, abs=1)
    # Nothing came of the second attempt, whenever the third one begins.
    ago(kept, 30)
    assert scratch.begun(folder) == pytest.approx(60, abs=1)
    kept.write_text("2")
    ago(note, 40)
    assert scratch.begun(folder) == pytest.approx(100, abs=1)
    kept.unlink()
    scratch.keep_alone(folder)
    assert scratch.begun(folder) == 0


@pytest.mark.nightly
def test_how_often_it_saves_is_the_configs_and_makes_no_other_run(counting):
    first = counting.inside(*GIVEN, "--set", "execution.checkpoint_minutes=2.5")
    lines = (counting.folder / "taken.txt").read_text().splitlines()
    assert {line.split()[2] for line in lines} == {"2.5"}
    assert counting.inside(*GIVEN).bare == first.bare
    assert len(taken(counting)) == 12


@pytest.mark.nightly
def test_another_run_uses_nothing_of_it(counting):
    assert counting.harness(*GIVEN, DIE_AT="4").code == -signal.SIGKILL
    text = (counting.folder / "counting.py").read_text()
    (counting.folder / "counting.py").write_text(text + "\n# changed\n")
    assert counting.harness(*GIVEN, DIE_AT="2").code == -signal.SIGKILL
    assert [step for _, step in taken(counting)] == ["1", "2", "3", "4", "1", "2"]
    done = counting.inside(*GIVEN)
    assert done.code == 0, done.err
    assert len(left(counting)) == 1, "that of the run that was given up stays"


@pytest.mark.nightly
@pytest.mark.parametrize("workers", [(), ("--set", "execution={launcher: local, workers: 2}")])
def test_in_one_run_the_scratch_of_an_earlier_key_is_removed(counting, monkeypatch, workers):
    import harness.run.run

    assert counting.harness(*GIVEN, DIE_AT="4").code == -signal.SIGKILL
    monkeypatch.setattr(harness.run.run, "CORE_REVISION", -1)
    done = counting.inside(*GIVEN, *workers)
    assert done.code == 0, done.err
    assert not left(counting)
    assert [step for _, step in taken(counting)][4:] == [str(n) for n in [*range(1, 7)] * 2]


@pytest.mark.nightly
def test_an_attempt_with_other_settings_loses_nothing_of_the_first(counting, monkeypatch):
    import harness.run.run

    assert counting.harness(*GIVEN, DIE_AT="4").code == -signal.SIGKILL
    with monkeypatch.context() as another:
        another.setattr(harness.run.run, "CORE_REVISION", -1)
        begun = counting.harness(*GIVEN, DIE_AT="2")
        assert "begins anew; what an interrupted attempt has saved" in " ".join(begun.err.split())
        again = counting.harness(*GIVEN, DIE_AT="3")
        assert "begins anew" not in again.err and "goes on after step 2" in again.err
    done = counting.inside(*GIVEN)
    assert "goes on after step 4" in done.err
    assert not left(counting)


def test_a_plugin_outside_of_a_run_has_no_scratch(tmp_path):
    import harness

    context = harness.Context(tmp_path)
    assert context.scratch is None
    context.say("nobody hears it")
    assert json.dumps(context.facts) == "{}"
