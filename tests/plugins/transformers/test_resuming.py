"""An interrupted training goes on to the bytes of an unbroken one."""

from __future__ import annotations

import contextlib
import hashlib
import json
import resource
import subprocess
import sys

import pytest

import harness
from harness_transformers.lora import LoraTrainer
from tests.support.project import Project

ALWAYS = 1e-6
"""Minutes between two checkpoints: one after each step."""
OPTIONS = {"r": 4, "epochs": 3, "batch_size": 2, "precision": "fp32", "dropout": 0.1}


class Killed(Exception):
    """Stands for a kill where the process of the tests has to live on."""


@pytest.fixture
def train(base, row, another, tmp_path):
    """``train(die_at=None, **fields)``: one attempt; what it said, and its context."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    rows = [row(number) for number in range(9)]

    def go(die_at=None, minutes=ALWAYS, options=OPTIONS, stop=lambda steps: False, **fields):
        said, steps = [], []
        context = another(**fields)
        context.scratch = scratch
        context.checkpoint_minutes, context.say = minutes, said.append
        context.cancelled = lambda: stop(steps)

        def report(done, total, what):
            steps.append(done)
            if done == die_at:
                raise Killed

        context.report = report
        with contextlib.suppress(Killed, harness.Cancelled):
            LoraTrainer(LoraTrainer.Options(**options)).train(base, rows, rows[:3], context)
        context.said, context.steps, context.scratch = said, steps, scratch
        return context

    return go


def result(context):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(context.output.iterdir())
    }


def cut(folder):
    path = folder / "optimizer.pt"
    path.write_bytes(path.read_bytes()[:-100])


def kept(context):
    return sorted(int(path.name.removeprefix("step-")) for path in context.scratch.iterdir())


@pytest.fixture
def unbroken(train):
    whole = train(minutes=0)
    assert not kept(whole) and not whole.said
    return result(whole)


@pytest.mark.nightly
def test_killed_in_an_epoch_and_at_its_end_it_gives_the_same_bytes(train, unbroken):
    assert set(unbroken) == {"adapter_config.json", "adapter_model.safetensors", "log.jsonl"}
    dead = train(die_at=8)
    assert kept(dead) == [6, 7]
    again = train(die_at=11)
    assert again.said == ["training goes on after step 7 of 15, from its last checkpoint"]
    assert kept(again) == [9, 10] and again.steps == [7, 8, 9, 10, 11]
    last = train()
    assert last.said == ["training goes on after step 10 of 15, from its last checkpoint"]
    assert last.steps == list(range(10, 16))
    assert result(last) == unbroken


@pytest.mark.nightly
def test_killed_with_accumulation(train, unbroken):
    options = {**OPTIONS, "accumulation": 2, "epochs": 4}
    whole = result(train(minutes=0, options=options))
    for step in (2, 4, 5, 7):
        train(die_at=step, options=options)
    last = train(options=options)
    assert last.steps[0] == 6
    assert result(last) == whole != unbroken


@pytest.mark.nightly
def test_saving_alone_changes_nothing(train, unbroken):
    assert result(train()) == unbroken


@pytest.mark.nightly
def test_ctrl_c_saves_what_is_done_however_long_ago_the_last_checkpoint_was(train, unbroken):
    stopped = train(minutes=60, stop=lambda steps: bool(steps) and steps[-1] >= 7)
    assert kept(stopped) == [7] and stopped.steps[-1] == 7
    stopped = train(minutes=60, stop=lambda steps: bool(steps) and steps[-1] >= 10)
    assert kept(stopped) == [7, 10], "the end of an epoch"
    assert result(train(minutes=60)) == unbroken


@pytest.mark.nightly
def test_ctrl_c_while_the_next_rows_are_fetched_loses_nothing(train, unbroken, monkeypatch):
    """It comes after the last word on a checkpoint for the steps that are done."""
    from harness_transformers.layouts import Flat

    plain, fetched = Flat.__call__, []

    def fetching(layout, rows):
        fetched.append(len(rows))
        return plain(layout, rows)

    monkeypatch.setattr(Flat, "__call__", fetching)
    before = []

    def stop(steps):
        if steps[-1:] == [7] and not before:
            before.append(len(fetched))
        return bool(before) and len(fetched) > before[0]

    stopped = train(minutes=60, stop=stop)
    assert kept(stopped) and stopped.steps[-1] == kept(stopped)[-1] < 10
    assert result(train(minutes=60)) == unbroken


@pytest.mark.nightly
def test_ctrl_c_in_the_last_step_leaves_the_adapter(train, unbroken):
    assert result(train(minutes=60, stop=lambda steps: steps[-1:] == [15])) == unbroken


@pytest.mark.nightly
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(train, unbroken):
    dead = train(die_at=8)
    cut(dead.scratch / "step-7")
    last = train()
    assert last.said == [
        "the checkpoint of step 7 is passed over: optimizer.pt is not what was written",
        "training goes on after step 6 of 15, from its last checkpoint",
    ]
    assert result(last) == unbroken


@pytest.mark.nightly
def test_where_none_verifies_training_begins_anew(train, unbroken):
    dead = train(die_at=8)
    for folder in dead.scratch.iterdir():
        cut(folder)
    last = train()
    assert len(last.said) == 2 and "step 6" in last.said[1]
    assert last.steps[:2] == [0, 1]
    assert result(last) == unbroken


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"options": {**OPTIONS, "learning_rate": 1e-3}}, "it was made with other options"),
        ({"seed": 12}, "it was made with other seed"),
    ],
)
def test_one_of_another_training_is_passed_over(train, change, reason):
    train(die_at=2)
    other = train(die_at=2, **change)
    assert other.said == [f"the checkpoint of step 1 is passed over: {reason}"]
    assert other.steps[0] == 0


@pytest.mark.nightly
def test_a_disk_that_takes_no_checkpoint_is_one_sentence_and_training_goes_on(train, unbroken):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        done = train(die_at=6)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert done.said == ["no checkpoint can be written (File too large); training goes on"]
    assert kept(done) == [] and done.steps[-1] == 6
    assert result(train()) == unbroken


KILLER = """
import contextlib, os, signal, sys, time
from pathlib import Path
import torch, transformers, peft, harness_transformers.resuming
from harness.cli import main

torch.set_num_threads(1)
sys.argv = ["harness", *sys.argv[1:]]

def newest():
    found = Path().glob(".harness/work/*/train-*/scratch/step-*")
    return max((int(path.name.removeprefix("step-")) for path in found), default=0)

for least in (2, 8, None):
    child = os.fork()
    if child == 0:
        code = 0
        with contextlib.suppress(SystemExit):
            main()
        os._exit(code)
    while least is not None and newest() < least:
        assert os.waitpid(child, os.WNOHANG) == (0, 0), "it ended before it was killed"
        time.sleep(0.005)
    if least is not None:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""
CONFIG = """\
rounds: 1
data: {{source: jsonl, path: rows.jsonl}}
model: {{source: local, path: {folder}}}
train: {{plugin: lora, r: 2, epochs: 4, batch_size: 4, precision: fp32}}
generate: {{plugin: transformers, max_new_tokens: 2, precision: fp32}}
metrics: [{{plugin: exact}}]
primary: exact
analyze: []
detect: []
report: []
execution: {{launcher: inline, checkpoint_minutes: {minutes}}}
"""
ROWS = [
    {"split": split, "references": ["find the red"],
     "messages": [{"role": "user", "content": f"{split} number {n}"}]}
    for split, count in (("train", 24), ("dev", 4), ("test", 4)) for n in range(count)
]  # fmt: skip


@pytest.mark.nightly
def test_killed_twice_the_same_command_gives_what_an_unbroken_run_gives(tiny, tmp_path):
    trained = []
    for minutes, killed in ((0, False), (ALWAYS, True)):
        project = Project(tmp_path / str(killed))
        project.folder.mkdir()
        project.write("\n".join(map(json.dumps, ROWS)), "rows.jsonl")
        project.write(CONFIG.format(folder=tiny, minutes=minutes))
        if killed:
            command = [sys.executable, "-c", KILLER, "iterate", "--json"]
            ended = subprocess.run(command, cwd=project.folder, capture_output=True, text=True)
            said = [line for line in ended.stderr.splitlines() if "goes on after step" in line]
            assert ended.returncode == 0 and len(said) == 2, ended.stderr
            assert said[0].startswith("note: round 1: train: training goes on after step ")
        else:
            done = project.inside("iterate", "--json")
            assert done.code == 0, done.err
        manifests = project.manifests()
        trained.append([manifests[name] for name in manifests if name.startswith("train/")])
        assert not list(project.folder.glob(".harness/work/*/train-*"))
    assert len(trained[0]) == 1
    assert trained[0] == trained[1]
