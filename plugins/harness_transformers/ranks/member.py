"""What each rank does: ``python -m harness_transformers.ranks.member FOLDER``.

The environment is that of ``torchrun`` (``RANK``, ``WORLD_SIZE``, ``MASTER_ADDR``, ...).
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

import harness
from harness.kit.files import read_json, read_jsonl
from harness.kit.inside import inside
from harness_transformers.ranks.launching import TRAIN, WORK

SIGN_SECONDS = 1.0
"""Between two signs of a rank that answers: it gives one wherever it could be stopped."""


class Link:
    """The connection to the process that started the ranks."""

    def __init__(self, port: int, token: str, rank: int) -> None:
        self.head = [token, rank]
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.signed = 0.0
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, *message: Any) -> None:
        with self.lock:
            self.socket.sendall(json.dumps([*self.head, *message]).encode() + b"\n")

    def stopped(self) -> bool:
        """Whether to stop; whoever asks is at work."""
        if (now := time.monotonic()) - self.signed >= SIGN_SECONDS:
            self.signed = now
            self.send("sign")
        return self.stop.is_set()

    def _listen(self) -> None:
        """Hear of a wish to stop; at the connection's end nobody waits for this rank any more."""
        with contextlib.suppress(OSError):
            while self.socket.recv(1 << 10):
                self.stop.set()
        os.killpg(0, signal.SIGKILL)


def described(error: BaseException) -> dict[str, Any]:
    """A failure as JSON."""
    whole = "".join(traceback.format_exception(error))
    if isinstance(error, harness.Cancelled):
        return {"kind": "Cancelled"}
    if not isinstance(error, harness.HarnessError):
        error = harness.PluginError(f"{type(error).__name__}: {error}")
    return {
        "kind": type(error).__name__, "what": str(error.what), "where": str(error.where),
        "hint": str(error.hint), "details": [str(line) for line in error.details],
        "traceback": whole,
    }  # fmt: skip


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
    """A rank's whole life."""
    folder, rank = Path(sys.argv[1]), int(os.environ["RANK"])
    said = read_json(folder / WORK)
    link = Link(said["door"], said["token"], rank)
    code = 1
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
        code = 0
    except BaseException as error:
        # The launcher ends all others where one fails, and those may have something to save.
        code = int(not isinstance(error, harness.Cancelled))
        with contextlib.suppress(OSError):
            link.send("failure", described(error))
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # Interpreter shutdown of the big libraries takes seconds and has nothing left to do.
    os._exit(code)


if __name__ == "__main__":
    main()
