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
    return tokenizer.decode(out, skip_special_tokens=True).rstrip(), len(out), ids.shape[1]


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


@pytest.mark.nightly
def test_what_an_adapter_learned_is_answered_and_stops_by_itself(trained, row, context):
    found = answers(trained, [row(number) for number in range(7)], context)
    assert {(p.text, p.finish_reason) for p in found.values()} == {("find", "stop")}
    cut = answers(trained, [row(1)], context, max_new_tokens=1)["row-1"]
    assert (cut.finish_reason, cut.completion_tokens) == ("length", 1)


@pytest.mark.nightly
def test_more_tokens_can_be_forced(trained, row, context):
    forced = answers(trained, [row(1), row(2)], context, min_new_tokens=9)
    assert all(p.completion_tokens >= 9 for p in forced.values())


@pytest.mark.nightly
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


def test_cancellation_stops_before_the_next_answer(base, row, context):
    done = []
    context.report = lambda step, total, what: done.append(step)
    context.cancelled = lambda: bool(done) and done[-1] >= 3
    with pytest.raises(harness.Cancelled):
        list(generator().generate(base, [row(number) for number in range(9)], context))
    assert done == [0, 1, 2, 3]


def test_a_missing_model_is_an_environment_failure(row, context, tmp_path):
    gone = harness.Checkpoint("base", str(tmp_path / "gone"), "d")
    with pytest.raises(harness.EnvironmentFailure, match="gone"):
        answers(gone, [row(1)], context)


@pytest.fixture
def opinionated(tiny, tmp_path):
    """The tiny model, whose makers say much of generation."""
    import json
    import shutil

    folder = tmp_path / "opinionated"
    shutil.copytree(tiny, folder)

    def make(**settings):
        path = folder / "generation_config.json"
        path.write_text(json.dumps({"eos_token_id": 1, "pad_token_id": 1, **settings}))
        return harness.Checkpoint("base", str(folder), "o", "opinionated")

    return make


def texts(*given, **options):
    return {name: found.text for name, found in answers(*given, **options).items()}


@pytest.mark.nightly(but_each=20)
@pytest.mark.parametrize(
    "setting",
    [{"repetition_penalty": 2.0}, {"no_repeat_ngram_size": 1}, {"forced_eos_token_id": 5},
     {"suppress_tokens": list(range(2, 150))}, {"min_new_tokens": 12}, {"min_length": 60},
     {"max_length": 30}, {"num_beams": 3}, {"do_sample": True, "temperature": 5.0, "top_k": 3}],
    ids=lambda setting: next(iter(setting)),
)  # fmt: skip
@pytest.mark.parametrize("options", [{}, {"min_new_tokens": 1}], ids=["greedy", "generate"])
def test_greedy_is_greedy_whatever_the_models_makers_say(
    base, opinionated, row, another, setting, options
):
    examples = [row(number) for number in range(6)]
    context = another()
    assert texts(opinionated(**setting), examples, context, **options) == texts(
        base, examples, another(), **options
    )
    assert context.facts["generation_config"] == "options"
    if "max_length" not in setting:
        (remark,) = context.facts["remarks"]
        assert f"the model's own generation settings are not used ({next(iter(setting))}" in remark


def test_the_models_own_settings_can_be_asked_for(base, opinionated, row, another):
    from transformers import GenerationConfig

    examples = [row(number) for number in range(6)]
    context = another()
    checkpoint = opinionated(repetition_penalty=1.8)
    found = texts(checkpoint, examples, context, generation_config="model")
    assert found != texts(base, examples, another())
    import torch

    tokenizer = loading.tokenizer_of(base)
    model = loading.base_of(base, torch.float32).eval()
    config = GenerationConfig(repetition_penalty=1.8, max_new_tokens=12, eos_token_id=1)
    for example in examples:
        ids = torch.tensor([encoding.prompt_ids(tokenizer, example)])
        out = model.generate(ids, generation_config=config)[0, ids.shape[1] :]
        assert found[example.id] == tokenizer.decode(out, skip_special_tokens=True).rstrip()
    assert context.facts["generation_settings"] == '{"repetition_penalty": 1.8}'
    assert "the model's own settings: repetition_penalty 1.8" in context.facts["remarks"][0]


def test_sampling_takes_its_limits_from_the_options_alone(base, opinionated, row, another):
    """A model whose makers say top_k 1 would else be greedy; with top_k 1 of ours it is."""
    examples = [row(number) for number in range(6)]
    drawn = {"do_sample": True, "temperature": 1.5}
    greedily = texts(base, examples, another())
    free = texts(opinionated(top_k=1, top_p=0.01), examples, another(), **drawn)
    assert free == texts(base, examples, another(), **drawn) != greedily
    assert texts(base, examples, another(), **drawn, top_k=1) == greedily
    # transformers' own default of 50 would cut a vocabulary of 300.
    assert free != texts(base, examples, another(), **drawn, top_k=50)


@pytest.mark.parametrize(
    ("options", "what"),
    [({"temperature": 0.5}, "temperature: no effect without do_sample"),
     ({"top_k": 5, "top_p": 0.5}, "top_p, top_k: no effect without do_sample"),
     ({"generation_config": "model", "do_sample": True}, "do_sample: no effect with generation_"),
     ({"generation_config": "model", "min_new_tokens": 2}, "min_new_tokens: no effect with gen")],
    ids=str,
)  # fmt: skip
def test_options_without_effect_are_refused(options, what):
    with pytest.raises(ValueError, match=what):
        generator(**options)


def test_jobs_that_share_prompts_name_the_answers():
    from harness.config.plugin_entries import PluginEntry

    alone, shared = (
        TransformersGenerator(TransformersGenerator.Options(processes=1, **given))
        for given in ({}, {"jobs": 4})
    )
    assert (alone.jobs(), shared.jobs()) == (1, 4)
    assert shared.environment() == {**alone.environment(), "jobs": "4"}
    keys = [PluginEntry("generator", "t", "t", made, "here").key() for made in (alone, shared)]
    assert keys[0] == keys[1], "what was answered before is found again"
