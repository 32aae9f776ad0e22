"""Templates of the config, their arguments, dates, ends of turns, and the model's context."""

from __future__ import annotations

import copy
import shutil
from dataclasses import replace
from typing import Any

import pytest

import harness
from harness_transformers import encoding, loading
from harness_transformers.chats import Chats
from harness_transformers.generator import TransformersGenerator
from harness_transformers.lora import LoraTrainer

PLAIN = "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}"
WORDS_END = (
    "{% for m in messages %}{{ m.role + ':\n' + m.content + ' <stop>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant:\n' }}{% endif %}"
)


def generate(checkpoint, examples, context, **options):
    settings = {"max_new_tokens": 12, "batch_size": 3, "precision": "fp32", **options}
    plugin = TransformersGenerator(TransformersGenerator.Options(**settings))
    found = plugin.generate(checkpoint, examples, context)
    return {prediction.example_id: prediction for prediction in found}


def told(checkpoint, template=None, **arguments):
    """The same model, with what ``model:`` may say of chats."""
    info = {"chat_template": template, "chat_template_kwargs": arguments}
    return replace(checkpoint, info={**checkpoint.info, **info})


def prompt(checkpoint, example):
    tokenizer = loading.tokenizer_of(checkpoint)
    return tokenizer.decode(encoding.prompt_ids(tokenizer, example))


@pytest.fixture
def bare(tiny, tmp_path):
    """A base model: no chat template at all."""
    folder = tmp_path / "bare"
    shutil.copytree(tiny, folder)
    (folder / "chat_template.jinja").unlink()
    return harness.Checkpoint("base", str(folder), "b", "bare")


def test_a_base_model_takes_the_template_of_the_config(bare, tiny, row, another):
    with pytest.raises(harness.ConfigError, match="no chat template") as caught:
        generate(bare, [row(1)], another())
    assert "model: {chat_template: FILE}" in caught.value.hint
    given = told(bare, (tiny / "chat_template.jinja").read_text())
    made = LoraTrainer(LoraTrainer.Options(r=2, epochs=1, precision="fp32")).train(
        given, [row(1), row(2)], (), another()
    )
    assert made.info["chat_template"] == given.info["chat_template"]
    assert len(generate(made, [row(1)], another())) == 1


def test_an_adapter_is_asked_with_the_arguments_that_it_was_trained_with(
    architectures, row, another
):
    quiet = told(architectures("qwen3").base, enable_thinking=False)
    example = row(1)
    assert prompt(quiet, example).endswith("<think>\n\n</think>\n\n")
    assert prompt(architectures("qwen3").base, example).endswith("assistant\n")
    options = LoraTrainer.Options(r=2, epochs=1, precision="fp32")
    made = LoraTrainer(options).train(quiet, [row(1), row(2)], (), another())
    assert prompt(made, example) == prompt(quiet, example)
    assert len(generate(made, [example], another())) == 1
    loud = replace(made, info={**made.info, "chat_template_kwargs": {"enable_thinking": True}})
    with pytest.raises(harness.DataError, match="trained with chat template"):
        generate(loud, [example], another())


def test_an_argument_that_the_template_does_not_know_is_refused(architectures):
    with pytest.raises(harness.ConfigError, match="has no 'enable_thinkin'"):
        Chats.of(told(architectures("qwen3").base, enable_thinkin=False))


def test_a_template_with_a_mistake_is_a_config_error(base):
    with pytest.raises(harness.ConfigError, match="cannot render a plain chat"):
        Chats.of(told(base, "{% for m in messages %}{{ m.content }}"))


def test_prompts_do_not_change_by_night(architectures, row, monkeypatch):
    """The template prints today's date, by the clock that transformers reads."""
    import datetime

    from transformers.utils import chat_template_utils

    class Tomorrow(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime(2031, 12, 24)

    llama = architectures("llama").base
    texts, hashes = set(), set()
    for clock in (datetime.datetime, Tomorrow):
        monkeypatch.setattr(chat_template_utils, "datetime", clock)
        texts.add(prompt(llama, row(1)))
        hashes.add(Chats.of(llama).template)
    assert len(texts) == len(hashes) == 1
    assert "Today Date: 01 Jan 2026" in texts.pop()
    assert chat_template_utils.datetime is Tomorrow
    dated = told(llama, date_string="26 Jul 2024")
    assert "Today Date: 26 Jul 2024" in prompt(dated, row(1))
    assert Chats.of(dated).template not in hashes


def test_templates_that_treat_only_system_turns_differently_differ(architectures):
    llama = architectures("llama").base
    text = loading.tokenizer_of(llama).chat_template
    other = told(llama, text.replace("messages[0]['content'] | trim", "messages[0]['content']"))
    assert Chats.of(other).template != Chats.of(llama).template


@pytest.mark.parametrize("template", [PLAIN, "{{ messages | map(attribute='content') | join }}"])
def test_a_template_that_ends_no_answer_is_not_trained(base, row, context, template):
    with pytest.raises(harness.ConfigError, match="nothing that could stop generation") as caught:
        LoraTrainer(LoraTrainer.Options()).train(told(base, template), [row(1)], (), context)
    assert "{{ eos_token }}" in caught.value.hint


def test_rows_that_would_teach_not_to_stop_are_named(base, tiny, row, context):
    """This template leaves the end out where a chat has a system turn."""
    text = (tiny / "chat_template.jinja").read_text()
    text = text.replace("+ '<|end|>\\n'", "+ ('' if messages[0].role == 'system' else '<|end|>')")
    system = {"role": "system", "content": "Be short."}
    rows = [row(1), replace(row(2, place="d.jsonl:2"), messages=(system, *row(2).messages))]
    with pytest.raises(harness.DataError, match="1 training rows do not end with") as caught:
        LoraTrainer(LoraTrainer.Options()).train(told(base, text), rows, (), context)
    assert caught.value.details == ("d.jsonl:2",)


@pytest.mark.parametrize("options", [{}, {"min_new_tokens": 1}], ids=["greedy", "generate"])
def test_an_end_of_ordinary_tokens_stops_as_a_whole(base, saying, context, options):
    """``<`` alone, which occurs in answers, does not."""
    given = told(base, WORDS_END)
    chats = Chats.of(given)
    assert (chats.stops.text, chats.ends) == ("<stop>", True)
    example = harness.Example("a", ({"role": "user", "content": "find"},), ("x<y",))
    (encoded,) = chats.training_rows([example], LoraTrainer.Options())
    assert chats.text(encoded.learned) == "x<y"
    ids = chats.tokenizer("x=y <stop>JKL", add_special_tokens=False)["input_ids"]
    last = encoding.prompt_ids(chats.tokenizer, example)[-1]
    assert last not in ids[1:]
    speaker = told(saying(base, [last, *ids]), WORDS_END)
    answer = generate(speaker, [example], context, **options)["a"]
    assert (answer.text, answer.finish_reason) == ("x=y", "stop")
    assert answer.completion_tokens == len(ids) - 3


TWO_ENDS = (
    "{% for m in messages %}{{ '<|' + m.role + '|>\n' + m.content + '<|end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
)
WORD_AND_EOS = (
    "{% for m in messages %}{{ m.role + ':\n' + m.content + ' [END]' + eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant:\n' }}{% endif %}"
)


def test_the_end_of_a_turn_and_the_end_of_the_chat_both_stop(architectures):
    """As in Phi 3: an EOS follows the end of the last turn, but not the model's answers."""
    chats = Chats.of(told(architectures("phi3").base, TWO_ENDS))
    end, eos = chats.tokenizer.convert_tokens_to_ids(["<|end|>", "<|endoftext|>"])
    assert chats.stops.tokens == {end, eos}
    example = harness.Example("a", ({"role": "user", "content": "find"},), ("red",))
    (encoded,) = chats.training_rows([example], LoraTrainer.Options())
    assert encoded.learned[-1] == eos
    assert end in encoded.learned
    cut = chats.stops.cut(encoded.learned)
    assert cut[-1] == end
    assert chats.text(cut) == chats.text(encoded.learned) == "red"


def test_words_that_the_template_puts_before_the_end_are_no_part_of_the_answer(base):
    chats = Chats.of(told(base, WORD_AND_EOS))
    example = harness.Example("a", ({"role": "user", "content": "find"},), ("x [END] y",))
    (encoded,) = chats.training_rows([example], LoraTrainer.Options())
    assert chats.text(encoded.learned) == "x [END] y"
    assert chats.text(encoded.learned[:-1]) == "x [END] y [END]"  # not ended: as it was said


@pytest.mark.nightly
def test_a_prompt_beyond_the_context_is_refused_or_counted(architectures, row, another):
    gpt2 = architectures("gpt2").base
    assert Chats.of(gpt2).context == 512
    long = harness.Example("long", ({"role": "user", "content": "find 12 " * 200},), (), "dev")
    fits = harness.Example("fits", ({"role": "user", "content": "find"},), ())
    with pytest.raises(harness.DataError, match="1 of 2 prompts leave no room") as caught:
        generate(gpt2, [long, fits], another())
    assert caught.value.details[0].startswith("long: ")
    context = another()
    found = generate(gpt2, [long, fits], context, on_too_long="count")
    assert (found["long"].text, found["long"].finish_reason) == ("", "context")
    assert found["long"].prompt_tokens > 500
    assert found["fits"].finish_reason != "context"
    assert context.facts["too_long"] == 1
    assert "1 of 2 prompts of dev leave no room" in context.facts["remarks"][0]
    tokens = len(encoding.prompt_ids(loading.tokenizer_of(gpt2), fits))
    assert len(generate(gpt2, [fits], another(), max_new_tokens=512 - tokens)) == 1
    with pytest.raises(harness.DataError, match="max_new_tokens 511"):
        generate(gpt2, [fits], another(), max_new_tokens=511)


def test_a_training_row_beyond_the_context_is_cut_as_by_max_length(architectures, row, context):
    gpt2 = architectures("gpt2").base
    rows = [row(1), row(2, "find 12 " * 200)]
    with pytest.raises(harness.DataError, match="context of 512 tokens cuts 1 training") as caught:
        LoraTrainer(LoraTrainer.Options(max_length=1024)).train(gpt2, rows, (), context)
    assert caught.value.details == ("row-2",)


def test_a_limit_that_only_the_tokenizer_knows(base):
    from types import SimpleNamespace

    from harness_transformers.chats import context_of

    def context(limit, **config):
        text = SimpleNamespace(**config)
        whole = SimpleNamespace(get_text_config=lambda: text)
        return context_of(whole, SimpleNamespace(model_max_length=limit))

    assert context(int(1e30)) is None
    assert context(2048) == 2048
    assert context(2048, max_position_embeddings=32768) == 32768


CALL = {"type": "function", "function": {"name": "find", "arguments": {"what": "red"}}}
TOOLS = ({"type": "function", "function": {"name": "find", "parameters": {}}},)
TURNS = (
    {"role": "user", "content": "where is red"},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "content": "12"},
)


@pytest.mark.parametrize("name", ["qwen3", "mistral"])
def test_turns_of_tools_are_context_and_the_answer_is_learned(architectures, name, another):
    base = architectures(name).base
    chats = Chats.of(base)
    example = harness.Example("a", TURNS, ("at 12",), tools=TOOLS)
    text = prompt(base, example)
    assert '"find"' in text
    assert text.index("where is red") < text.index("arguments") < text.rindex("12")
    (encoded,) = chats.training_rows([example], LoraTrainer.Options())
    assert chats.text(encoded.learned) == "at 12"
    assert encoded.input_ids[: -encoded.trained] == encoding.prompt_ids(chats.tokenizer, example)
    assert len(generate(base, [example], another())) == 1


def test_a_turn_that_the_template_cannot_render_is_named(architectures, context):
    """ChatML adds texts up, and a call of a tool has none."""
    example = harness.Example("a", ({"role": "assistant", "content": None}, *TURNS[:1]))
    with pytest.raises(harness.DataError, match="1 of 1 prompts cannot be used") as caught:
        generate(architectures("qwen2").base, [example], context)
    assert caught.value.details[0].startswith("a: the chat template refuses it: ")


def thinking(architectures) -> Any:
    """A tokenizer whose template renders thoughts, as Qwen's do."""
    tokenizer = copy.deepcopy(Chats.of(architectures("qwen3").base).tokenizer)
    tokenizer.chat_template = tokenizer.chat_template.replace(
        "{{ '<think>\\n\\n</think>\\n\\n' }}",
        "{{ '<think>\\n' + (m.reasoning_content or '') + '\\n</think>\\n\\n' }}",
        1,
    )
    return tokenizer


def test_the_thought_before_an_answer_is_learned_and_no_part_of_what_is_scored(architectures):
    tokenizer, chats = thinking(architectures), Chats.of(architectures("qwen3").base)
    example = harness.Example("a", TURNS[:1], ("at 12",), thought="red is a colour")
    encoded = encoding.encode(tokenizer, example, 1024, all_turns=False)
    assert tokenizer.decode(encoded.learned).startswith("<think>\nred is a colour\n</think>")
    assert encoding.left_out(tokenizer, example) == ""
    assert chats.text(encoded.learned) == "at 12"
    assert example.as_asked().thought == ""


def test_what_a_template_drops_is_said(architectures, context):
    example = harness.Example("a", TURNS, ("at 12",), tools=TOOLS, thought="hm")
    base = architectures("qwen2").base  # ChatML, which knows roles and texts alone
    [shown] = LoraTrainer(LoraTrainer.Options()).rendered(base, [example], context)
    assert shown.left_out == (
        "the schemas of tools, the calls of tools, what is thought before the answer"
    )
    knowing = Chats.of(architectures("qwen3").base).tokenizer
    assert encoding.left_out(knowing, example) == "what is thought before the answer"
    plain = harness.Example("a", TURNS[:1], ("at 12",))
    assert encoding.left_out(knowing, plain) == ""


def test_what_a_template_drops_of_prompts_is_remarked_with_the_answers(architectures, tmp_path):
    asked = [harness.Example(f"a{n}", TURNS, split="dev", tools=TOOLS) for n in range(60)]
    plain = harness.Example("b", TURNS[:1], split="dev")

    def remarks(kind, examples):
        context = harness.Context(tmp_path)
        Chats.of(architectures(kind).base).note_prompts(context, (), examples, 8)
        return context.facts.get("remarks", [])

    [remark] = remarks("qwen2", [*asked, plain])
    assert remark.startswith(
        "the chat template drops the schemas of tools and the calls of tools: 50 of 50 prompts of "
        "dev that were looked at have them"
    )
    assert not remarks("qwen3", asked) and not remarks("qwen2", [plain])


def test_with_all_turns_one_that_is_not_to_be_learned_is_context(architectures):
    tokenizer = Chats.of(architectures("qwen2").base).tokenizer
    turns = (TURNS[0], {"role": "assistant", "content": "hm", "weight": 0}, TURNS[0])
    encoded = encoding.encode(
        tokenizer, harness.Example("a", turns, ("at 12",)), 1024, all_turns=True
    )
    assert "hm" not in tokenizer.decode(encoded.learned)
