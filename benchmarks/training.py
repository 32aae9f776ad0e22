"""LoRA training on a CPU, beside transformers' Trainer with PEFT and TRL's SFTTrainer.

    pip install trl
    python benchmarks/training.py [--rows mixed|short] [--steps 4] [--repeats 3] [--sides ours ...]
    python benchmarks/training.py --losses

Each side is a process of its own; the sides take turns, alone on the machine, and learn the same
rows (the last 30 % of each row's tokens) for one epoch: r 16 and alpha 32 on all linear layers, 8
rows a step, bf16. Counted are real tokens, without padding, per second from the first step to the
last, and the process's peak memory; the least seconds of the repeats count. `allocator` is the
padded Trainer with the memory settings that ours makes (glibc's tunables).

`--losses` has ours and the padded Trainer take 100 steps in float32 on the same batches, from the
same adapter, and compares the losses. Lines are added to benchmarks/recorded/training.jsonl. The
base model is the one of the default run, in the cache once `harness iterate` has been called.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "recorded" / "training.jsonl"
SIDES = ("ours", "padded", "grouped", "trl", "allocator")
LENGTHS = {"mixed": (30, 600), "short": (50, 110)}
"""Least and most tokens of a row."""
LEARNED = 0.3
LOSS_STEPS = 100
TUNABLES = (
    "glibc.malloc.trim_threshold=2147483647:glibc.malloc.mmap_threshold=33554432"
    ":glibc.malloc.hugetlb=1"
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", choices=LENGTHS, default="mixed")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES)
    parser.add_argument("--losses", action="store_true")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(_child(given)))
    elif given.losses:
        _record(_losses(given))
    else:
        _record(_speeds(given))


def _record(line: dict[str, Any]) -> None:
    line["versions"] = {}
    for name in ("torch", "transformers", "peft", "accelerate", "trl"):
        with contextlib.suppress(PackageNotFoundError):  # TRL is there for its side alone
            line["versions"][name] = version(name)
    with RECORDED.open("a") as stream:
        stream.write(json.dumps(line) + "\n")


def _speeds(given: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in given.sides}
    for _ in range(given.repeats):
        for side in given.sides:
            found[side].append(_run(side, given))
            print(".", end="", flush=True)
    print()
    best = {side: min(runs, key=lambda run: run["seconds"]) for side, runs in found.items()}
    print(f"{'side':10}{'tokens/s':>10}{'ours':>8}{'peak':>10}{'ours':>8}   loss of each step")
    for side, run in best.items():
        speed = run["tokens"] / run["seconds"]
        ratio = best["ours"]["tokens"] / best["ours"]["seconds"] / speed
        memory = best["ours"]["peak_mib"] / run["peak_mib"]
        losses = " ".join(f"{loss:.3f}" for loss in run["losses"])
        peak = f"{run['peak_mib']:.0f} MiB"
        print(f"{side:10}{speed:10.0f}{ratio:7.2f}x{peak:>10}{memory:7.2f}x   {losses}")
    return {"rows": given.rows, "steps": given.steps, "sides": found}


def _losses(given: argparse.Namespace) -> dict[str, Any]:
    given.rows, given.steps = "short", LOSS_STEPS
    runs = {side: _run(side, given) for side in ("ours", "padded")}
    apart = [
        abs(one - other) / other
        for one, other in zip(runs["ours"]["losses"], runs["padded"]["losses"], strict=True)
    ]
    print(f"step 1: {apart[0]:.1e}, step {len(apart)}: {apart[-1]:.1e}, most: {max(apart):.1e}")
    return {"losses": {side: run["losses"] for side, run in runs.items()}}


def _run(side: str, given: argparse.Namespace) -> dict[str, Any]:
    environment = dict(os.environ)
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        environment.pop(name, None)
    if side == "allocator":
        environment["GLIBC_TUNABLES"] = TUNABLES
    command = [sys.executable, __file__, "--side", side, "--rows", given.rows]
    command += ["--steps", str(given.steps), *(["--losses"] if given.losses else [])]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{side}: {done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _child(given: argparse.Namespace) -> dict[str, Any]:
    from harness_transformers.quiet import quietly

    exact = given.losses
    rows = _rows(given, 2 if exact else 8)
    with tempfile.TemporaryDirectory() as folder, quietly():
        make = _ours if given.side == "ours" else _trl if given.side == "trl" else _plain
        return make(rows, given, Path(folder), exact)


def _rows(given: argparse.Namespace, batch: int) -> list[tuple[list[int], int]]:
    """Rows of functions of the standard library: tokens, and how many of the last are learned."""
    from library import library
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(_base())
    generator = random.Random(12)
    texts = [text for _, text in library(deep=False)[1]]
    generator.shuffle(texts)
    least, most = LENGTHS[given.rows]
    rows, rest = [], iter(texts)
    for _ in range(batch * given.steps):
        tokens: list[int] = []
        length = generator.randint(least, most)
        while len(tokens) < length:
            tokens += tokenizer(next(rest) + "\n")["input_ids"]
        rows.append((tokens[:length], max(1, round(LEARNED * length))))
    return rows


def _base() -> str:
    found = sorted(Path.home().glob(".cache/harness/models/smollm2-135m-instruct-*"))
    if not found:
        sys.exit("the base model is not in the cache: call harness iterate once")
    return str(found[-1])


def _measured(trainer: Any, rows: Any) -> dict[str, Any]:
    from transformers import TrainerCallback

    class Clock(TrainerCallback):  # type: ignore[misc]
        begin = end = 0.0

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.begin = self.begin or time.perf_counter()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            self.end = time.perf_counter()

    clock = Clock()
    trainer.add_callback(clock)
    trainer.train()
    return {
        "tokens": sum(len(ids) for ids, _ in rows),
        "seconds": clock.end - clock.begin,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "losses": [entry["loss"] for entry in trainer.state.log_history if "loss" in entry],
    }


def _ours(rows: Any, given: Any, folder: Path, exact: bool) -> dict[str, Any]:
    import harness
    from harness_transformers import allocation, arguments, layouts, training
    from harness_transformers.encoding import IGNORED, Encoded
    from harness_transformers.lora import LoraTrainer

    plugin = LoraTrainer(LoraTrainer.Options(**_options(exact)))
    encoded = [
        Encoded(str(n), ids, [*[IGNORED] * (len(ids) - learned), *ids[-learned:]], False)
        for n, (ids, learned) in enumerate(rows)
    ]
    context = harness.Context(folder, 3)
    _seed()
    with allocation.kept():
        model = plugin._adapted(harness.Checkpoint("base", _base(), "d"))
        settings = arguments.make(plugin.options, context)
        with layouts.chosen(model, 0, encoded, "cpu") as layout:
            trainer = training.make(model, layout, settings, encoded, (), context)
            return _measured(trainer, rows)


def _options(exact: bool) -> dict[str, Any]:
    options = {"r": 16, "alpha": 32, "epochs": 1, "learning_rate": 2e-4, "batch_size": 8}
    if not exact:
        return {**options, "precision": "bf16"}
    return {
        **options, "precision": "fp32", "batch_size": 2,
        "args": {"train_sampling_strategy": "sequential"},
    }  # fmt: skip


def _seed() -> None:
    from transformers import set_seed

    set_seed(3)


def _adapter() -> Any:
    from peft import LoraConfig

    return LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")


def _plain(rows: Any, given: Any, folder: Path, exact: bool) -> dict[str, Any]:
    """As transformers' and PEFT's own guides have it."""
    import torch
    from peft import get_peft_model
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        DataCollatorForSeq2Seq,
        Trainer,
        TrainingArguments,
    )

    from datasets import Dataset

    _seed()
    dtype = torch.float32 if exact else torch.bfloat16
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(_base(), dtype=dtype), _adapter())
    data = Dataset.from_list(
        [{"input_ids": ids, "attention_mask": [1] * len(ids),
          "labels": [-100] * (len(ids) - learned) + ids[-learned:], "length": len(ids)}
         for ids, learned in rows]
    )  # fmt: skip
    order = {"sequential": exact, "group_by_length": given.side == "grouped"}
    strategy = next((name for name, wanted in order.items() if wanted), "random")
    settings = TrainingArguments(
        str(folder), seed=3, num_train_epochs=1, learning_rate=2e-4,
        per_device_train_batch_size=2 if exact else 8, train_sampling_strategy=strategy,
        length_column_name="length", use_cpu=True, logging_steps=1, save_strategy="no",
        report_to="none", disable_tqdm=True, dataloader_pin_memory=False,
        lr_scheduler_type="cosine", warmup_steps=0.05,
    )  # fmt: skip
    collate = DataCollatorForSeq2Seq(AutoTokenizer.from_pretrained(_base()), padding=True)
    return _measured(Trainer(model, settings, train_dataset=data, data_collator=collate), rows)


def _trl(rows: Any, given: Any, folder: Path, exact: bool) -> dict[str, Any]:
    """What SFTTrainer does unless it is told otherwise."""
    from trl import SFTConfig, SFTTrainer

    from datasets import Dataset

    _seed()
    data = Dataset.from_list(
        [{"input_ids": ids, "completion_mask": [0] * (len(ids) - learned) + [1] * learned}
         for ids, learned in rows]
    )  # fmt: skip
    settings = SFTConfig(
        str(folder),
        seed=3,
        num_train_epochs=1,
        learning_rate=2e-4,
        use_cpu=True,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    trainer = SFTTrainer(_base(), settings, train_dataset=data, peft_config=_adapter())
    return _measured(trainer, rows)


if __name__ == "__main__":
    main()
