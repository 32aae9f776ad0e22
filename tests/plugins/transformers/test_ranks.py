"""A training on several processes is that of one: steps, decisions, bytes after a fault."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

import harness
from harness.config.plugin_entries import PluginEntry
from harness_transformers import ranks
from harness_transformers.lora import LoraTrainer
from harness_transformers.ranks import launching

OPTIONS = {"r": 4, "epochs": 2, "batch_size": 4, "precision": "fp32"}
ALWAYS = 1e-6
FAULT = "FAULT_OF_A_TEST"
ROOT = Path(__file__).parents[3]


class Double(LoraTrainer):
    """Computes in float64: norms too, which transformers' own do in float32, and sums of losses."""

    def work(self, *given):
        import torch

        torch.set_default_dtype(torch.float64)
        try:
            return super().work(*given)
        finally:
            torch.set_default_dtype(torch.float32)

    def _adapted(self, base):
        from torch.nn import RMSNorm

        model = super()._adapted(base)
        for layer in list(model.modules()):
            for name, child in list(layer.named_children()):
                if type(child).__name__ == "LlamaRMSNorm":
                    norm = RMSNorm(len(child.weight), child.variance_epsilon)
                    norm.weight = child.weight
                    setattr(layer, name, norm)
        return model.double()


class PaddedRows(LoraTrainer):
    """Takes the layout of a GPU."""

    def work(self, *given):
        from harness_transformers import layouts

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(layouts, "_lies_flat", lambda *_: False)
            return super().work(*given)


class Weighed(LoraTrainer):
    """Notes how many of the base model's weights this process holds."""

    def work(self, base, train, valid, context, rank=None):
        from harness_transformers import training

        make = training.make

        def weighed(*given):
            made = make(*given)
            frozen = [p for p in made.model.parameters() if not p.requires_grad]
            held = sum(getattr(p, "_local_tensor", p).numel() for p in frozen)
            context.note(held=held)
            return made

        training.make = weighed
        try:
            return super().work(base, train, valid, context, rank)
        finally:
            training.make = make


class Faulty(LoraTrainer):
    """A rank does something bad in a step; ``FAULT_OF_A_TEST`` says ``rank:step:what``."""

    def work(self, *given):
        from harness_transformers.training import Answers

        step = Answers.training_step
        number, when, what = os.environ.get(FAULT, "::").split(":")

        def faulty(trainer, *inputs):
            if os.environ.get("RANK") == number and trainer.state.global_step == int(when):
                _do(what)
            return step(trainer, *inputs)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Answers, "training_step", faulty)
            return super().work(*given)


def _do(what):
    if what == "memory":
        raise MemoryError("no more of it")
    if what == "leave":
        os._exit(0)
    os.kill(os.getpid(), getattr(signal, what))
    time.sleep(60)


@pytest.fixture
def train(base, row, another, monkeypatch):
    """``train(processes, **options)``: one training; its context, and what it said."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def go(processes, kind=LoraTrainer, rows=19, scratch=None, stop=lambda steps: False, **options):
        context = another()
        context.steps, context.said = [], []
        context.report = lambda *step: context.steps.append(step[0])
        context.say, context.cancelled = context.said.append, lambda: stop(context.steps)
        context.scratch, context.checkpoint_minutes = scratch, ALWAYS if scratch else 0
        made = kind.Options(**{**OPTIONS, "processes": processes, **options})
        lists = [
            [row(number + first) for number in range(size)] for first, size in ((0, rows), (100, 6))
        ]
        context.failure = None
        try:
            kind(made).train(base, *lists, context)
        except (harness.HarnessError, harness.Cancelled) as error:
            context.failure = error
        return context

    return go


def lines(context):
    text = (context.output / "log.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def weights(context):
    import safetensors.torch

    return safetensors.torch.load_file(context.output / "adapter_model.safetensors")


def files(context):
    return {path.name: path.read_bytes() for path in context.output.iterdir()}


def assert_equal(found, expected, losses, adapters):
    assert found.failure is None and expected.failure is None
    assert len(lines(found)) == len(lines(expected))
    for ours, theirs in zip(lines(found), lines(expected), strict=True):
        for name, value in theirs.items():
            if isinstance(value, float):
                assert ours[name] == pytest.approx(value, abs=losses, rel=losses), (name, theirs)
            elif not isinstance(value, dict):
                assert ours[name] == value
    assert set(files(found)) == set(files(expected))
    theirs = weights(expected)
    assert all(float((w - theirs[n]).abs().max()) < adapters for n, w in weights(found).items())


def left(folder):
    """Ranks that work for a folder."""
    found = subprocess.run(
        ["pgrep", "-f", str(folder)], capture_output=True, text=True, check=False
    )
    return found.stdout.split()


@pytest.mark.nightly
def test_two_processes_take_the_steps_of_one(train):
    """The one walk of every day: flat rows, accumulation with a short last step, validation."""
    found = train(2, accumulation=2, keep="best", early_stop={"patience": 8})
    assert_equal(
        found, train(1, accumulation=2, keep="best", early_stop={"patience": 8}), 1e-5, 1e-4
    )
    assert found.steps == list(range(7)) and not left(found.output)
    shares = [line["tokens"] for line in lines(found) if "tokens" in line]
    assert len(shares) == 6 and all(len(share) == 2 for share in shares)
    assert len(found.facts["ranks"]) == 2


@pytest.mark.nightly
@pytest.mark.parametrize("processes", [2, 3])
@pytest.mark.parametrize("kind", [LoraTrainer, PaddedRows])
def test_layouts_and_batches_that_are_smaller_than_the_ranks(train, kind, processes):
    options = {"kind": kind, "rows": 9, "batch_size": 2, "accumulation": 3}
    assert_equal(train(processes, **options), train(1, **options), 1e-5, 1e-4)


@pytest.mark.nightly
@pytest.mark.parametrize("processes", [2, 3])
def test_in_float64_losses_are_equal_to_the_ninth_digit(train, processes):
    options = {"kind": Double, "accumulation": 2}
    assert_equal(train(processes, **options), train(1, **options), 1e-9, 1e-9)


@pytest.mark.nightly
@pytest.mark.parametrize("processes", [2, 3])
def test_ranks_that_hold_a_part_of_the_weights_each(train, processes):
    """With fewer rows than ranks, and a best adapter that is taken at the end."""
    options = {"kind": Weighed, "rows": 9, "batch_size": 2, "accumulation": 3, "keep": "best"}
    found, expected = train(processes, strategy="fsdp", **options), train(1, **options)
    assert_equal(found, expected, 1e-5, 1e-4)
    assert found.facts["held"] < 1.1 * expected.facts["held"] / processes


@pytest.mark.nightly
@pytest.mark.parametrize("options", [{}, {"kind": Weighed, "strategy": "fsdp"}])
def test_checkpoints_to_choose_from_are_those_of_one_process(train, options):
    chosen = {"keep": "best", "by": "primary", "checks": 3}
    found, expected = train(2, **options, **chosen), train(1, **chosen)
    folders = sorted(path.name for path in (found.output / "steps").iterdir())
    assert folders == sorted(path.name for path in (expected.output / "steps").iterdir())
    assert len(folders) == 3
    from safetensors.torch import load_file

    for step in folders:
        ours, theirs = (
            load_file(each.output / "steps" / step / "adapter_model.safetensors")
            for each in (found, expected)
        )
        assert all(float((ours[n] - w).abs().max()) < 1e-4 for n, w in theirs.items())


@pytest.mark.nightly
def test_weights_in_parts_go_on_to_the_same_bytes(train, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    options = {"strategy": "fsdp", "dropout": 0.1}
    train(2, scratch=scratch, stop=lambda steps: steps[-1:] == [3], **options)
    last = train(2, scratch=scratch, **options)
    assert last.steps[0] == 3 and files(last) == files(train(2, **options))


@pytest.mark.nightly
@pytest.mark.parametrize("keep", ["last", "best"])
def test_all_ranks_stop_early_alike(train, keep):
    options = {"early_stop": {"patience": 1, "min_delta": 5.0}, "epochs": 4, "keep": keep}
    found, expected = train(3, **options), train(1, **options)
    assert_equal(found, expected, 1e-5, 1e-4)
    assert any(line.get("stopped") for line in lines(found))
    assert found.facts["stopped_step"] == expected.facts["stopped_step"] < 20


@pytest.mark.nightly
def test_killed_and_stopped_it_goes_on_to_the_same_bytes(train, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    options = {"kind": Faulty, "dropout": 0.1, "epochs": 3, "accumulation": 2}
    whole = train(2, **options)
    for fault in ("1:3:SIGKILL", "0:5:SIGKILL", "1:6:SIGSEGV"):
        monkeypatch.setenv(FAULT, fault)
        began = time.monotonic()
        dead = train(2, scratch=scratch, **options)
        number, _, name = fault.split(":")
        assert f"rank {number} of 2" in str(dead.failure), dead.failure
        kind = harness.JobKilled if name == "SIGKILL" else harness.JobDied
        assert isinstance(dead.failure, kind), "such a job is begun again"
        assert not left(dead.output) and not (dead.output / "ranks").exists()
        assert time.monotonic() - began < 90
    monkeypatch.delenv(FAULT)
    stopped = train(2, scratch=scratch, stop=lambda steps: steps[-1:] == [8], **options)
    assert isinstance(stopped.failure, harness.Cancelled) and not left(stopped.output)
    last = train(2, scratch=scratch, **options)
    assert last.steps[0] == 8 and "training goes on after step 8 of 9" in last.said[0]
    assert files(last) == files(whole)


@pytest.mark.nightly
def test_another_number_of_processes_does_not_go_on(train, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    train(2, scratch=scratch, stop=lambda steps: steps[-1:] == [3])
    other = train(3, scratch=scratch)
    assert any("it was made with other processes" in sentence for sentence in other.said)
    assert other.steps[0] == 0


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("1:2:memory", harness.OutOfMemory, "memory is not enough"),
        ("1:2:leave", harness.JobDied, "rank 1 of 2"),
        ("1:2:SIGSTOP", harness.EnvironmentFailure, "rank 1 of 2 hangs"),
    ],
)
def test_one_lost_rank_ends_all(train, monkeypatch, fault, kind, words):
    monkeypatch.setenv(FAULT, fault)
    lost = train(2, kind=Faulty, rank_timeout=3, batch_size=2)
    assert isinstance(lost.failure, kind) and words in str(lost.failure), lost.failure
    assert not left(lost.output)


@pytest.mark.nightly
def test_a_rank_that_meets_bad_rows_says_so_once(train):
    failed = train(2, max_length=8)
    assert isinstance(failed.failure, harness.DataError)


@pytest.fixture
def generator(monkeypatch):
    from harness_transformers.generator import TransformersGenerator

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return lambda processes, **options: TransformersGenerator(
        TransformersGenerator.Options(
            **{"precision": "fp32", "max_new_tokens": 8, "processes": processes, **options}
        )
    )


@pytest.mark.nightly
@pytest.mark.parametrize("processes", [2, 3])
def test_answers_of_several_processes_are_those_of_one(base, row, another, generator, processes):
    rows = [row(number) for number in range(13)]
    long = row(99)
    long = dataclasses.replace(
        long, id="long", messages=({"role": "user", "content": "red blue " * 2000},)
    )
    context, alone = another(), another()
    done = []
    context.report = lambda *step: done.append(step)
    given = [*rows[:5], long, *rows[5:]]
    found = generator(processes, on_too_long="count").generate(base, given, context)
    expected = generator(1, on_too_long="count").generate(base, given, alone)
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert context.facts == alone.facts and context.facts["too_long"] == 1
    assert done[-1] == (13, 13, "answers") and not list(context.output.iterdir())


@pytest.mark.nightly
def test_losses_of_several_processes_are_those_of_one(base, row, another, generator):
    texts = ["red blue", "", "the first of a list", "return the last value of names", "def"]
    found = list(generator(2).losses(base, texts, another()))
    for ours, theirs in zip(found, generator(1).losses(base, texts, another()), strict=True):
        assert ours == (pytest.approx(theirs[0], rel=1e-5), theirs[1])
    rows = [row(number) for number in range(5)]
    found = list(generator(3).answer_losses(base, rows, another()))
    for ours, theirs in zip(found, generator(1).answer_losses(base, rows, another()), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-5)


@pytest.mark.nightly
def test_answers_that_are_stopped_go_on_in_each_process(base, row, another, generator, tmp_path):
    rows = [row(number) for number in range(12)]
    context = another()
    context.scratch = tmp_path / "scratch"
    context.scratch.mkdir()
    context.checkpoint_minutes = ALWAYS
    steps = []
    context.report = lambda done, *_: steps.append(done)
    context.cancelled = lambda: bool(steps) and steps[-1] >= 4
    asked = generator(2, batch_size=1, max_new_tokens=64)
    with pytest.raises(harness.Cancelled):
        list(asked.generate(base, rows, context))
    said = []
    context.cancelled, context.say = lambda: False, said.append
    found = list(asked.generate(base, rows, context))
    assert any("answering goes on after" in sentence for sentence in said), said
    whole = asked.generate(base, rows, another())
    assert sorted(found, key=str) == sorted(whole, key=str)


@pytest.mark.nightly
def test_a_rank_that_hangs_while_it_answers_ends_all(base, row, another, generator):
    """One that has answered is not waited for; one that is stopped is, for so many seconds."""
    context, stopped = another(), []

    def report(done, total, what):
        if not stopped:
            [rank, *_] = children(context.output)
            stopped.append(rank)
            os.kill(rank, signal.SIGSTOP)

    context.report = report
    asked = generator(2, batch_size=1, max_new_tokens=64, rank_timeout=4)
    rows = [row(number) for number in range(8)]
    with pytest.raises(harness.EnvironmentFailure, match=r"rank [01] of 2 hangs") as hung:
        list(asked.generate(base, rows, context))
    assert hung.value.where == "generate.rank_timeout"
    assert not left(context.output)


def children(folder):
    """Processes of ranks, that of the first one first."""
    return sorted(map(int, left(folder)))


def test_time_of_a_rank_that_answers_begins_when_another_one_is_at_work(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(launching.time, "monotonic", lambda: now[0])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(subprocess.Popen("cat", **pipes)) for _ in range(3)]
        members = launching.Members(silent, 60, together=False)
        stack.callback(members.selector.close)
        now[0] = 1000
        members._wait_no_longer()  # all of them load
        for rank, times in enumerate([(1000, 1020, 1040, 1060), (1000, 1059)]):
            for now[0] in times:
                members._take(rank, ["sign"], None)
        now[0] = 1059
        members._wait_no_longer()
        now[0] = 1061
        with pytest.raises(harness.EnvironmentFailure, match=r"rank 2 of 3 hangs.* 61 s"):
            members._wait_no_longer()
        members.answers[2] = {}
        members.failures.append((1, {"kind": "Cancelled"}))
        now[0] = 1259
        members._wait_no_longer()  # ten steps of twenty seconds
        now[0] = 1261
        with pytest.raises(harness.EnvironmentFailure, match=r"rank 0 of 3 hangs.* 201 s"):
            members._wait_no_longer()


def test_one_process_leaves_the_key_as_it_was():
    assert ranks.environment(1, "fsdp") == {}
    assert ranks.environment(2, "fsdp") == {"processes": "2", "strategy": "fsdp"}
    assert ranks.environment(3) == {"processes": "3"}
    one, other = (LoraTrainer.Options(**given) for given in ({}, {"processes": 2, "r": 8}))
    keys = [
        PluginEntry("trainer", "lora", "lora", LoraTrainer(options), "here").key()["options"]
        for options in (one, other)
    ]
    assert {name for name in keys[0] if keys[0][name] != keys[1][name]} == {"r"}
    assert set(LoraTrainer.unkeyed) == set(LoraTrainer.Options.model_fields) - set(keys[0])


def test_processes_without_a_gpu_for_each_are_refused(monkeypatch):
    import torch

    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)
    assert ranks.count("auto", "train.processes") == 2 == ranks.count(2, "")
    with pytest.raises(harness.ConfigError, match="asks for 3 processes, and 2 GPUs"):
        ranks.count(3, "train.processes")
