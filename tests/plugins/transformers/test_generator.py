from __future__ import annotations

from dataclasses import replace

import pytest

import harness
from harness_transformers import encoding, loading
from harness_transformers.generator import TransformersGenerator
from harness_transformers.lora import LoraTrainer


def generator(**options):
    settings = {"max_new_tokens": 12, "batch_size": 3, "precision": "fp32", **options}
    return TransformersGenerator(TransformersGenerator.Options(**settings))


def answers(checkpoint, examples, context, **options):
    found = list(generator(**options).generate(checkpoint, examples, context))
    assert sorted(p.example_id for p in found) == sorted(e.id for e in examples)
    return {prediction.example_id: prediction for prediction in found}


def alone(checkpoint, example, limit=12):
    """The reference: one prompt, no padding, transformers' own greedy generation."""
    import torch

    tokenizer = loading.tokenizer_of(checkpoint)
    model = loading.base_of(checkpoint, torch.float32).eval()
    ids = torch.tensor([encoding.prompt_ids(tokenizer, example)])
    out = model.generate(ids, max_new_tokens=limit, do_sample=False)[0, ids.shape[1] :].tolist()
    return tokenizer.decode(out, skip_special_tokens=True).strip(), len(out), ids.shape[1]


@pytest.fixture(scope="module")
def trained(base, row, tmp_path_factory):
    """An adapter that has learned to say `find` and stop."""
    context = harness.Context(tmp_path_factory.mktemp("trained"), seed=11)
    train = [row(number, "find") for number in range(12)]
    options = {"r": 8, "epochs": 12, "batch_size": 4, "precision": "fp32", "learning_rate": 0.03}
    return LoraTrainer(LoraTrainer.Options(**options)).train(base, train, (), context)


def test_a_batch_answers_what_each_prompt_alone_would(base, row, context, capfd):
    examples = [row(number) for number in range(10)]
    steps = []
    context.report = lambda done, total, what: steps.append((done, total))
    found = answers(base, examples, context)
    for example in examples:
        text, completion, prompt = alone(base, example)
        prediction = found[example.id]
        assert (prediction.text, prediction.completion_tokens) == (text, completion)
        assert prediction.prompt_tokens == prompt
        assert prediction.finish_reason == ("length" if completion == 12 else "stop")
    assert steps[0] == (0, 10)
    assert steps[-1] == (10, 10)
    assert capfd.readouterr() == ("", "")


def test_what_an_adapter_learned_is_answered_and_stops_by_itself(trained, row, context):
    found = answers(trained, [row(number) for number in range(7)], context)
    assert {(p.text, p.finish_reason) for p in found.values()} == {("find", "stop")}
    cut = answers(trained, [row(1)], context, max_new_tokens=1)["row-1"]
    assert (cut.finish_reason, cut.completion_tokens) == ("length", 1)


def test_more_tokens_can_be_forced(trained, row, context):
    forced = answers(trained, [row(1), row(2)], context, min_new_tokens=9)
    assert all(p.completion_tokens >= 9 for p in forced.values())


def test_another_template_than_that_of_training_stops(trained, row, context, retemplated):
    other = retemplated("{% for m in messages %}{{ m.content }}{% endfor %}")
    moved = replace(trained, base_path=other.path)
    with pytest.raises(harness.DataError, match=r"trained with chat template \w{16}"):
        answers(moved, [row(1)], context)


def test_the_template_is_noted(base, row, context, tokenizer):
    answers(base, [row(1)], context)
    assert context.facts["template"] == encoding.template_hash(tokenizer)


def test_sampling_follows_the_seed(base, row, another):
    examples = [row(number) for number in range(6)]
    options = {"do_sample": True, "temperature": 1.5, "top_p": 0.95}
    first, same, other = (
        {k: p.text for k, p in answers(base, examples, another(seed=seed), **options).items()}
        for seed in (1, 1, 2)
    )
    assert first == same != other


def test_references_are_not_looked_at(base, row, another):
    given = answers(base, [row(1), row(2)], another())
    blind = answers(base, [replace(row(n), references=()) for n in (1, 2)], another())
    assert given == blind


def test_cancellation_stops_before_the_next_batch(base, row, context):
    done = []
    context.report = lambda step, total, what: done.append(step)
    context.cancelled = lambda: bool(done) and done[-1] >= 3
    with pytest.raises(harness.Cancelled):
        list(generator().generate(base, [row(number) for number in range(9)], context))
    assert done == [0, 3]


def test_a_missing_model_is_an_environment_failure(row, context, tmp_path):
    gone = harness.Checkpoint("base", str(tmp_path / "gone"), "d")
    with pytest.raises(harness.EnvironmentFailure, match="gone"):
        answers(gone, [row(1)], context)
