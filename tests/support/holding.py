"""A generator that can hold answers to a form, and a baseline that asks for it."""

from __future__ import annotations

import dataclasses
import json

import harness
from harness.kit.forms import FormOptions
from tests.support.fakes import FakeGenerator


class Holding(FakeGenerator):
    name = "holding"

    class Options(FormOptions):
        remark: str = ""
        cut: int = 0

    def form(self):
        return self.options.form()

    def held_to(self, form):
        return type(self)(self.options.model_copy(update={"schema": form}))

    def generate(self, checkpoint, examples, context):
        for n, answer in enumerate(super().generate(checkpoint, examples, context)):
            if self.form() is not None:
                text = "[1" if n < self.options.cut else json.dumps(answer.text)
                ended = "length" if n < self.options.cut else "stop"
                answer = dataclasses.replace(answer, text=text, finish_reason=ended)
            yield answer


class Formed(harness.Baseline):
    """The prompts as they are, answers held."""

    name = "formed"

    class Options(harness.Options):
        give: str = "schema"

    def prompts(self, rows, train, context):
        return rows

    def form(self, train):
        return {"schema": {"type": "string"}, "wrong": ["a", "a"], "none": None}[self.options.give]


@harness.hookimpl
def register_generators():
    return [Holding]


@harness.hookimpl
def register_baselines():
    return [Formed]
