"""What a job leaves in a worker that has done others: the same bytes as from a fresh process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.errors import DataError
from harness.records import Checkpoint, from_json
from harness.run.job import Job, run_inline, write
from harness.run.worker import Worker
from harness_transformers import loading, preloading, shared
from harness_transformers.generator import TransformersGenerator
from harness_transformers.lora import LoraTrainer

SPOILER = """
import os, random
import harness

class Spoiler(harness.Generator):
    name = "spoiler"
    def generate(self, checkpoint, examples, context):
        import numpy, torch
        from harness_transformers import shared
        assert len(shared.KEPT) == 2
        for weights in shared.KEPT.values():
            for parameter in getattr(weights, "parameters", list)():
                parameter.data.zero_()
        torch.manual_seed(1), numpy.random.seed(1), random.seed(1)
        torch.set_default_dtype(torch.float64)
        torch.set_num_threads(3)
        torch.use_deterministic_algorithms(True)
        torch.nn.functional.cross_entropy = torch.nn.functional.linear = None
        os.environ["ACCELERATE_USE_CPU"] = "nonsense"
        os.environ["TOKENIZERS_PARALLELISM"] = "true"
        raise harness.DataError("all is spoilt")

@harness.hookimpl
def register_generators():
    return [Spoiler]
"""
TRAINER = {"r": 4, "epochs": 1, "batch_size": 4, "precision": "fp32", "dropout": 0.1}
GENERATOR = {"max_new_tokens": 6, "batch_size": 3, "precision": "fp32"}


@pytest.fixture
def jobs(tmp_path, base, row):
    """``jobs(name, stage, ...)``: the folder of a job."""
    (tmp_path / "spoiler.py").write_text(SPOILER)
    rows = [row(number) for number in range(8)]

    def lay(name, stage, plugin, options, *, checkpoint=base, seed=3, of=slice(None)):
        given = {"examples": rows} if stage == "generator" else {"train": rows[of], "valid": ()}
        made = Job(
            stage, plugin, options, (str(tmp_path / "spoiler.py"),), checkpoint, tuple(given),
            seed=seed, round=1, arm="main",
        )  # fmt: skip
        write(made, given, tmp_path / name)
        return tmp_path / name

    return lay


def left(folder):
    """Every file that a job has left -> its content."""
    return {path.name: path.read_bytes() for path in (folder / "output").iterdir()}


def quiet(done, total, what):
    return


def never():
    return False


@pytest.mark.nightly
def test_jobs_of_one_worker_leave_the_bytes_of_fresh_processes(jobs, base, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as this process has it
    with Worker() as worker:

        def done(folder):
            return worker.do(folder, quiet, never)

        spoil = jobs("spoil", "generator", "spoiler", {})
        first = jobs("first", "trainer", "lora", TRAINER, of=slice(5))
        adapter = from_json(Checkpoint, done(first)["answer"])
        answers = jobs("answers", "generator", "transformers", GENERATOR, checkpoint=adapter)
        done(answers)
        with pytest.raises(DataError, match="all is spoilt"):
            done(spoil)
        with pytest.raises(DataError, match="no token to learn"):
            done(jobs("bad", "trainer", "lora", {**TRAINER, "max_length": 8}))
        second = jobs("second", "trainer", "lora", TRAINER, seed=4)
        done(second)
        again = jobs("again", "generator", "transformers", GENERATOR, checkpoint=adapter)
        done(again)

    for folder, plugin, options in (
        (first, LoraTrainer, TRAINER), (answers, TransformersGenerator, GENERATOR),
    ):  # fmt: skip
        found = left(folder)
        for path in (folder / "output").iterdir():
            path.unlink() if folder is answers else path.rename(folder / path.name)
        run_inline(folder, plugin(plugin.Options(**options)), quiet, never)
        assert left(folder) == found and len(found) == (3 if plugin is LoraTrainer else 1)
    assert left(again) == left(answers)

    # As it was before there was a worker: a process that has loaded nothing ahead.
    real = subprocess.Popen
    alone = "from harness.run import worker_process as w; w.FORKS = False; w.main()"
    monkeypatch.setattr(
        "harness.kit.gate.Popen",
        lambda command, **settings: real([sys.executable, "-P", "-c", alone], **settings),
    )
    fresh = jobs("fresh", "trainer", "lora", TRAINER, seed=4)
    with Worker() as worker:
        worker.do(fresh, quiet, never)
    assert left(fresh) == left(second)
    assert left(second)["adapter_model.safetensors"] != left(first)["adapter_model.safetensors"]


@pytest.fixture
def forgotten():
    shared.KEPT.clear()
    yield
    shared.KEPT.clear()


def test_what_is_kept_is_of_one_base_and_only_while_its_files_are_the_same(
    base, retemplated, forgotten, tmp_path
):
    import shutil

    import torch

    folder = shutil.copytree(base.path, tmp_path / "copy")
    copy = Checkpoint("base", str(folder), "d", "copy")
    preloading.preload(copy, "fp32", ())
    assert len(shared.KEPT) == 2
    model = loading.base_of(copy, torch.float32)
    assert loading.base_of(copy, torch.float32) is not model  # whoever took it may change it
    preloading.preload(copy, "fp32", ())
    kept = list(shared.KEPT.values())
    assert loading.base_of(copy, torch.bfloat16).dtype == torch.bfloat16
    assert loading.base_of(base, torch.float32) not in kept
    (folder / "config.json").touch()
    assert loading.base_of(copy, torch.float32) not in kept
    preloading.preload(base, "fp32", ())
    assert len(shared.KEPT) == 2 and not set(kept) & set(shared.KEPT.values())


def test_loading_ahead_draws_no_random_number(base, forgotten):
    import torch

    before = torch.get_rng_state()
    preloading.preload(base, "fp32", ())
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("info", [{"quantization": "4bit"}, {"trust_remote_code": True}])
def test_what_cannot_be_given_back_as_it_was_is_not_kept(base, forgotten, info):
    preloading.preload(Checkpoint("base", base.path, "d", info=info), "fp32", ())
    assert shared.KEPT == {}


def test_where_a_gpu_is_seen_nothing_is_loaded_before_the_fork(base, forgotten, monkeypatch):
    import torch

    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("cuda"))
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    preloading.preload(base, "fp32", ("no.such.module",))
    assert shared.KEPT == {}
