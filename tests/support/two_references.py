"""Rows with two references, and a score of the nearer one, as a one-file plugin."""

from __future__ import annotations

import harness
from harness.kit.draws import fraction

WORDS = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "jetty",
         "knoll", "larch"]  # fmt: skip


class TwoSource(harness.Source):
    """Repeat the words; another person writes some of them otherwise."""

    name = "two"

    class Options(harness.Options):
        dev: int = 48
        single: int = 0
        apart: float = 0.3

    def load(self, context):
        sizes = {"train": 40, "pool": 20, "dev": self.options.dev, "test": 24}
        for split, size in sizes.items():
            for number in range(size):
                yield self._row(split, number, number < self.options.single)

    def _row(self, split, number, single):
        words = [WORDS[(number * 7 + k * (number % 5 + 1)) % 12] for k in range(6)]
        words.append(f"{split}{number}")
        other = [
            "oak" if fraction(1, f"{split}{number} {place}") < self.options.apart else word
            for place, word in enumerate(words)
        ]
        texts = (" ".join(words), " ".join(other))
        return harness.Example(
            id=f"{split}-{number}",
            messages=({"role": "user", "content": f"repeat {split}{number}: {texts[0]}"},),
            references=texts[:1] if single or split != "dev" else texts,
            split=split,
            group=f"{split}-g{number % 24}",
            meta={"kind": "hard" if number % 4 == 0 else "easy"},
        )


class Nearest(harness.Metric):
    """Share of words in their place, of the nearest reference."""

    name = "nearest"
    right_at = 0.8

    def measure(self, prediction, example):
        said = prediction.text.split()
        wanted = [text.split() for text in example.references]
        return max(
            sum(a == b for a, b in zip(one, said, strict=False)) / len(one) for one in wanted
        )


class Wrong(Nearest):
    """Share of words that are not in their place."""

    name = "wrong"
    higher_is_better = False
    right_at = 0.2

    def measure(self, prediction, example):
        return 1 - super().measure(prediction, example)


class Asking(Nearest):
    """One that may need a service, as a judge does."""

    name = "asking"

    def ready(self, pairs):
        pass


class Failing(Nearest):
    """One that cannot take a row that lacks a reference."""

    name = "failing"

    def measure(self, prediction, example):
        if len(example.references) < 2 and example.split == "dev":
            raise RuntimeError("[bold]two[/bold] are needed")
        return super().measure(prediction, example)


class Whole(Nearest):
    """One without statistics that add up."""

    name = "whole"
    additive = False

    def corpus(self, pairs):
        return {"whole": 0.5}


@harness.hookimpl
def register_sources():
    return [TwoSource]


@harness.hookimpl
def register_metrics():
    return [Nearest, Wrong, Asking, Failing, Whole]
