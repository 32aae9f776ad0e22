"""What each rank does: ``python -m harness_transformers.ranks.member FOLDER``.

The environment is that of ``torchrun`` (``RANK``, ``WORLD_SIZE``, ``MASTER_ADDR``, ...).
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

import harness
from harness.kit.files import read_json, read_jsonl
from harness.kit.inside import inside
from harness_transformers.ranks.launching import TRAIN, WORK

SIGN_SECONDS = 1.0
"""Between two signs of a rank that answers: it gives one wherever it could be stopped."""


class Link:
    """The pipes to the process that started the ranks.

    Args:
        messages: descriptor on which this rank tells of itself.
    """

    def __init__(self, messages: int) -> None:
        self.messages = messages
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.signed = 0.0
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, *message: Any) -> None:
        data = json.dumps(message).encode() + b"\n"
        with self.lock:
            while data:
                data = data[os.write(self.messages, data) :]

    def stopped(self) -> bool:
        """Whether to stop; whoever asks is at work."""
        if (now := time.monotonic()) - self.signed >= SIGN_SECONDS:
            self.signed = now
            self.send("sign")
        return self.stop.is_set()

    def _listen(self) -> None:
        """Hear of a wish to stop; at the input's end nobody waits for this rank any more."""
        while os.read(0, 1 << 10):
            self.stop.set()
        os.killpg(0, signal.SIGKILL)


def train(plugin: Any, said: dict[str, Any], folder: Path, context: Any, link: Link) -> Any:
    """A rank's part in a training."""
    from harness_transformers.ranks.exchange import Ranks

    base = harness.from_json(harness.Checkpoint, said["base"])
    rows, held = (
        tuple(harness.from_json(harness.Example, row) for row in read_jsonl(folder / name))
        for name in ("train-0.jsonl", "valid-0.jsonl")
    )
    ranks = Ranks(
        int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), lambda: link.send("sign"),
        sharded=plugin.options.strategy == "fsdp",
    )  # fmt: skip
    tuned = plugin.work(base, rows, held, context, ranks)
    ranks.agreed(None)  # whoever ends first would take its connections along
    return harness.to_json(tuned)


def share(plugin: Any, said: dict[str, Any], folder: Path, context: Any, link: Link) -> list[Any]:
    """What a generator's method gives for a rank's share of the rows, in their order."""
    checkpoint = harness.from_json(harness.Checkpoint, said["checkpoint"])
    values = list(read_jsonl(folder / f"rows-{os.environ['RANK']}.jsonl"))
    rows: list[Any] = [
        v if isinstance(v, str) else harness.from_json(harness.Example, v) for v in values
    ]
    made = list(getattr(plugin, said["work"])(checkpoint, rows, context))
    if said["work"] == "generate":  # they come as they are finished
        answers = {prediction.example_id: prediction for prediction in made}
        made = [harness.to_json(answers[row.id]) for row in rows]
    return made


def _context(said: dict[str, Any], folder: Path, rank: int, link: Link) -> harness.Context:
    """The stage's own in the first rank; those of others write into a folder that is removed."""
    settings = dict(said["context"])
    settings["limits"] = tuple(tuple(limit) for limit in settings["limits"])
    output = Path(said["output"])
    scratch = said["scratch"] and Path(said["scratch"])
    speaks = rank == 0 or said["work"] != TRAIN
    if rank:
        output = inside(folder, f"rank-{rank}")
        output.mkdir()
    if rank and said["work"] != TRAIN:
        settings["seed"] += rank  # draws of its own
        scratch = scratch and inside(scratch, f"rank-{rank}")
        if scratch:
            scratch.mkdir(exist_ok=True)
    if speaks:
        settings |= {
            "report": lambda *step: link.send("step", *step),
            "say": lambda sentence: link.send("say", sentence),
            "cancelled": link.stop.is_set if said["work"] == TRAIN else link.stopped,
        }
    return harness.Context(output, scratch=scratch, **settings)


def main() -> NoReturn:
    """A rank's whole life: messages go where standard output was, what is printed to the log."""
    link = Link(os.dup(1))
    os.dup2(2, 1)
    folder, rank = Path(sys.argv[1]), int(os.environ["RANK"])
    said = read_json(folder / WORK)
    try:
        from accelerate import PartialState

        from harness_transformers import devices

        PartialState(cpu=devices.current().type == "cpu")
        module, name = said["class"]
        kind: Any = importlib.import_module(module)
        for part in name.split("."):
            kind = getattr(kind, part)
        plugin = kind(kind.Options.model_validate(said["options"]))
        context = _context(said, folder, rank, link)
        work = train if said["work"] == TRAIN else share
        answer = work(plugin, said, folder, context, link)
        link.send("answer", {"answer": answer, "facts": context.facts})
    except BaseException as error:
        link.send("failure", harness.described(error))
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # Interpreter shutdown of the big libraries takes seconds and has nothing left to do.
    os._exit(0)


if __name__ == "__main__":
    main()
