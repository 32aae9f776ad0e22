"""Plugins of the runs of ``same_runs.py`` beside those of ``tests/support``, as a one-file plugin.

The bytes of this file and of those in ``tests/support`` are part of the names of the runs: where
they change, so do all keys. It uses ``harness`` alone, and none of the contracts that may change.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import harness


def draw(text):
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


def repeated(prompt, skill, name):
    """The words of a prompt of the fakes, each right with the skill."""
    words = prompt.split(": ")[1].split()
    return " ".join(word if draw(name + word) < skill else "hm" for word in words)


class Listening(harness.Generator):
    """Gets more words right after a system turn, and others after examples."""

    name = "listening"

    class Options(harness.Options):
        system: float = 0.2
        examples: float = 0.2

    def generate(self, checkpoint, examples, context):
        for row in examples:
            roles = [turn["role"] for turn in row.messages]
            skill = checkpoint.info["skill"]
            skill = self.options.system if "system" in roles else skill
            skill = self.options.examples if "assistant" in roles else skill
            yield harness.Prediction(row.id, repeated(row.prompt, skill, row.id))


class Reading(harness.Generator):
    """Answers as the fake one, predicts texts worse after a training, and refuses less."""

    name = "reading"

    class Options(harness.Options):
        rise: float = 0.0

    def brief(self, tokens):
        return type(self)(self.options)

    def losses(self, checkpoint, texts, context):
        for text in texts:
            per_token = 2 + draw(text)
            if checkpoint.kind == "adapter":
                per_token += self.options.rise + 0.1 * (draw(text + "x") - 0.5)
            yield per_token * len(text.split()), len(text.split())

    def generate(self, checkpoint, examples, context):
        base = checkpoint.kind == "base"
        for row in examples:
            if row.id.startswith("safety "):
                refuses = base and row.id.startswith("safety refuse ")
                yield harness.Prediction(row.id, "I can't help." if refuses else "Sure.")
            elif row.id.startswith("general "):
                yield harness.Prediction(row.id, "Yes." if base else "Mars")
            else:
                said = repeated(row.prompt, checkpoint.info["skill"], row.id)
                yield harness.Prediction(row.id, said)


class Talking(harness.Generator):
    """Answers rows of any kind: the reference's words are in the prompt, behind a colon."""

    name = "talking"

    def generate(self, checkpoint, examples, context):
        skill = checkpoint.info["skill"]
        for row in examples:
            words = row.prompt.split()
            said = " ".join(w if draw(row.id + w) < skill else "hm" for w in words)
            yield harness.Prediction(row.id, said, "stop", len(words), len(words))


class Coding(harness.Generator):
    """Writes functions that add: the better it is, the more of them are right."""

    name = "coding"

    def generate(self, checkpoint, examples, context):
        for row in examples:
            name, number = re.search(r"`(\w+)\(x\)`.* (\d+)\.", row.prompt).groups()
            right = draw(row.id) < 2 * checkpoint.info["skill"]
            code = f"def {name}(x):\n    return x + {number if right else 'missing'}\n"
            yield harness.Prediction(row.id, f"Here it is:\n\n```python\n{code}```\n")


class Interrupted(harness.Trainer):
    """Learns as much from each row; is interrupted once, as by Ctrl-C, where the options say."""

    name = "interrupted"

    class Options(harness.Options):
        in_round: int = 2

    def train(self, base, train, valid, context):
        if context.round == self.options.in_round and not Path("interrupted").exists():
            Path("interrupted").touch()
            raise KeyboardInterrupt
        skill = min(0.95, base.info["skill"] + 0.005 * len(train))
        (context.output / "skill.json").write_text(f"{skill}")
        return harness.Checkpoint("adapter", str(context.output), "", info={"skill": skill})


class Asked(harness.Metric):
    """What people said of the answers to dev, in a file that is waited for."""

    name = "asked"

    def measure_all(self, pairs):
        if not Path("people.txt").exists() and pairs[0][1].split == "dev":
            raise harness.Waiting("nobody has rated yet", ["ask RUN --round ROUND"])
        return [1.0 for _ in pairs]


class Mirror(harness.Metric):
    """Share of the reference's words that the answer lacks, as if that were good."""

    name = "mirror"

    def measure(self, prediction, example):
        words = example.references[0].split()
        return sum(word not in prediction.text.split() for word in words) / len(words)


class Longest(harness.Section):
    """The longest answers to dev."""

    name = "longest"
    title = "The longest answers"

    def rows(self, document, database):
        found = harness.query(
            database,
            "SELECT id, reply_words FROM predictions WHERE arm = 'main' AND split = 'dev' "
            "AND round = (SELECT kept_round FROM runs) ORDER BY reply_words DESC, id LIMIT 5",
        )
        return [{"example": name, "words": words} for name, words in found.rows]


class Short(harness.Verifier):
    """Passes answers of few words."""

    name = "short"

    def verify(self, row, context):
        return harness.Verification(len(row.references[0].split()) < 7, "short enough")


@harness.hookimpl
def register_generators():
    return [Listening, Reading, Talking, Coding]


@harness.hookimpl
def register_trainers():
    return [Interrupted]


@harness.hookimpl
def register_metrics():
    return [Asked, Mirror]


@harness.hookimpl
def register_sections():
    return [Longest]


@harness.hookimpl
def register_verifiers():
    return [Short]
