"""A trainer whose best settings are known, as a one-file plugin: its loss is that of a valley.

``SEARCH_KILLS`` names a file of places where the process is killed, each once.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

import harness


def _size(value: int) -> int:
    if value in (6, 7):
        raise ValueError("not a size")
    return value


BEST = {"rate": 1e-3, "size": 16}


def moment(name: str) -> None:
    """A place where the process is killed, once."""
    path = os.environ.get("SEARCH_KILLS")
    if path is None:
        return
    known = Path(path).read_text().splitlines() if Path(path).exists() else []
    if name not in known:
        with open(path, "a") as stream:
            stream.write(name + "\n")
        os.kill(os.getpid(), 9)


class Valley(harness.Trainer):
    """Loses least at one rate and one size; learns more there, too."""

    name = "valley"

    class Options(harness.Options):
        rate: float = 1e-4
        size: Annotated[int, AfterValidator(_size)] = 8
        fail_above: int = 1000
        shy: bool = False

    def train(self, base, train, valid, context):
        options = self.options
        if options.size > options.fail_above:
            raise harness.OutOfMemory("the memory is not enough for this size")
        if options.shy and context.whole_valid:
            raise RuntimeError("not beside others")
        far = abs(math.log10(options.rate / BEST["rate"])) + abs(options.size - BEST["size"]) / 16
        hard = sum(row.meta["tail"] for row in valid) / max(1, len(valid))
        if context.whole_valid:
            moment(f"{options.rate} {options.size} {len(train)} {valid[0].id if valid else ''}")
        lines = [{"step": 1, "epoch": 1.0, "loss": 1.0}]
        for share, limit in context.limits:
            loss = 2 + far + hard - share
            over = limit is not None and loss > limit
            lines.append({"step": 2, "share": share, "share_loss": loss, "ended": over})
            if over:
                break
        if context.whole_valid and not lines[-1].get("ended"):
            lines.append({"step": 3, "epoch": 1.0, "eval_loss": 1 + far + hard})
        (context.output / "log.jsonl").write_text("\n".join(map(json.dumps, lines)))
        skill = max(0.05, 0.9 - 0.3 * far)
        (context.output / "skill.json").write_text(json.dumps(skill))
        return harness.Checkpoint("adapter", str(context.output), "", info={"skill": skill})


@harness.hookimpl
def register_trainers():
    return [Valley]
