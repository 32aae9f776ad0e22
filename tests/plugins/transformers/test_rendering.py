"""Rows shown as the trainer gives them to the model: the same tokens, as texts."""

from __future__ import annotations

import pytest

import harness
from harness_transformers import encoding
from harness_transformers.lora import LoraTrainer

ANSWERS = ["find the red", " find", "é ü 😀 日本", "<|end|>", "a\r\nb\tc", "[/bold]\x1b[31m", ""]


def shown(base, rows, context, **options):
    trainer = LoraTrainer(LoraTrainer.Options(**options))
    return list(trainer.rendered(base, rows, context))


@pytest.mark.parametrize("answer", ANSWERS)
def test_it_shows_what_training_encodes(base, tokenizer, row, context, answer):
    example = row(3, answer)
    [one] = shown(base, [example], context)
    encoded = encoding.encode(tokenizer, example, 1024, all_turns=False)
    assert len(one.tokens) == len(encoded.input_ids)
    assert list(one.trained) == [label != encoding.IGNORED for label in encoded.labels]
    prompt = encoding.prompt(tokenizer, example)
    assert "".join(one.tokens) == f"{prompt}{answer}<|end|>"
    assert one.tokens[-1] == "<|end|>" and one.trained[-1]
    learned = "".join(t for t, trained in zip(one.tokens, one.trained, strict=True) if trained)
    assert learned == f"{answer}<|end|>"
    assert (one.problem, one.cut) == ("", 0)


def test_a_character_of_several_tokens_is_shown_once(base, row, context):
    [one] = shown(base, [row(3, "x😀y")], context)
    assert one.tokens.count("😀") == 1 and "" in one.tokens


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"max_length": 60}, "max_length 60 cuts its answer"),
        ({"max_length": 60, "on_truncated": "count"}, ""),
        ({"max_length": 8}, "it has no token to learn within max_length 8"),
        ({"max_length": 8, "on_truncated": "count"}, "no token to learn"),
    ],
)
def test_what_is_cut_is_counted_and_said_where_training_refuses_it(
    base, row, context, options, problem
):
    example = row(3, "find the red " * 20)
    [whole] = shown(base, [example], context)
    [one] = shown(base, [example], context, **options)
    assert one.tokens == whole.tokens
    assert one.cut == len(whole.tokens) - options["max_length"]
    assert problem in one.problem and bool(one.problem) == bool(problem)
    trainer = LoraTrainer(LoraTrainer.Options(**options))
    if problem:
        with pytest.raises(harness.DataError):
            trainer.train(base, [example], [], context)


def test_all_turns_are_marked_when_they_are_trained_on(base, context):
    turns = (
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "red"},
        {"role": "user", "content": "two"},
    )
    chat = harness.Example("a", turns, ("blue",))
    for train_on, texts in (("last", "blue<|end|>"), ("all", "red<|end|>blue<|end|>")):
        [one] = shown(base, [chat], context, train_on=train_on)
        assert "".join(t for t, yes in zip(one.tokens, one.trained, strict=True) if yes) == texts


def test_a_row_that_is_refused_does_not_hide_the_others(retemplated, row, context):
    strict = retemplated(
        "{% for m in messages %}{% if m.role == 'system' %}"
        "{{ raise_exception('no system') }}{% endif %}"
        "{{ m.role + ':' + m.content + '<|end|>' }}{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}"
    )
    system = ({"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"})
    rows = [row(1), harness.Example("s", system, ("ho",)), harness.Example("n", system[1:])]
    first, second, third = shown(strict, rows, context)
    assert not first.problem and first.tokens
    assert "no system" in second.problem and second.tokens == ()
    assert "no reference" in third.problem
    assert "".join(third.tokens).endswith("assistant:") and not any(third.trained)


def test_a_template_without_an_end_is_refused_as_in_training(retemplated, row, context):
    endless = retemplated(
        "{% for m in messages %}{{ m.role + ':' + m.content }}{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}"
    )
    with pytest.raises(harness.ConfigError, match="nothing that could stop generation"):
        shown(endless, [row(1)], context)


def test_progress_is_told_row_by_row(base, row, context):
    heard = []
    context.report = lambda *step: heard.append(step)
    shown(base, [row(1), row(2)], context)
    assert heard == [(1, 2, "rows"), (2, 2, "rows")]
