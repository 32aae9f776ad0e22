"""The loss of texts: what the model alone gives for each, whatever it is computed beside."""

from __future__ import annotations

import dataclasses
import math
import shutil

import pytest

from harness_transformers import loading
from harness_transformers.generator import TransformersGenerator
from harness_transformers.quiet import quietly
from tests.plugins.transformers.test_adapters import adapter
from tests.support.later import Later

torch = Later("torch")
textlosses = Later("harness_transformers.textlosses")
transfer = Later("harness_transformers.export.transfer")

TEXTS = [
    "find the word", "", "a", "the quick word of a list, then another list of words " * 3,
    "find the word again and again", "<|im_end|> [bold] \x00 \ud800 émigré 你好", "list",
]  # fmt: skip


def losses(checkpoint, context, texts=TEXTS, **options):
    settings = {"precision": "fp32", **options}
    generator = TransformersGenerator(TransformersGenerator.Options(**settings))
    return list(generator.losses(checkpoint, texts, context))


def alone(checkpoint, text, limit=None):
    """The reference: PEFT and transformers, one text at a time."""
    tokenizer = loading.tokenizer_of(checkpoint)
    ids = tokenizer(text.encode("utf-8", "replace").decode())["input_ids"][:limit] if text else []
    if len(ids) < 2:
        return 0.0, 0
    with quietly(), torch.no_grad():
        model = loading.base_of(checkpoint, torch.float32)
        if checkpoint.kind == "adapter":
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, checkpoint.path)
        given = torch.tensor([ids])
        loss = model.eval()(input_ids=given, labels=given).loss
    return float(loss) * (len(ids) - 1), len(ids) - 1


def equal(found, expected):
    assert [count for _, count in found] == [count for _, count in expected]
    for (loss, _), (due, _) in zip(found, expected, strict=True):
        assert loss == pytest.approx(due, rel=1e-4)


def test_each_text_has_the_loss_that_it_has_alone(base, context):
    found = losses(base, context)
    equal(found, [alone(base, text) for text in TEXTS])
    assert found[1] == (0.0, 0) and found[3][1] > 20


def test_an_adapter_counts(base, context, another, tmp_path):
    checkpoint = adapter(base, tmp_path / "adapter")
    found = losses(checkpoint, context)
    equal(found, [alone(checkpoint, text) for text in TEXTS])
    assert found[0][0] != pytest.approx(losses(base, another())[0][0], rel=1e-2)


def test_rows_may_have_any_ids(base, row, context):
    rows = transfer.encoded(base, [dataclasses.replace(row(n), id="row") for n in (1, 8, 3)])
    with quietly():
        model = loading.base_of(base, torch.float32).eval()
        found = list(textlosses.by_token(model, base, rows, context))
        (last,) = textlosses.by_token(model, base, rows[2:], context)
    assert [len(losses) for losses in found] == [line.trained for line in rows]
    assert found[2] == pytest.approx(last, rel=1e-4)


def test_answers_are_measured_behind_their_prompts(base, row, context):
    rows = [dataclasses.replace(row(n), id="row") for n in (1, 8, 3)]
    too_long = dataclasses.replace(rows[0], references=("word " * 3_000,))
    generator = TransformersGenerator(TransformersGenerator.Options(precision="fp32"))
    found = list(generator.answer_losses(base, [*rows[:2], too_long, rows[2]], context))
    assert found.pop(2) == []
    with quietly(), torch.no_grad():
        model = loading.base_of(base, torch.float32).eval()
        for losses, line in zip(found, transfer.encoded(base, rows), strict=True):
            given, labels = torch.tensor([line.input_ids]), torch.tensor([line.labels])
            loss = float(model(input_ids=given, labels=labels).loss)
            assert len(losses) == line.trained
            assert sum(losses) / len(losses) == pytest.approx(loss, rel=1e-4)


def test_small_batches_and_other_layouts_give_the_same(base, context, another, monkeypatch):
    whole = losses(base, context)
    monkeypatch.setattr(textlosses, "TOKENS", 8)
    equal(losses(base, another()), whole)
    monkeypatch.setattr(textlosses.layouts, "_lies_flat", lambda *_: False)
    equal(losses(base, another()), whole)


def test_of_a_long_text_the_beginning_counts(base, context, another, monkeypatch):
    monkeypatch.setattr(textlosses, "LONGEST", 12)
    found = losses(base, context, [TEXTS[3]])
    assert found[0][1] == 11
    equal(found, [alone(base, TEXTS[3], 12)])
    assert losses(base, another(), []) == []


def test_weights_that_are_broken_give_no_finite_loss(base, context, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "broken"
    shutil.copytree(base.path, folder)
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"] = weights["model.norm.weight"] * math.nan
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    broken = dataclasses.replace(base, path=str(folder))
    found = losses(broken, context)
    assert math.isnan(found[0][0]) and found[0][1] == alone(base, TEXTS[0])[1]
    assert found[1] == (0.0, 0)


def test_four_bits_are_measured_as_they_answer(wide, context):
    checkpoint = dataclasses.replace(wide, info={"quantization": "4bit"})
    found, plain = losses(checkpoint, context), alone(wide, TEXTS[3])
    assert found[3][1] == plain[1]
    assert found[3][0] == pytest.approx(plain[0], rel=0.2) and found[3][0] != plain[0]


def test_short_answers_are_greedy_and_computed_alike():
    options = {"do_sample": True, "temperature": 0.7, "max_new_tokens": 400, "batch_size": 3}
    made = TransformersGenerator(TransformersGenerator.Options(**options, precision="fp32"))
    brief = made.brief(16).options
    assert (brief.max_new_tokens, brief.do_sample, brief.on_too_long) == (16, False, "count")
    assert (brief.batch_size, brief.precision) == (3, "fp32")
