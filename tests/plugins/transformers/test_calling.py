"""Calls of tools: rendered by the model's template, and read out of what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import harness
from harness_transformers import encoding, loading
from harness_transformers.calling import PROBES, CallForm, learned_form
from harness_transformers.chats import Chats
from harness_transformers.lora import LoraTrainer
from tests.support.tool_template import TOOL_TEMPLATE

Answer, ToolCall = harness.Answer, harness.ToolCall
TOOL = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
BONN, ULM = (ToolCall("look", {"city": city}) for city in ("Bonn", "Ulm"))


def _json(call: harness.ToolCall, key: str = "arguments") -> str:
    return json.dumps({"name": call.name, key: dict(call.arguments)})


def _arguments(call: harness.ToolCall) -> str:
    return json.dumps(dict(call.arguments))


def _single(answer: harness.Answer) -> str:
    """Llama 3's template takes one call alone."""
    if len(answer.calls) > 1:
        raise harness.DataError("one call at a time")
    return _json(answer.calls[0], "parameters")


FAMILIES: dict[str, Callable[[harness.Answer], str]] = {
    "Hermes, Qwen": lambda answer: "\n".join(
        f"<tool_call>\n{_json(call)}\n</tool_call>" for call in answer.calls
    ),
    "Llama 3": _single,
    "Mistral": lambda answer: f"[TOOL_CALLS] [{', '.join(map(_json, answer.calls))}]",
    "Mistral, with ids": lambda answer: "[TOOL_CALLS] " + json.dumps(
        [{"name": call.name, "arguments": call.arguments, "id": "abcdefghi"}
         for call in answer.calls]
    ),
    "Mistral since version 11": lambda answer: "".join(
        f"[TOOL_CALLS]{call.name}[ARGS]{_arguments(call)}" for call in answer.calls
    ),
    "DeepSeek": lambda answer: "<calls><call>" + "<call>".join(
        f"function<sep>{call.name}\n```json\n{_arguments(call)}\n```</call>"
        for call in answer.calls
    ) + "</calls>",
    "a list between tags": lambda answer: (
        f"<tool_call>[{', '.join(map(_json, answer.calls))}]</tool_call>"
    ),
    "a JSON object a line": lambda answer: "\n".join(map(_json, answer.calls)),
    "a JSON list": lambda answer: f"[{', '.join(map(_json, answer.calls))}]",
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_family_writes_is_read_back(family: str) -> None:
    write = FAMILIES[family]
    form = learned_form(write)
    assert form is not None
    for calls in ((BONN,), (BONN, ULM), (BONN, ULM, BONN)):
        answer = Answer("", calls)
        if family != "Llama 3" or len(calls) == 1:
            assert form.read(write(answer)) == answer
        if form.begin:
            assert form.read("I look.\n" + write(answer)) == Answer("I look.", calls)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_text_and_a_broken_call_are_no_calls(family: str) -> None:
    write = FAMILIES[family]
    form = learned_form(write)
    assert form is not None
    assert form.read("It rains in Bonn.") is None
    assert form.read("") is None
    assert form.read(write(Answer("", (BONN,))).replace('"}', '"')) is None
    assert form.read("Write " + _json(BONN) + " for it.") is None


def test_llama_3_may_mark_calls_and_writes_several_with_semicolons() -> None:
    form = learned_form(_single)
    assert form is not None
    text = f"<|python_tag|>{_json(BONN, 'parameters')}; {_json(ULM, 'parameters')}"
    assert form.read(text) == Answer("", (BONN, ULM))


TAGS = learned_form(FAMILIES["Hermes, Qwen"]) or CallForm()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (f"<tool_call>{_json(BONN)}", Answer("", (BONN,))),
        (f"<tool_call>{_json(BONN)}</tool_call> Done.", Answer("Done.", (BONN,))),
        (f"<tool_call>{_json(BONN)}</tool_call><tool_call>{_json(ULM)}", Answer("", (BONN, ULM))),
        (f"```json\n{_json(BONN)}\n```", None),
        (_json(BONN), None),
        (f"<tool_call>{_json(BONN)}</tool_call><tool_call>{{</tool_call>", None),
        ('<tool_call>{"name": "look"}</tool_call>', None),
        ('<tool_call>{"name": "look", "arguments": {"city": NaN}}</tool_call>', None),
        ('<tool_call>{"name": "look", "arguments": {"city": "\\ud800"}}</tool_call>', None),
        ("<tool_call>" + "[" * 50_000, None),
    ],
)  # fmt: skip
def test_what_models_make_of_tags(text: str, answer: harness.Answer | None) -> None:
    assert TAGS.read(text) == answer


def test_a_form_that_is_no_json_is_not_learned() -> None:
    assert learned_form(lambda answer: "".join(f"{call.name}()" for call in answer.calls)) is None


@pytest.fixture
def knowing(base: harness.Checkpoint) -> harness.Checkpoint:
    """The tiny model, with a template that knows tools and ends turns with its own token."""
    template = TOOL_TEMPLATE.replace("<|im_start|>", "<|start|>").replace("<|im_end|>", "<|end|>")
    return replace(base, info={**base.info, "chat_template": template})


def asking(*calls: harness.ToolCall, **changes: Any) -> harness.Example:
    row = harness.Example(
        "a", ({"role": "user", "content": "Rain?"},), (Answer("", calls).text,), tools=(TOOL,)
    )
    return replace(row, **changes)


def test_the_form_is_that_of_the_template(
    knowing: harness.Checkpoint, base: harness.Checkpoint
) -> None:
    assert Chats.of(knowing).calls == TAGS
    assert Chats.of(base).calls == CallForm()  # it writes none, so they are bare JSON
    assert PROBES[0].name not in encoding.prompt(Chats.of(knowing).tokenizer, asking(BONN))


def test_a_trained_call_is_what_is_read_of_an_answer(knowing: harness.Checkpoint) -> None:
    chats, row = Chats.of(knowing), asking(BONN, ULM)
    encoded = encoding.encode(chats.tokenizer, row, 4096, all_turns=False)
    text = chats.tokenizer.decode(encoded.learned)
    assert text.startswith('<tool_call>\n{"name": "look", "arguments": {"city": "Bonn"}}')
    prompt = encoding.prompt_ids(chats.tokenizer, row)
    assert encoded.input_ids[: len(prompt)] == prompt
    answer, turn = chats.answer(row, encoded.learned, prompt)
    assert answer == row.references[0]
    assert turn is not None
    assert Answer.of(turn).calls == (BONN, ULM)


def test_a_row_without_tools_is_answered_by_a_text(knowing: harness.Checkpoint) -> None:
    chats = Chats.of(knowing)
    tokens = chats.tokenizer(f"<tool_call>{_json(BONN)}</tool_call>")["input_ids"]
    text, turn = chats.answer(asking(BONN, tools=()), tokens, [])
    assert turn is None
    assert text == f"<tool_call>{_json(BONN)}</tool_call>"


def test_marks_that_are_special_tokens_are_seen(base: harness.Checkpoint) -> None:
    template = (
        "{% for m in messages %}{{ m.role + m.content }}{% for c in m.tool_calls or [] %}"
        "<|start|>{{ {'name': c.function.name, 'arguments': c.function.arguments} | tojson }}"
        "{% endfor %}<|end|>{% endfor %}{% if add_generation_prompt %}assistant{% endif %}"
    )
    chats = Chats.of(replace(base, info={**base.info, "chat_template": template}))
    assert chats.calls.begin == "<|start|>"
    tokens = chats.tokenizer(f"<|start|>{_json(BONN)}<|end|>")["input_ids"]
    text, turn = chats.answer(asking(BONN), tokens, [])
    assert (text, turn is not None) == (_json(BONN), True)
    broken = chats.tokenizer("<|start|>{<|end|>")["input_ids"]
    assert chats.answer(asking(BONN), broken, []) == ("<|start|>{", None)


def test_transformers_own_description_of_the_answers_goes_first(
    knowing: harness.Checkpoint,
) -> None:
    chats = Chats.of(knowing)
    if not hasattr(chats.tokenizer, "parse_response"):
        pytest.skip("this transformers reads no calls")
    chats.tokenizer.response_template = {
        "start_anchor": "<|start|>assistant\n",
        "fields": {
            "tool_calls": {
                "open": "<call>", "close": "</call>", "content": "json", "repeats": True,
                "transform": {"type": "function", "function": "{content}"},
            },
            "content": {"close": ["<|end|>"]},
        },
    }  # fmt: skip
    prompt = encoding.prompt_ids(chats.tokenizer, asking(BONN))

    def answer(text: str) -> tuple[str, Any]:
        return chats.answer(asking(BONN), chats.tokenizer(text)["input_ids"], prompt)

    text, turn = answer(f"I look.<call>{_json(ULM)}</call><|end|>")
    assert (text, turn is not None) == (f"I look.\n{_json(ULM)}", True)
    assert answer("<call>{</call><|end|>") == ("<call>{</call>", None)
    assert answer("It rains.<|end|>") == ("It rains.", None)


def test_a_template_that_drops_the_call_is_refused(
    base: harness.Checkpoint, another: Callable[[], Any]
) -> None:
    trainer = LoraTrainer(LoraTrainer.Options(r=2, epochs=1, precision="fp32"))
    with pytest.raises(harness.DataError) as caught:
        trainer.train(base, [asking(BONN, place="rows.jsonl:7")], (), another())
    assert "rows.jsonl:7" in caught.value.details[0]
    assert "leaves out the call of look" in caught.value.details[0]
    assert "chat_template: FILE" in caught.value.hint
    tokenizer = loading.tokenizer_of(base)
    with pytest.raises(harness.DataError, match="leaves out the call"):
        encoding.encode(tokenizer, asking(BONN), 99, all_turns=False)
