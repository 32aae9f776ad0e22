"""A training killed (-9) at random moments: does it go on to the bytes of an unbroken one?

    python benchmarks/resume.py [--model tiny|smollm] [--kills 30] [--seed 1] [--record FILE]
                                [--processes 1]

Trainings of the shipped small model (SmolLM2-135M, bf16), or of a tiny one of random weights with
its tokenizer, of two kinds: as the trainer `lora` is by default, and with dropout, accumulation,
validation rows and `keep: best`. Each kind is trained once unbroken. Then each kill: a training
begins, dies at a random moment, and another process goes on from what is left. The sha256 of the
adapter and of the log are compared with the unbroken one's. With several processes the one that is
killed is drawn: a rank, or the process that started them; all others have to be gone within 30
seconds. Prints a line for each kill and appends
one of JSON to FILE (none by default).
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import importlib
import importlib.metadata
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import harness
from harness.kit.files import digest, remove
from harness.records import from_json, to_json
from harness_transformers.lora import LoraTrainer
from harness_transformers.pypi import PypiModel

IMPORTED = (
    "accelerate", "datasets", "peft.tuners.lora", "transformers.trainer",
    "transformers.models.llama.modeling_llama", "harness_transformers.chats",
    "harness_transformers.layouts", "harness_transformers.training",
)  # fmt: skip
MINUTES = 0.005
SIZES = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4,
    "tie_word_embeddings": True,
}  # fmt: skip
"""Of the tiny model."""
WORDS = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet"]
SHARED = {"batch_size": 2, "learning_rate": 1e-3, "precision": "bf16"}


class Kind(NamedTuple):
    """A training: its options, and how many rows it learns and holds back."""

    name: str
    options: Mapping[str, Any]
    train: int
    valid: int


KINDS = (
    Kind("default", {**SHARED, "epochs": 4}, 13, 0),
    Kind(
        "dropout", {**SHARED, "epochs": 3, "dropout": 0.1, "accumulation": 2, "keep": "best"}, 11, 4
    ),
)


class Ended(NamedTuple):
    """How a process that trained has ended.

    Attributes:
        killed: which process was, ``-`` if none.
        seconds: how long it lived.
        said: the trainer's sentences.
    """

    killed: str
    seconds: float
    said: list[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--model", choices=["tiny", "smollm"], default="smollm")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", type=Path)
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    global KINDS
    if given.processes > 1:  # whose beginning takes as long as hundreds of such steps
        KINDS = tuple(
            kind._replace(options={**kind.options, "processes": given.processes, "epochs": 30})
            for kind in KINDS
        )
    # Imported before the processes that train are forked, and used in those alone.
    for module in IMPORTED:
        importlib.import_module(module)

    draw = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = _base(folder, tiny=given.model == "tiny")
        whole = {kind.name: _unbroken(kind, base, folder / kind.name) for kind in KINDS}
        equal = 0
        for number in range(given.kills):
            kind = KINDS[number % len(KINDS)]
            kill = _killed(kind, base, folder / f"kill-{number}", whole[kind.name], draw)
            equal += kill["equal"]
            if given.record:
                libraries = {n: importlib.metadata.version(n) for n in LoraTrainer.libraries}
                line = {"model": given.model, "seed": given.seed, **kill, "libraries": libraries}
                with given.record.open("a") as stream:
                    stream.write(json.dumps(line) + "\n")
    print(f"{equal} of {given.kills} equal")
    sys.exit(equal < given.kills)


def _unbroken(kind: Kind, base: harness.Checkpoint, folder: Path) -> tuple[float, str]:
    """Seconds of a training that nobody interrupts and writes no checkpoint, and its digest."""
    ended = _attempt(kind, base, folder, minutes=0)
    print(f"{kind.name}: {ended.seconds:.1f} s unbroken")
    return ended.seconds, _digest(folder)


def _killed(
    kind: Kind,
    base: harness.Checkpoint,
    folder: Path,
    whole: tuple[float, str],
    draw: random.Random,
) -> dict[str, Any]:
    """Kill a training as long as one lives long enough, then let it come to its end."""
    seconds, expected = whole
    ended = Ended("-", 0.0, [])
    several = kind.options.get("processes", 1)
    while ended.killed == "-":
        remove(folder)  # of a training that came to its end before its moment
        moment = draw.uniform(0.2 if several == 1 else 0.6, 1.0) * seconds
        victim = draw.randrange(several + 1) if several > 1 else 0
        ended = _attempt(kind, base, folder, minutes=MINUTES, moment=moment, victim=victim)
    left = [path.name for path in (folder / "scratch").iterdir()]
    last = _attempt(kind, base, folder, minutes=MINUTES)
    found = {
        "kind": kind.name,
        "killed": ended.killed,
        "seconds": round(ended.seconds, 2),
        "left": max(
            (int(n.removeprefix("step-")) for n in left if n.startswith("step-")), default=0
        ),
        "while_writing": any(name.startswith(".") for name in left),
        "said": last.said,
        "equal": _digest(folder) == expected,
    }
    writing = ", a checkpoint half written" if found["while_writing"] else ""
    print(
        f"{kind.name:8} {ended.killed:8} killed after {found['seconds']:5.1f} s{writing}; "
        f"{'; '.join(last.said) or 'began anew'}: {'equal' if found['equal'] else 'DIFFERENT'}",
        flush=True,
    )
    return found


def _attempt(
    kind: Kind, base: harness.Checkpoint, folder: Path, *,
    minutes: float, moment: float = 1e9, victim: int = 0,
) -> Ended:  # fmt: skip
    """Train in a process of its own, and kill it once ``moment`` seconds are over.

    Args:
        victim: 0: that process; else one of the ranks that it has started.
    """
    (folder / "scratch").mkdir(parents=True, exist_ok=True)
    (folder / "said.txt").unlink(missing_ok=True)
    begin = time.monotonic()
    child = os.fork()
    if child == 0:
        _train(kind, base, folder, minutes)
        os._exit(0)
    killed, ranks = "-", []
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if killed == "-" and time.monotonic() - begin >= moment:
            ranks = _children(child)
            if len(ranks) >= victim:
                os.kill([child, *ranks][victim], signal.SIGKILL)
                killed, moment = f"rank {victim - 1}" if victim else "parent", time.monotonic()
        time.sleep(0.001)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL, LOST), f"the training ended with {status}"
    while any(map(_lives, ranks)):
        assert time.monotonic() - moment < 30, "a rank is left"
        time.sleep(0.01)
    said = folder / "said.txt"
    lines = said.read_text().splitlines() if said.exists() else []
    return Ended("-" if status == 0 else killed, time.monotonic() - begin, lines)


LOST = 3


def _children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children")
    return sorted(map(int, found.read_text().split()))


def _lives(process: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def _train(kind: Kind, base: harness.Checkpoint, folder: Path, minutes: float) -> None:
    import torch

    torch.set_num_threads(1)  # two threads wait for each other on a machine that others use
    output = Path(tempfile.mkdtemp(dir=folder))

    def say(sentence: str) -> None:
        with (folder / "said.txt").open("a") as stream:
            stream.write(sentence + "\n")

    context = harness.Context(output, seed=11, scratch=folder / "scratch")
    context.checkpoint_minutes, context.say = minutes, say
    rows = [_row(number) for number in range(kind.train + kind.valid)]
    train, valid = rows[: kind.train], rows[kind.train :]
    try:
        LoraTrainer(LoraTrainer.Options(**kind.options)).train(base, train, valid, context)
    except harness.OutOfMemory:  # a rank was killed
        os._exit(LOST)
    os.replace(output, folder / "output")


def _row(number: int) -> harness.Example:
    draw = random.Random(number)
    words = " ".join(draw.choices(WORDS, k=3 + number % 12))
    message = {"role": "user", "content": f"Repeat: {words} {number}"}
    return harness.Example(f"row-{number}", (message,), (words,))


def _digest(folder: Path) -> str:
    """Of the adapter, its config and the log."""
    files = sorted((folder / "output").iterdir())
    return digest({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files})


def _base(folder: Path, *, tiny: bool) -> harness.Checkpoint:
    """The model, fetched or made in a process of its own: this one must not compute."""
    path = folder / "base.json"
    child = os.fork()
    if child == 0:
        fetched = PypiModel().fetch(harness.Context(folder / "fetch"))
        if tiny:
            fetched = _tiny(fetched, folder / "tiny")
        path.write_text(json.dumps(to_json(fetched)))
        os._exit(0)
    os.waitpid(child, 0)
    return from_json(harness.Checkpoint, json.loads(path.read_text()))


def _tiny(like: harness.Checkpoint, folder: Path) -> harness.Checkpoint:
    import torch
    from transformers import AutoConfig, AutoTokenizer, LlamaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(like.path)
    tokenizer.save_pretrained(folder)
    config = AutoConfig.from_pretrained(like.path)
    config.update({**SIZES, "num_key_value_heads": 2, "head_dim": 16})
    torch.manual_seed(1)
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    return dataclasses.replace(like, path=str(folder), digest="tiny", name="tiny")


if __name__ == "__main__":
    main()
