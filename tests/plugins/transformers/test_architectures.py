"""What holds for every architecture, whatever kind of chat template it has."""

from __future__ import annotations

import pytest

import harness
from harness_transformers import encoding, loading
from harness_transformers.chats import Chats
from harness_transformers.generator import TransformersGenerator
from harness_transformers.lora import LoraTrainer
from harness_transformers.quiet import quietly
from tests.support.later import Later

torch = Later("torch")
greedy = Later("harness_transformers.greedy")


def generate(checkpoint, examples, context, **options):
    settings = {"max_new_tokens": 12, "batch_size": 3, "precision": "fp32", **options}
    plugin = TransformersGenerator(TransformersGenerator.Options(**settings))
    found = plugin.generate(checkpoint, examples, context)
    return {prediction.example_id: prediction for prediction in found}


def train(architecture, rows, context, **options):
    settings = {"r": 2, "epochs": 1, "batch_size": 2, "precision": "fp32", **options}
    settings["target_modules"] = architecture.made.targets
    return LoraTrainer(LoraTrainer.Options(**settings)).train(architecture.base, rows, (), context)


def by_transformers(model, prompts, limit, stops):
    """The reference: each prompt alone, unpadded, with a generation config from nothing."""
    from transformers import GenerationConfig

    found = []
    model.generation_config = GenerationConfig()
    config = GenerationConfig(
        max_new_tokens=limit, do_sample=False, eos_token_id=sorted(stops.tokens), pad_token_id=0
    )
    for prompt in prompts:
        ids = torch.tensor([prompt])
        with quietly():
            out = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)
        found.append(out[0, len(prompt) :].tolist())
    return found


@pytest.mark.nightly(but_each=3)
def test_the_answer_and_the_end_of_the_turn_are_learned(architecture, row):
    tokenizer = loading.tokenizer_of(architecture.base)
    example = row(3, "find the red")
    encoded = encoding.encode(tokenizer, example, 512, all_turns=False)
    text = encoding.answer_text(tokenizer, encoded.learned)
    assert text == architecture.made.lead + "find the red"
    assert tokenizer.decode(encoded.learned[-1]) == architecture.made.end
    prompt = encoding.prompt_ids(tokenizer, example)
    assert encoded.input_ids[: len(prompt)] == prompt


def test_the_end_of_the_turn_stops_whatever_eos_is(architecture, row):
    chats = Chats.of(architecture.base)
    end = chats.tokenizer.convert_tokens_to_ids(architecture.made.end)
    eos = chats.tokenizer.convert_tokens_to_ids(architecture.made.eos)
    assert chats.stops.tokens == {end, eos}
    (encoded,) = chats.training_rows([row(2)], LoraTrainer.Options())
    assert encoded.learned[-1] == end


@pytest.mark.nightly(but_each=9)
def test_quick_or_not_it_answers_what_generate_answers(architecture, row, context):
    chats = Chats.of(architecture.base)
    examples = [row(number) for number in range(7)]
    prompts, _ = chats.prompts(examples, 12, count=False)
    assert len(set(map(len, prompts))) > 2  # so batches are padded
    with quietly():
        model = loading.base_of(architecture.base, torch.float32).eval()
    assert greedy.suits(model, prompts, 12) == architecture.made.quick
    wanted = by_transformers(model, prompts, 12, chats.stops)
    assert len({tuple(tokens) for tokens in wanted}) > 1
    found = generate(architecture.base, examples, context)
    for example, prompt, tokens in zip(examples, prompts, wanted, strict=True):
        prediction = found[example.id]
        assert prediction.text == chats.text(tokens)
        assert prediction.completion_tokens == len(tokens)
        assert prediction.prompt_tokens == len(prompt)
    if architecture.made.quick:
        quick = greedy.Greedy(model, chats.stops, 3, lambda: None)
        assert [tokens for _, tokens in sorted(quick.answers(prompts, 12))] == wanted


@pytest.mark.nightly(but_each=10)
def test_it_trains_two_steps_and_the_adapter_answers(architecture, row, another):
    context = another()
    made = train(architecture, [row(number) for number in range(4)], context)
    steps = (context.output / "log.jsonl").read_text().splitlines()
    assert len(steps) == 2
    found = generate(made, [row(number) for number in range(4)], another())
    assert len(found) == 4


@pytest.mark.nightly(but_each=20)
@pytest.mark.parametrize("options", [{}, {"min_new_tokens": 2}], ids=["greedy", "generate"])
def test_it_stops_at_the_end_of_the_turn_and_keeps_the_indentation(
    architecture, saying, context, options
):
    """What the model would say after the end must not join the text, nor the end itself."""
    tokenizer = loading.tokenizer_of(architecture.base)
    example = harness.Example("a", ({"role": "user", "content": "find"},), ("\tof12",))
    encoded = encoding.encode(tokenizer, example, 512, all_turns=False)
    learned = encoded.learned
    if architecture.name == "qwen3":  # a token stands twice in its empty thought
        learned = learned[6:]
    last = encoding.prompt_ids(tokenizer, example)[-1]
    spoken = [last, *learned, *tokenizer("JKL", add_special_tokens=False)["input_ids"]]
    speaker = saying(architecture.base, spoken)
    answer = generate(speaker, [example], context, **options)["a"]
    trims = "trim" in architecture.made.template
    assert (answer.text, answer.finish_reason) == ("of12" if trims else "\tof12", "stop")
    assert answer.completion_tokens == len(learned)


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("answer", ["red", "  red\n    blue", " red"])
def test_what_is_learned_reads_as_the_answer(architecture, row, answer):
    chats = Chats.of(architecture.base)
    (encoded,) = chats.training_rows([row(2, answer)], LoraTrainer.Options())
    wanted = answer.strip() if "trim" in architecture.made.template else answer
    assert chats.text(encoded.learned) == wanted
    assert chats.text(encoded.learned[:-1]) == wanted


def test_a_system_turn_that_the_template_refuses_is_named(architectures, context):
    turns = ({"role": "system", "content": "Be short."}, {"role": "user", "content": "find"})
    rows = [harness.Example(name, turns, ("red",), place=f"rows.jsonl:{name}") for name in "12"]
    rows.append(harness.Example("3", turns[1:], ("red",)))
    gemma = architectures("gemma2").base
    with pytest.raises(harness.DataError, match="2 of 3 prompts cannot be used") as caught:
        generate(gemma, rows, context)
    assert caught.value.details[0].startswith("rows.jsonl:1: the chat template refuses it: System")
    with pytest.raises(harness.DataError, match="2 of 3 training rows cannot be used"):
        Chats.of(gemma).training_rows(rows, LoraTrainer.Options())
