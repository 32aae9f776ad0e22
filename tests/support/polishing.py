"""A trainer that goes on from another one's adapter, and learns from rows with rejected answers.

Its source gives every third row of train and of valid an answer that is rejected.
"""

from __future__ import annotations

import json
from pathlib import Path

import harness

WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty")


class Rejecting(harness.Source):
    """Repeat the words; of some rows it is said what must not be answered."""

    name = "rejecting"

    class Options(harness.Options):
        rejected: int = 3  # every so many rows; 0: none

    def load(self, context):
        for split, size in {"train": 40, "pool": 40, "dev": 48, "test": 48}.items():
            for number in range(size):
                words = " ".join(WORDS[(number * 7 + k * (number % 5 + 1)) % 10] for k in range(6))
                words = f"{words} {split}{number}"
                paired = self.options.rejected and number % self.options.rejected == 0
                yield harness.Example(
                    f"{split}-{number}", ({"role": "user", "content": f"Repeat: {words}"},),
                    (words,), split, meta={"kind": "hard" if number % 4 == 0 else "easy"},
                    rejected=("hm",) if paired and split == "train" else (),
                )  # fmt: skip


class Polish(harness.Trainer):
    """Adds to the skill of what it starts from."""

    name = "polish"
    accepts = frozenset({"base", "adapter"})

    class Options(harness.Options):
        gain: float = 0.01

    def learns(self, row):
        return bool(row.rejected)

    def environment(self):
        return {"polish": "cloth"}

    def train(self, base, train, valid, context):
        assert all(row.rejected for row in [*train, *valid])
        if base.kind == "adapter":
            skill = json.loads((Path(base.path) / "skill.json").read_text())
            assert skill == base.info["skill"]
        skill = base.info["skill"] + self.options.gain * len(train)
        (context.output / "skill.json").write_text(json.dumps(skill))
        context.progress(1, 1, "step")
        return harness.Checkpoint("adapter", str(context.output), "", info={"skill": skill})


@harness.hookimpl
def register_sources():
    return [Rejecting]


@harness.hookimpl
def register_trainers():
    return [Polish]
