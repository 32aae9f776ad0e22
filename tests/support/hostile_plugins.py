"""Plugins that fail, or hand over what they should not, with a hostile text in it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import harness
from harness.registry import import_file

fakes = import_file(Path(__file__).with_name("fakes.py"))
WORST = import_file(Path(__file__).with_name("hostile_rows.py")).WORST
SCORE = "[/red][bold]x[/bold] \x1b[31mred\x1b[0m | <script>alert(1)</script> =1+1 \u202eevil"
"""A score's name that a config can hold."""


class Source(fakes.FakeSource):
    name = "bad"

    class Options(fakes.FakeSource.Options):
        fault: str = ""
        train: int = 6
        dev: int = 6
        test: int = 6

    def load(self, context):
        wrong = {
            "id": {"id": WORST},
            "split": {"split": WORST},
            "meta": {"meta": {WORST: {WORST: object()}}},
            "group": {"group": [WORST]},
        }.get(self.options.fault, {})
        if self.options.fault == "raise":
            raise ValueError(WORST)
        yield from (dataclasses.replace(row, **wrong) for row in super().load(context))


class Generator(harness.Generator):
    name = "bad"

    class Options(harness.Options):
        fault: str = ""

    def generate(self, checkpoint, examples, context):
        fault, first = self.options.fault, examples[0].id
        if fault == "none":
            return
        if fault in _RAISED:
            raise _RAISED[fault]()
        yield from {
            "alien": [harness.Prediction(WORST, "x")],
            "list": [harness.Prediction(first, [WORST])],
            "text": [WORST],
            "twice": [harness.Prediction(first, WORST)] * 2,
        }[fault]


_RAISED = {
    "raise": lambda: ValueError(WORST),
    "class": lambda: type(WORST.replace("\x00", ""). encode("utf-8", "replace").decode(),
                          (Exception,), {})(WORST),
    "data": lambda: harness.DataError(WORST, where=WORST, hint=WORST),
    "wait": lambda: harness.Waiting(WORST, [WORST]),
}  # fmt: skip


class Metric(harness.Metric):
    name = "bad"
    right_at = 0.5

    def score_names(self):
        return (SCORE,)

    def signature(self):
        return WORST

    def caveat(self):
        return SCORE

    def remarks(self, pairs):
        return [WORST]

    def measure(self, prediction, example):
        return len(prediction.text) % 7 / 7


@harness.hookimpl
def register_sources():
    return [Source]


@harness.hookimpl
def register_generators():
    return [Generator]


@harness.hookimpl
def register_metrics():
    return [Metric]
