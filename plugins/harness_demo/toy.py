"""A model that learns amounts in other units within a second, for ``harness demo teacher``.

It knows a wording of a question once it has learned a row of it, and multiplies by the factor that
most of these rows have. So it is as good as its rows: too few, and it does not know the wording;
wrong ones, and it multiplies by a wrong factor.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import harness
from harness import Checkpoint, Context, Example, Prediction

NUMBER = re.compile(r"\d+")
UNKNOWN = "I do not know."


class Toy(harness.Model):
    """Knows nothing so far."""

    name = "toy"

    def fetch(self, context: Context) -> Checkpoint:
        """See :meth:`harness.Model.fetch`."""
        return Checkpoint("base", str(context.output), "0" * 64, "toy")


class ToyTrainer(harness.Trainer):
    """Writes down a factor for each wording."""

    name = "toy"
    produces = "factors"

    def train(
        self, base: Checkpoint, train: Sequence[Example], valid: Sequence[Example],
        context: Context,
    ) -> Checkpoint:  # fmt: skip
        """See :meth:`harness.Trainer.train`."""
        seen: dict[str, Counter[float]] = defaultdict(Counter)
        for row in train:
            number, answer = NUMBER.search(row.prompt), NUMBER.fullmatch(row.references[0])
            if number and answer:
                factor = int(answer.group()) / int(number.group())
                seen[NUMBER.sub("N", row.prompt)][factor] += 1
        factors = {wording: counts.most_common(1)[0][0] for wording, counts in seen.items()}
        (context.output / "factors.json").write_text(json.dumps(factors), encoding="utf-8")
        return Checkpoint(self.produces, str(context.output), "", "toy")


class ToyGenerator(harness.Generator):
    """Multiplies."""

    name = "toy"
    accepts = frozenset({"base", "factors"})

    def generate(
        self, checkpoint: Checkpoint, examples: Sequence[Example], context: Context
    ) -> Iterator[Prediction]:
        """See :meth:`harness.Generator.generate`."""
        factors = {}
        if checkpoint.kind == "factors":
            text = (Path(checkpoint.path) / "factors.json").read_text(encoding="utf-8")
            factors = json.loads(text)
        for row in examples:
            number = NUMBER.search(row.prompt)
            factor = factors.get(NUMBER.sub("N", row.prompt))
            answer = UNKNOWN
            if number is not None and factor is not None:
                answer = str(round(int(number.group()) * factor))
            yield Prediction(row.id, answer)


@harness.hookimpl
def register_models() -> list[type[harness.Model]]:
    return [Toy]


@harness.hookimpl
def register_trainers() -> list[type[harness.Trainer]]:
    return [ToyTrainer]


@harness.hookimpl
def register_generators() -> list[type[harness.Generator]]:
    return [ToyGenerator]
