"""Memory runs out, by a limit on a process: fewer rows at once, and the same results."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import harness
from tests.support.later import Later

torch = Later("torch")
memory = Later("harness_transformers.memory")

# One process imports the libraries; each attempt is a fork of it. The first one measures how much
# the work takes, the others get a share of that.
SCRIPT = """
import json, os, re, resource, sys, traceback
from pathlib import Path
import torch, transformers, peft
import harness
from harness_transformers import training
from harness_transformers.generator import TransformersGenerator
from harness_transformers.lora import LoraTrainer

torch.set_num_threads(1)
folder, kind = Path(sys.argv[1]), sys.argv[2]
base = harness.Checkpoint("base", sys.argv[3], "d", "tiny")

def size(name):
    return int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

def row(number):
    text = f"{number} " + "list of names value " * (200 + number)
    return harness.Example(f"r{number}", ({"role": "user", "content": text},), ("red blue",))

def attempt(number, limit):
    (folder / f"output-{number}").mkdir()
    context = harness.Context(folder / f"output-{number}", seed=3)
    told, hold = {"said": []}, []
    context.say = told["said"].append
    def report(done, total, what):
        if done == 0:
            before = told["before"] = size("VmSize")
            resource.setrlimit(resource.RLIMIT_AS, (before, -1))
            while True:  # what the heap has free would count neither as needed nor as limited
                try:
                    hold.append(bytearray(1 << 20))
                except MemoryError:
                    del hold[-1:]
                    break
            most = -1 if limit is None else before + limit
            resource.setrlimit(resource.RLIMIT_AS, (most, -1))
    context.report = report
    rows = [row(n) for n in range(16 if kind == "train" else 32)]
    try:
        if kind == "train":
            options = {"r": 2, "epochs": 3, "precision": "fp32", "max_length": 2048,
                       "learning_rate": 0.01, "batch_size": 16}
            LoraTrainer(LoraTrainer.Options(**options)).train(base, rows, (), context)
            lines = (context.output / "log.jsonl").read_text().splitlines()
            told["result"] = [json.loads(line)["loss"] for line in lines]
        else:
            options = {"max_new_tokens": 4, "precision": "fp32", "batch_size": 32}
            generator = TransformersGenerator(TransformersGenerator.Options(**options))
            found = generator.generate(base, rows, context)
            told["result"] = sorted([one.example_id, one.text] for one in found)
    except harness.HarnessError as error:
        told["error"] = [type(error).__name__, error.what, error.hint]
    hold.clear()
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
    told["grown"] = size("VmPeak") - told["before"]
    told["remarks"] = context.facts.get("remarks", [])
    (folder / f"{number}.json").write_text(json.dumps(told))

def forked(number, limit):
    child = os.fork()
    if child == 0:
        try:
            attempt(number, limit)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return json.loads((folder / f"{number}.json").read_text())

whole = forked(0, None)
forked(1, int(0.6 * whole["grown"]))
forked(2, 0)
"""


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("kind", ["train", "generate"])
def test_half_the_rows_at_once_give_the_same(tiny, tmp_path, kind):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), kind, str(tiny)]
    # One arena: glibc reserves 64 MB of addresses for each, which a limit on addresses counts.
    environment = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    whole, limited, none = (
        json.loads((tmp_path / f"{number}.json").read_text()) for number in range(3)
    )
    assert (whole["said"], whole["remarks"]) == ([], [])
    what = "16 rows" if kind == "train" else "32 prompts"
    half = 8 if kind == "train" else 16
    assert limited["said"][0] == f"memory ran out with {what} at once; going on with {half}"
    assert len(limited["remarks"]) == 1
    assert limited["remarks"][0].startswith("memory ran out in ")
    if kind == "train":
        assert len(whole["result"]) == 3 and whole["result"][2] < whole["result"][0]
        assert limited["result"] == pytest.approx(whole["result"], rel=1e-5)
    else:
        assert len({text for _, text in whole["result"]}) > 1
        assert limited["result"] == whole["result"]
    assert none["error"][0] == "OutOfMemory"
    assert none["error"][1].startswith("the memory is not enough to ")
    assert "batch" not in none["error"][2] and "quantization" in none["error"][2]


@pytest.mark.parametrize(
    ("error", "yes"),
    [
        (MemoryError(), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 12 bytes"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("can't allocate memory"), False),
    ],
)
def test_which_errors_say_that_memory_ran_out(error, yes):
    assert memory.ran_out(error) is yes


def test_the_error_of_cuda_says_that_memory_ran_out():
    assert memory.ran_out(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))


def fitting(most, rows, at_once, again=lambda: None):
    def work(part):
        if len(part) > most:
            raise MemoryError
        return list(part)

    return at_once.run(rows, work, again)


def test_halving_goes_on_until_it_fits_and_stays():
    said, again = [], []
    at_once = memory.AtOnce(10, said.append, "rows")
    assert fitting(3, range(10), at_once, lambda: again.append(1)) == [
        [0, 1, 2], [3, 4, 5], [6, 7, 8], [9],
    ]  # fmt: skip
    assert said == [
        "memory ran out with 10 rows at once; going on with 5",
        "memory ran out with 5 rows at once; going on with 3",
    ]
    assert len(again) == 2 and at_once.halved
    fitting(3, range(10), at_once)
    assert len(said) == 2


def test_one_row_that_does_not_fit_and_other_errors_are_raised():
    with pytest.raises(MemoryError):
        fitting(0, range(4), memory.AtOnce(4, lambda sentence: None, "rows"))
    at_once = memory.AtOnce(4, lambda sentence: None, "rows")
    with pytest.raises(ZeroDivisionError):
        at_once.run([1], lambda part: 1 // 0, lambda: None)
    with pytest.raises(RuntimeError, match="another"):
        at_once.run([1, 2], lambda part: (_ for _ in ()).throw(RuntimeError("another")), print)
    assert not at_once.halved


def test_what_was_answered_before_memory_ran_out_is_not_answered_again():
    asked = []

    def work(places, at_once):
        asked.append((list(places), at_once))
        for place in places:
            if at_once > 2 and place == 2:
                raise MemoryError
            yield place, -place

    at_once = memory.AtOnce(8, lambda sentence: None, "prompts")
    found = list(at_once.stream(range(8), work))
    assert found == [(place, -place) for place in range(8)]
    left = [2, 3, 4, 5, 6, 7]
    assert asked == [(list(range(8)), 8), (left, 3), (left, 2)]


def test_a_step_that_is_done_again_begins_where_it_began():
    layer = torch.nn.Linear(2, 1)
    layer(torch.ones(1, 2)).sum().backward()
    gradient, state = layer.weight.grad.clone(), torch.get_rng_state()
    before = memory.Before(layer)
    torch.nn.functional.dropout(layer(torch.ones(1, 2))).sum().backward()
    before.restore()
    before.restore()
    assert torch.equal(layer.weight.grad, gradient)
    assert torch.equal(torch.get_rng_state(), state)


def test_other_errors_keep_their_message():
    with pytest.raises(RuntimeError, match="shapes"), memory.told("to do it", "hint"):
        raise RuntimeError("shapes")
    short = pytest.raises(harness.EnvironmentFailure, match="not enough to do it")
    with short as caught, memory.told("to do it", "buy more"):
        raise MemoryError
    assert caught.value.hint == "buy more"
