from __future__ import annotations

import re

import pytest

import harness
from harness_transformers import encoding


def learned(tokenizer, encoded):
    return tokenizer.decode([label for label in encoded.labels if label != encoding.IGNORED])


def test_only_the_answer_and_its_end_are_learned(tokenizer, row):
    encoded = encoding.encode(tokenizer, row(3, "find the red"), 1024, all_turns=False)
    assert learned(tokenizer, encoded) == "find the red<|end|>"
    assert encoded.labels[-1] == tokenizer.eos_token_id
    assert encoded.trained == sum(label >= 0 for label in encoded.labels)


@pytest.mark.parametrize("answer", ["find", " find", "\n\n find", "<|end|>", "é ü", "find\n"])
def test_a_training_row_begins_with_exactly_what_generation_starts_from(tokenizer, row, answer):
    example = row(3, answer)
    encoded = encoding.encode(tokenizer, example, 1024, all_turns=False)
    prompt = encoding.prompt_ids(tokenizer, example)
    assert encoded.input_ids[: len(prompt)] == prompt
    assert set(encoded.labels[: len(prompt)]) == {encoding.IGNORED}
    assert encoded.labels[len(prompt) :] == encoded.input_ids[len(prompt) :]
    assert learned(tokenizer, encoded).startswith(answer)


def test_all_assistant_turns_are_learned_when_asked_for(tokenizer):
    turns = (
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "red"},
        {"role": "user", "content": "two"},
    )
    chat = harness.Example("a", turns, ("blue",))
    last = encoding.encode(tokenizer, chat, 1024, all_turns=False)
    both = encoding.encode(tokenizer, chat, 1024, all_turns=True)
    assert learned(tokenizer, last) == "blue<|end|>"
    assert learned(tokenizer, both) == "red<|end|>blue<|end|>"
    assert last.input_ids == both.input_ids


def test_a_cut_answer_is_marked(tokenizer, row):
    whole = encoding.encode(tokenizer, row(3), 1024, all_turns=False)
    cut = encoding.encode(tokenizer, row(3), len(whole.input_ids) - 1, all_turns=False)
    exact = encoding.encode(tokenizer, row(3), len(whole.input_ids), all_turns=False)
    assert (whole.truncated, cut.truncated, exact.truncated) == (False, True, False)
    assert cut.trained == whole.trained - 1


def test_a_row_without_a_reference_is_named(tokenizer, row):
    example = harness.Example("lost", row(1).messages, ())
    with pytest.raises(harness.DataError, match="lost"):
        encoding.encode(tokenizer, example, 1024, all_turns=False)


def test_a_template_that_rewrites_the_prompt_is_refused(retemplated, row):
    from transformers import AutoTokenizer

    changing = retemplated(
        "{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}"
    )
    tokenizer = AutoTokenizer.from_pretrained(changing.path)
    with pytest.raises(harness.DataError, match="differently once an answer follows"):
        encoding.encode(tokenizer, row(1), 1024, all_turns=False)


def test_the_template_hash_knows_every_change_but_the_date(tokenizer, monkeypatch):
    first = encoding.template_hash(tokenizer)
    assert re.fullmatch("[0-9a-f]{16}", first)
    plain = tokenizer.chat_template
    monkeypatch.setattr(tokenizer, "chat_template", plain + "{{ ' ' }}")
    assert encoding.template_hash(tokenizer) != first
    dated = (
        "{% if date_string is not defined %}{% set date_string = strftime_now('%f') %}{% endif %}"
        "{{ date_string }}"
    )
    monkeypatch.setattr(tokenizer, "chat_template", dated + plain)
    assert encoding.template_hash(tokenizer) == encoding.template_hash(tokenizer)


def test_a_model_without_a_template_is_refused(tokenizer, monkeypatch):
    monkeypatch.setattr(tokenizer, "chat_template", None)
    with pytest.raises(harness.ConfigError, match="no chat template"):
        encoding.template_hash(tokenizer)
