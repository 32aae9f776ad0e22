"""The generator llamacpp, as far as it does not need llama.cpp."""

from __future__ import annotations

from dataclasses import replace

import pytest

import harness
from harness_transformers.llamacpp.generator import LlamaCppGenerator


def generator(**options):
    return LlamaCppGenerator(LlamaCppGenerator.Options(**options))


def test_another_template_than_that_of_training_stops(row, context, retemplated):
    other = retemplated("{% for m in messages %}{{ m.content }}{% endfor %}")
    moved = replace(other, template="0123456789abcdef")
    with pytest.raises(harness.DataError, match=r"trained with chat template \w{16}"):
        list(generator().generate(moved, [row(1)], context))


@pytest.mark.parametrize("bits", [None, "4bit"])
def test_quantization_of_any_trainer_is_seen(bits):
    lora = {"plugin": "lora", "quantization": bits}
    for train in (lora, [lora, {"plugin": "preference", "quantization": None}]):
        problems = [problem.message for problem in generator().check({"train": train})]
        assert any("whole weights" in message for message in problems) == (bits is not None)
