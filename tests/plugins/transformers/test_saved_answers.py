"""An interrupted generation goes on to the answers of an unbroken one."""

from __future__ import annotations

import contextlib
import json
import random
import resource
import subprocess
import sys

import pytest

import harness
from harness_transformers.generator import TransformersGenerator
from tests.support.project import Project

WORDS = ("find", "the", "red", "list", "of", "names", "and", "count", "all", "that", "is", "open")
ALWAYS = 1e-6
"""Minutes between two times of saving: after each step, or batch."""
OPTIONS = {
    "greedy": {"precision": "bf16"},
    "sampling": {"precision": "bf16", "do_sample": True, "temperature": 1.5},
}


class Killed(Exception):
    """Stands for a kill where the process of the tests has to live on."""


@pytest.fixture
def answer(base, row, another, tmp_path):
    """``answer(die_at=None)``: one attempt; its answers (None: it ended before), what it said."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    rows = [row(n, " ".join(WORDS[: 1 + 5 * n % 11])) for n in range(23)]

    def go(die_at=None, minutes=ALWAYS, stop_at=None, rows=rows, saving=True, **options):
        said, steps = [], []
        context = another()
        context.scratch = scratch if saving else None
        context.checkpoint_minutes, context.say = minutes, said.append
        context.cancelled = lambda: stop_at is not None and bool(steps) and steps[-1] >= stop_at

        def report(done, total, what):
            steps.append(done)
            if die_at is not None and done >= die_at:
                raise Killed

        context.report = report
        settings = {"max_new_tokens": 14, "batch_size": 4, "precision": "fp32", **options}
        made = None
        with contextlib.suppress(Killed, harness.Cancelled):
            asked = TransformersGenerator(TransformersGenerator.Options(**settings))
            made = {p.example_id: p for p in asked.generate(base, rows, context)}
        return made, said, steps

    go.scratch = scratch
    return go


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("kind", OPTIONS)
def test_killed_twice_it_gives_the_same_answers(answer, kind):
    unbroken, said, _ = answer(saving=False, **OPTIONS[kind])
    assert said == [] and len({p.text for p in unbroken.values()}) > 5
    assert answer(die_at=7, **OPTIONS[kind])[0] is None
    _, said, steps = answer(die_at=16, **OPTIONS[kind])
    assert said == [f"answering goes on after {steps[0]} of 23 answers, which were saved"]
    assert 4 <= steps[0] < 16
    again, _, steps = answer(**OPTIONS[kind])
    assert 12 <= steps[0] < 23 and steps[-1] == 23
    assert again == unbroken


@pytest.mark.nightly
@pytest.mark.parametrize("kind", OPTIONS)
def test_ctrl_c_saves_what_is_done_however_seldom_it_is_saved(answer, kind):
    unbroken = answer(saving=False, **OPTIONS[kind])[0]
    stopped, _, steps = answer(stop_at=9, minutes=60, **OPTIONS[kind])
    assert stopped is None and 9 <= steps[-1] < 14
    again, said, more = answer(minutes=60, **OPTIONS[kind])
    assert more[0] == steps[-1] and "goes on after" in said[0]
    assert again == unbroken


def test_where_saving_is_not_wanted_nothing_is_written(answer):
    answer(stop_at=9, minutes=0)
    assert [path for path in answer.scratch.rglob("*") if path.is_file()] == []


def test_what_is_cut_or_belongs_to_other_prompts_is_passed_over(answer, row):
    answer(die_at=9)
    newest, older = sorted(answer.scratch.glob("*/step-*"), key=lambda p: -int(p.name[5:]))
    path = newest / "answers.pt"
    path.write_bytes(path.read_bytes()[:-100])
    _, said, steps = answer(die_at=12)
    assert "answers.pt is not what was written" in said[0] and "goes on" in said[1] and steps[0]
    assert older.name != newest.name
    _, said, steps = answer(rows=[row(number) for number in range(3)])
    assert said and all("is passed over: it was made with other prompts" in text for text in said)
    assert steps[0] == 0


@pytest.mark.nightly
def test_a_disk_that_takes_nothing_is_one_sentence_and_answering_goes_on(answer):
    unbroken = answer(saving=False)[0]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        made, said, _ = answer()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert said == ["answers cannot be saved yet (File too large); answering goes on"]
    assert made == unbroken


@pytest.mark.nightly
def test_memory_that_runs_out_after_a_kill_answers_no_prompt_twice(answer, monkeypatch):
    from harness_transformers import greedy

    unbroken = answer(saving=False)[0]
    answer(die_at=8)
    plain, left = greedy._logits, [3]

    def short(*given):
        left[0] -= 1
        if not left[0]:
            raise MemoryError
        return plain(*given)

    monkeypatch.setattr(greedy, "_logits", short)
    again, said, _ = answer()
    assert "memory ran out with 4 prompts at once; going on with 2" in said
    assert again == unbroken


KILLER = """
import contextlib, json, os, signal, sys, time
from pathlib import Path
import torch, transformers, peft, harness_transformers.saved_answers
from harness.cli import main

torch.set_num_threads(1)
sys.argv = ["harness", *sys.argv[2:]]
waits = json.loads(sys.stdin.read())

def newest():
    found = Path().glob(".harness/work/*/generate-*/scratch/answers/step-*")
    return max((int(path.name.removeprefix("step-")) for path in found), default=0)

for wait in [*waits, None]:
    begun = newest()
    child = os.fork()
    if child == 0:
        code = 0
        with contextlib.suppress(SystemExit):
            main()
        os._exit(code)
    if wait is not None:
        # A number of steps that are saved, then a moment in the writing of the next one.
        steps, seconds = wait
        while newest() < begun + steps and os.waitpid(child, os.WNOHANG) == (0, 0):
            time.sleep(0.002)
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)
"""
CONFIG = """\
rounds: 1
data: {{source: jsonl, path: rows.jsonl}}
model: {{source: local, path: {folder}}}
train: {{plugin: lora, r: 2, epochs: 1, precision: fp32}}
generate: {{plugin: transformers, max_new_tokens: 20, batch_size: 2, precision: bf16}}
metrics: [{{plugin: exact}}]
primary: exact
analyze: []
detect: []
report: []
baselines: []
probes: []
execution: {{launcher: inline, checkpoint_minutes: {minutes}}}
"""


def rows(count):
    for split, number in (("train", 4), ("dev", count), ("test", 4)):
        for n in range(number):
            text = f"{split} {n}: {' '.join(WORDS[: 1 + 5 * n % 11])}"
            yield {"split": split, "references": ["find"], "messages": [
                {"role": "user", "content": text}]}  # fmt: skip


@pytest.mark.nightly
@pytest.mark.parametrize(("kills", "sample"), [(15, "false"), (15, "true")])
def test_kills_at_random_places_change_no_byte(tiny, tmp_path, kills, sample):
    draw = random.Random(kills)
    waits = [(draw.randrange(1, 5), draw.random() / 50) for _ in range(kills)]
    made = []
    for minutes in (0, ALWAYS):
        project = Project(tmp_path / str(minutes))
        project.folder.mkdir()
        project.write("\n".join(map(json.dumps, rows(40))), "rows.jsonl")
        config = CONFIG.format(folder=tiny, minutes=minutes)
        project.write(config.replace("batch_size: 2,", f"batch_size: 2, do_sample: {sample},"))
        command = [sys.executable, "-c", KILLER, "", "iterate", "--json", "--no-test"]
        ended = subprocess.run(
            command, input=json.dumps(waits if minutes else []), cwd=project.folder,
            capture_output=True, text=True,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        manifests = project.manifests()
        names = [name for name in manifests if name.startswith("generate")]
        assert names, ended.stderr
        made.append([manifests[name] for name in names])
        if minutes:
            assert ended.stderr.count("answering goes on after") >= kills // 3, ended.stderr
        assert not list(project.folder.glob(".harness/work/*/generate-*"))
    assert made[0] == made[1]
