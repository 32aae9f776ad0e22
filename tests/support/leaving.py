"""A trainer that leaves three checkpoints of different skill, as a one-file plugin beside fakes.py.

The option says their skills; what it returns itself is the last of them.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import harness


class LeavingTrainer(harness.Trainer):
    name = "leaving"

    class Options(harness.Options):
        skills: list[float] = [0.3, 0.9, 0.5]
        rows: int = 40
        leaves: bool = True

    def choice(self):
        return harness.Choice(len(self.options.skills), self.options.rows)

    def train(self, base, train, valid, context):
        for step, skill in enumerate(self.options.skills, start=1):
            context.progress(step, len(self.options.skills), "steps")
            if self.options.leaves:
                (context.leave(step) / "skill.json").write_text(json.dumps(skill))
        (context.output / "skill.json").write_text(json.dumps(skill))
        log = [{"step": 1, "epoch": 0.5, "loss": 0.5}, {"step": 2, "epoch": 1.0, "loss": 0.4}]
        (context.output / "log.jsonl").write_text("".join(f"{json.dumps(x)}\n" for x in log))
        context.note(trained_rows=len(train))
        return harness.Checkpoint("adapter", str(context.output), "", info={"skill": 0.1})


class LeftGenerator(harness.Generator):
    """Gets each word right with the skill that lies in the checkpoint's folder."""

    name = "left"

    def generate(self, checkpoint, examples, context):
        path = Path(checkpoint.path) / "skill.json"
        skill = json.loads(path.read_text()) if checkpoint.kind == "adapter" else 0.1
        for example in examples:
            draw = random.Random(example.id)
            words = example.prompt.split(": ")[1].split()
            text = " ".join(word if draw.random() < skill else "hm" for word in words)
            yield harness.Prediction(example.id, text, "stop", 6, 6)


class Wrong(harness.Metric):
    """The share of words that are not said: lower is better."""

    name = "wrong"
    higher_is_better = False
    right_at = 0.2

    def measure(self, prediction, example):
        wanted, said = example.references[0].split(), prediction.text.split()
        return sum(a != b for a, b in zip(wanted, said, strict=True)) / len(wanted)


@harness.hookimpl
def register_trainers():
    return [LeavingTrainer]


@harness.hookimpl
def register_generators():
    return [LeftGenerator]


@harness.hookimpl
def register_metrics():
    return [Wrong]
