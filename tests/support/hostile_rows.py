"""The fakes as a one-file plugin, where all that data, models and plugins may name is hostile."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import harness
from harness.registry import import_file

fakes = import_file(Path(__file__).with_name("fakes.py"))
hostile = import_file(Path(__file__).with_name("hostile_texts.py"))

LONGEST = 20_000
TEXTS = [text[:LONGEST] for text in hostile.TEXTS]
WORST = " ".join(
    ("[/red][bold]x[/bold]", *hostile.TERMINAL, hostile.SCRIPTS[1], hostile.LINKS[4],
     hostile.UNICODE[0], hostile.UNICODE[2], "a\x00b | c\nd `e` =1+1")
)  # fmt: skip
"""A bit of everything, for what there is one of."""


class Source(fakes.FakeSource):
    """Rows whose every text is hostile; ids are told apart by what stands behind them."""

    name = "hostile"

    def load(self, context):
        supply = itertools.cycle(TEXTS)
        for row in super().load(context):
            text, other, third = next(supply), next(supply), next(supply)
            words = f"{row.references[0]} {other}"
            yield dataclasses.replace(
                row,
                id=f"{text[:300]} {row.id}",
                messages=(
                    {"role": "system", "content": third},
                    {"role": "user", "content": f"{text} {row.id}: {words}"},
                ),
                references=(words,),
                group=f"{other[:300]} {row.group}",
                meta={
                    **row.meta,
                    "kind": f"{WORST} {row.meta['kind']}",
                    WORST: third,
                    "place": f"{WORST}:1",
                },
            )


class Trainer(fakes.FakeTrainer):
    name = "hostile"

    def train(self, base, train, valid, context):
        context.remark(WORST)
        context.progress(1, 2, WORST)
        return super().train(base, train, valid, context)


class Generator(fakes.FakeGenerator):
    name = "hostile"

    def generate(self, checkpoint, examples, context):
        context.remark(WORST)
        supply = itertools.cycle(TEXTS)
        for one in super().generate(checkpoint, examples, context):
            yield dataclasses.replace(one, text=f"{one.text} {next(supply)}", finish_reason=WORST)


class Metric(fakes.Overlap):
    name = "hostile"

    def measure(self, prediction, example):
        if example.id.endswith("-7"):
            raise ValueError(WORST)
        return super().measure(prediction, example)

    def score_names(self):
        return (WORST,)

    def caveat(self):
        return WORST

    def signature(self):
        return WORST


class Detector(harness.Detector):
    name = "hostile"

    def categories(self):
        return {WORST: WORST}

    def detect(self, scored):
        yield harness.ErrorLabel(scored.example.id, WORST, scored.prediction.text, WORST)


class Analyzer(harness.Analyzer):
    name = "hostile"

    def causes(self):
        return {WORST: (WORST, WORST, True)}

    def analyze(self, evidence, context):
        weak = harness.Slice(
            (harness.Condition("kind", "=", f"{WORST} hard"),), 12, 12, 0.2, 0.3, 0.1, 0.5, 0.01
        )
        named = tuple(row.id for row in evidence.train[:3])
        found = tuple(
            harness.Diagnosis(one.example.id, WORST, WORST, WORST, named)
            for one in evidence.scored[:20]
        )
        return harness.Findings((weak,), found, (WORST,))


class Section(harness.Section):
    name = "hostile"

    def rows(self, document, database):
        return [{WORST: WORST, "n": 1}, {WORST: TEXTS[0], "n": 2}]


ALL = (Source, Trainer, Generator, Metric, Detector, Analyzer, Section)


def _hook(kind):
    def hook():
        return [kind]

    hook.__name__ = f"register_{kind.stage}s"
    return harness.hookimpl(hook)


globals().update({f"register_{kind.stage}s": _hook(kind) for kind in ALL})
