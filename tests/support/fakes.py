"""A whole family of tiny plugins, as a one-file plugin: a three-round loop in a second.

The task: repeat the words of the prompt. A "model" is a number, its skill: the share of words
that it gets right; training raises it with the number of rows.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from pathlib import Path

import harness

WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heath",
    "inlet",
    "jetty",
    "knoll",
    "larch",
]


def moment(name: str) -> None:
    """A place in the middle of a stage where the tests may kill the process, each once."""
    path = os.environ.get("FAKE_KILLS")
    if path is None:
        return
    known = Path(path).read_text().splitlines() if Path(path).exists() else []
    if name not in known:
        with open(path, "a") as stream:
            stream.write(name + "\n")
        os.kill(os.getpid(), 9)


def drifts(stage: str) -> bool:
    """Whether the stage gives something else than before, under the same key."""
    return stage in os.environ.get("FAKE_DRIFT", "").split(",")


def spy(who: str, context, rows) -> None:
    """Write down what a stage was given, where the tests want to know."""
    path = os.environ.get("FAKE_SPY")
    if path is None:
        return
    seen = [{**dataclasses.asdict(row), "meta": dict(row.meta)} for row in rows]
    line = {"who": who, "round": getattr(context, "round", None), "rows": seen}
    line["arm"] = getattr(context, "arm", None)
    with open(path, "a") as stream:
        stream.write(json.dumps(line, default=str) + "\n")


def _draw(text: str) -> float:
    return int(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8], 16) / 2**32


def _row(split: str, number: int, groups: int) -> harness.Example:
    rotation = (number * 7 + hash_of(split)) % len(WORDS)
    words = [WORDS[(rotation + k * (number % 5 + 1)) % len(WORDS)] for k in range(6)]
    text = " ".join([*words, f"{split}{number}"])
    return harness.Example(
        id=f"{split}-{number}",
        messages=({"role": "user", "content": f"repeat {split}{number}: {text}"},),
        references=(text,),
        split=split,
        group=f"{split}-g{number % groups}",
        meta={"kind": "hard" if number % 4 == 0 else "easy", "tail": number % 3},
    )


def hash_of(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


class FakeSource(harness.Source):
    """Rows of random words."""

    name = "fake"

    class Options(harness.Options):
        train: int = 40
        pool: int = 40
        dev: int = 48
        test: int = 48
        groups: int = 24

    def load(self, context):
        for split in ("train", "pool", "dev", "test"):
            for number in range(getattr(self.options, split)):
                yield _row(split, number, self.options.groups)


class FakeModel(harness.Model):
    """A skill, and no more."""

    name = "fake"

    class Options(harness.Options):
        skill: float = 0.2

    def fetch(self, context):
        digest = hashlib.sha256(str(self.options.skill).encode()).hexdigest()
        return harness.Checkpoint(
            "base", str(context.output), digest, "fake", info={"skill": self.options.skill}
        )


class FakeTrainer(harness.Trainer):
    """Skill grows with the number of rows."""

    name = "fake"

    class Options(harness.Options):
        gain: float = 0.005
        hard_gain: float = 0.0
        die_in_round: int = 0
        drop_in_round: int = 0
        seconds: float = 0.0
        remark: str = ""

    def train(self, base, train, valid, context):
        spy("trainer", context, [*train, *valid])
        if self.options.remark:
            context.remark(self.options.remark)
        for step in range(1, 4):
            time.sleep(self.options.seconds / 3)
            context.progress(step, 3, "step")
            if step == 2:
                moment(f"middle of train {context.round} {context.arm}")
        if context.round == self.options.die_in_round and context.arm == "main":
            os.kill(os.getpid(), 9)
        hard = sum(row.meta.get("kind") == "hard" for row in train)
        skill = base.info["skill"] + self.options.gain * len(train)
        skill = max(0.0, min(0.95, skill + self.options.hard_gain * hard))
        if context.round == self.options.drop_in_round:
            skill = 0.02
        if drifts("train"):
            skill -= 0.01
        (context.output / "skill.json").write_text(json.dumps(skill))
        (context.output / "log.jsonl").write_text('{"step":1,"epoch":1.0,"loss":0.5}\n')
        context.note(trained_rows=len(train))
        return harness.Checkpoint("adapter", str(context.output), "", info={"skill": skill})


class FakeGenerator(harness.Generator):
    """Gets each word right with the model's skill."""

    name = "fake"

    class Options(harness.Options):
        remark: str = ""

    def generate(self, checkpoint, examples, context):
        spy("generator", context, examples)
        if self.options.remark:
            context.remark(self.options.remark)
        skill = checkpoint.info["skill"]
        drift = 0.7 if drifts("generate") else 1.0
        if checkpoint.kind == "adapter":
            assert json.loads((Path(checkpoint.path) / "skill.json").read_text()) == skill
        for done, example in enumerate(examples, start=1):
            assert example.references == ()
            words = example.prompt.split(": ")[1].split()
            own = drift * skill * (0.5 if _draw(example.id) < 0.2 else 1)
            said = [w if _draw(f"{example.id}{w}") < own else "hm" for w in words]
            context.progress(done, len(examples))
            if done == len(examples) // 2:
                moment(f"middle of generate {context.round} {context.arm} {example.split}")
            yield harness.Prediction(example.id, " ".join(said), "stop", 8, len(said))


class Overlap(harness.Metric):
    """Share of words in their place."""

    name = "overlap"
    right_at = 0.8

    class Options(harness.Options):
        fail_on: str = ""
        give: str = ""

    def measure(self, prediction, example):
        spy("metric", None, [example])
        if example.id.endswith("-9"):
            moment(f"middle of score {example.id} {prediction.text}")
        if example.id == self.options.fail_on:
            if self.options.give:
                return {"nan": float("nan"), "none": None, "text": "high"}[self.options.give]
            raise RuntimeError("cannot [bold]count[/bold] this")
        wanted = example.references[0].split()
        said = prediction.text.split()
        return sum(a == b for a, b in zip(wanted, said, strict=False)) / len(wanted)


class FakeDetector(harness.Detector):
    """Answers with a hm in them."""

    name = "fake"

    def categories(self):
        return {"unsure": "the answer says hm"}

    def detect(self, scored):
        if scored.example.id.endswith("-9"):
            moment(f"middle of detect {scored.example.id} {scored.prediction.text}")
        if "hm" in scored.prediction.text:
            yield harness.ErrorLabel(scored.example.id, "unsure", "hm", "fake")


class FakeAnalyzer(harness.Analyzer):
    """Always finds the hard ones weak."""

    name = "fake"

    class Options(harness.Options):
        fail: bool = False

    def analyze(self, evidence, context):
        spy("analyzer", context, [one.example for one in evidence.scored])
        moment(f"middle of analyze {context.round} {context.arm}")
        if self.options.fail or drifts("analyze"):
            raise RuntimeError("no idea")
        weak = harness.Slice(
            (harness.Condition("kind", "=", "hard"),), 12, 12, 0.2, 0.3, 0.1, 0.5, 0.01
        )
        return harness.Findings((weak,))


class FakeAugmenter(harness.Augmenter):
    """Takes rows of the pool as they come."""

    name = "fake"
    remedy = "take rows"

    class Options(harness.Options):
        leak: bool = False
        aim: bool = False
        short: bool = False

    def propose(self, item, data, context):
        spy("augmenter", context, data.examples)
        assert {row.split for row in data.examples} <= {"train", "pool"}
        pool = list(data.split("pool"))
        if self.options.leak:
            yield from _leaks(pool)
        if self.options.aim and item.slice is not None:
            pool.sort(key=lambda row: row.meta["kind"] != "hard")
        if self.options.short and context.arm == "random":
            pool = pool[:2]
        for number, row in enumerate(pool):
            yield row
            if number == 1:
                moment(f"middle of augment {context.round} {context.arm}")


def _said(name: str, text: str, parent: str | None) -> harness.Example:
    return harness.Example(name, ({"role": "user", "content": text},), ("x",), parent=parent)


def _leaks(pool):
    """Rows that must never be trained on, one of each kind."""
    dev, test, parent = _row("dev", 1, 24), _row("test", 2, 24), pool[-1].id if pool else None
    yield dev
    yield dataclasses.replace(test, split="train")
    yield _said("leak-copy", test.prompt, parent)
    yield _said("leak-shout", dev.prompt.upper() + " !", parent)
    yield _said("leak-near", dev.prompt + " please", parent)
    yield _said("leak-child", "something quite different, honestly made", "dev-3")
    yield _said("leak-grandchild", "and yet another sentence of no likeness", "leak-child")
    yield _said("leak-orphan", "a sentence from nowhere that nobody knows", None)
    yield _said("dev-5", "the name of a row of dev with words of its own", parent)
    turns = ({"role": "user", "content": dev.prompt}, {"role": "assistant", "content": "yes"})
    last = {"role": "user", "content": "go on with the other one now"}
    yield harness.Example("leak-turn", (*turns, last), ("x",), parent=parent)


@harness.hookimpl
def register_sources():
    return [FakeSource]


@harness.hookimpl
def register_models():
    return [FakeModel]


@harness.hookimpl
def register_trainers():
    return [FakeTrainer]


@harness.hookimpl
def register_generators():
    return [FakeGenerator]


@harness.hookimpl
def register_metrics():
    return [Overlap]


@harness.hookimpl
def register_detectors():
    return [FakeDetector]


@harness.hookimpl
def register_analyzers():
    return [FakeAnalyzer]


@harness.hookimpl
def register_augmenters():
    return [FakeAugmenter]
