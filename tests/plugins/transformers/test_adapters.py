"""Answers come from the weights that were trained: the adapter beside them, or merged and said."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest

import harness
from harness_transformers import encoding, loading
from harness_transformers.generator import TransformersGenerator
from harness_transformers.lora import LoraTrainer
from harness_transformers.quiet import quietly
from tests.support.later import Later

torch = Later("torch")
adapters = Later("harness_transformers.adapters")
fused = Later("harness_transformers.fused")


def adapter(base, folder, *, size=0.2, **options):
    """A checkpoint whose adapter is random, with an update of that standard deviation in B."""
    from peft import LoraConfig, get_peft_model

    settings = {"r": 4, "lora_alpha": 12, "target_modules": "all-linear", **options}
    torch.manual_seed(5)
    with quietly():
        model = loading.base_of(base, torch.float32)
        adapted = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **settings))
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=size)
        adapted.save_pretrained(str(folder))
    return harness.Checkpoint(
        "adapter", str(folder), "d", base_path=base.path, info=dict(base.info)
    )


def generate(checkpoint, rows, context, **options):
    settings = {"max_new_tokens": 10, "batch_size": 3, "precision": "fp32", **options}
    plugin = TransformersGenerator(TransformersGenerator.Options(**settings))
    return {p.example_id: p for p in plugin.generate(checkpoint, rows, context)}


def peft_alone(checkpoint, example, dtype=None):
    """The reference: PEFT's own unmerged generation, one prompt at a time."""
    from peft import PeftModel

    tokenizer = loading.tokenizer_of(checkpoint)
    with quietly():
        model = loading.base_of(checkpoint, dtype or torch.float32)
        model = PeftModel.from_pretrained(model, checkpoint.path).eval()
        ids = torch.tensor([encoding.prompt_ids(tokenizer, example)])
        out = model.generate(input_ids=ids, max_new_tokens=10, do_sample=False)
    tokens = out[0, ids.shape[1] :].tolist()
    return tokenizer.decode(tokens, skip_special_tokens=True).rstrip(), len(tokens)


def logits(model):
    torch.manual_seed(6)
    ids = torch.randint(2, 300, (3, 17))
    with torch.no_grad():
        return model(input_ids=ids, use_cache=False).logits


@pytest.mark.nightly
def test_greedy_answers_are_those_of_pefts_own_unmerged_generation(base, row, context, tmp_path):
    checkpoint = adapter(base, tmp_path / "adapter")
    rows = [row(number) for number in range(8)]
    answers = generate(checkpoint, rows, context)
    expected = {example.id: peft_alone(checkpoint, example) for example in rows}
    assert {k: (p.text, p.completion_tokens) for k, p in answers.items()} == expected
    untouched = generate(base, rows, context)
    assert [untouched[k].text for k in expected] != [text for text, _ in expected.values()]


@pytest.mark.nightly(but_each=3)
@pytest.mark.parametrize("rank", [4, 16, 17])
def test_what_answers_computes_what_was_trained(base, context, tmp_path, rank):
    """In float32 as training does; in bf16 no farther from that than training is."""
    from peft import PeftModel

    checkpoint = adapter(base, tmp_path / "adapter", r=rank)
    found = {}
    with quietly():
        for dtype in (torch.float32, torch.bfloat16):
            trained = PeftModel.from_pretrained(loading.base_of(checkpoint, dtype), checkpoint.path)
            assert fused.fuse(trained) == 14
            found["trained", dtype] = logits(trained.eval()).float()
            answering = adapters.ready(checkpoint, dtype, context, merge=False)
            found["answering", dtype] = logits(answering).float()
    exact = found["trained", torch.float32]
    torch.testing.assert_close(found["answering", torch.float32], exact, rtol=1e-4, atol=1e-4)
    errors = {
        who: (found[who, torch.bfloat16] - exact).square().mean()
        for who in ("trained", "answering")
    }
    assert errors["answering"] < 1.5 * errors["trained"]
    assert context.facts == {}


def test_the_weights_are_held_once(base, context, tmp_path):
    checkpoint = adapter(base, tmp_path / "adapter")
    with quietly():
        plain = loading.base_of(base, torch.float32)
        model = adapters.ready(checkpoint, torch.float32, context, merge=False)
    before = plain.model.layers[0].mlp.up_proj.weight
    layer = model.model.layers[0].mlp.up_proj
    joined = layer.forward.args[0]
    assert torch.equal(layer.base_layer.weight, before)
    assert layer.base_layer.weight.data_ptr() == joined.data_ptr()


def test_merging_in_bf16_loses_what_it_says_it_loses(base, tmp_path, another):
    """A small update, as training makes it: half of a percent of its weight."""
    checkpoint = adapter(base, tmp_path / "adapter", size=0.002)
    context = another(round=2)
    with quietly():
        exact = adapters.ready(checkpoint, torch.float32, another(), merge=False)
        untouched = loading.base_of(base, torch.bfloat16)
        merged = adapters.ready(checkpoint, torch.bfloat16, context, merge=True)
    lost = whole = 0.0
    modules = dict(merged.named_modules())
    for layer in fused.plain_layers(exact):
        name = next(n for n, m in exact.named_modules() if m is layer)
        due = layer.get_delta_weight("default").detach().float()
        before = dict(untouched.named_modules())[name].weight.detach().float()
        lost += float((modules[name].weight.detach().float() - before - due).square().sum())
        whole += float(due.square().sum())
    error = (lost / whole) ** 0.5
    assert error > 0.05
    assert context.facts["merge_error"] == pytest.approx(error, rel=1e-4)
    assert context.facts["remarks"] == [
        f"round 2: merging the adapter into bfloat16 weights changed its update by {error:.2%} "
        "(relative error)"
    ]


@pytest.mark.nightly(but_each=2)
@pytest.mark.parametrize("architecture", ["gpt2", "qwen2"], indirect=True)
def test_merging_in_float32_loses_next_to_nothing(architecture, row, tmp_path, another):
    """Also where the architecture keeps its weights transposed (GPT-2)."""
    checkpoint = adapter(architecture.base, tmp_path / "adapter")
    rows = [row(number) for number in range(4)]
    context = another(round=1)
    merged = generate(checkpoint, rows, context, merge=True)
    assert context.facts["merge_error"] < 1e-5
    beside = generate(checkpoint, rows, another())
    assert {k: p.text for k, p in merged.items()} == {k: p.text for k, p in beside.items()}


@pytest.mark.nightly
@pytest.mark.parametrize("bits", ["4bit", "8bit"])
def test_a_quantised_base_answers_as_it_was_trained(wide, row, another, bits):
    """From training to the answers: the base in so many bits, the adapter beside it."""
    rows = [row(number, "find") for number in range(8)]
    options = {"r": 8, "epochs": 6, "batch_size": 4, "learning_rate": 0.03, "precision": "fp32"}
    trainer = LoraTrainer(LoraTrainer.Options(quantization=bits, **options))
    assert trainer.loading() == {"quantization": bits}
    checkpoint = trainer.train(wide, rows, (), another())
    assert checkpoint.info["quantization"] == bits
    answers = generate(checkpoint, rows[:4], another())
    for example in rows[:4]:
        prediction = answers[example.id]
        assert (prediction.text, prediction.completion_tokens) == peft_alone(checkpoint, example)
    with quietly():
        model = adapters.ready(checkpoint, torch.float32, another(), merge=False)
    weight = model.model.layers[0].mlp.up_proj.base_layer.weight
    assert type(weight).__name__ == {"4bit": "Params4bit", "8bit": "Int8Params"}[bits]


def test_round_0_answers_in_as_many_bits(wide, row, context):
    quantised = dataclasses.replace(wide, info={"quantization": "4bit"})
    with quietly():
        model = adapters.ready(quantised, torch.float32, context, merge=False)
    assert type(model.model.layers[0].mlp.up_proj.weight).__name__ == "Params4bit"
    assert generate(quantised, [row(1)], context)


def test_layers_that_bitsandbytes_cannot_repack_answer_in_4_bits(base, row, context, tmp_path):
    """Layers of 32 inputs, and a gate with one output."""
    from transformers import Qwen2MoeConfig, Qwen2MoeForCausalLM

    folder = tmp_path / "gated"
    shutil.copytree(base.path, folder)
    config = Qwen2MoeConfig(
        vocab_size=300, hidden_size=64, intermediate_size=64, moe_intermediate_size=64,
        shared_expert_intermediate_size=64, num_hidden_layers=1, num_attention_heads=4,
        num_key_value_heads=4, num_experts=2, num_experts_per_tok=1,
    )  # fmt: skip
    with quietly():
        Qwen2MoeForCausalLM(config).save_pretrained(folder)
    for path in (base.path, str(folder)):
        quantised = harness.Checkpoint("base", path, "q", info={"quantization": "4bit"})
        assert len(generate(quantised, [row(1), row(2)], context)) == 2
    with quietly():
        gate = loading.base_of(quantised, torch.float32).model.layers[0].mlp.shared_expert_gate
    assert type(gate.weight).__name__ == "Params4bit"


def test_nothing_is_merged_into_quantised_weights(base, row, context, tmp_path):
    checkpoint = adapter(base, tmp_path / "adapter")
    checkpoint = dataclasses.replace(checkpoint, info={"quantization": "4bit"})
    with pytest.raises(harness.ConfigError, match="cannot be merged into quantised weights"):
        generate(checkpoint, [row(1)], context, merge=True)


@pytest.mark.nightly
def test_weights_that_are_stored_quantised_need_no_option(wide, row, another, tmp_path):
    """Trained and answered as they are; `.to` of a device is nothing that they take."""
    folder = tmp_path / "stored"
    shutil.copytree(wide.path, folder)
    quantised = dataclasses.replace(wide, info={"quantization": "8bit"})
    with quietly():
        loading.base_of(quantised, torch.float32).save_pretrained(folder)
    stored = harness.Checkpoint("base", str(folder), "s")
    options = {"r": 4, "epochs": 2, "batch_size": 4, "precision": "fp32"}
    checkpoint = LoraTrainer(LoraTrainer.Options(**options)).train(
        stored, [row(number, "find") for number in range(4)], (), another()
    )
    prediction = generate(checkpoint, [row(1)], another())["row-1"]
    assert (prediction.text, prediction.completion_tokens) == peft_alone(checkpoint, row(1))
    with quietly():
        weight = loading.base_of(stored, torch.float32).model.layers[0].mlp.up_proj.weight
    assert weight.dtype == torch.int8
    with pytest.raises(harness.ConfigError, match="cannot be merged"):
        generate(checkpoint, [row(1)], another(), merge=True)


ROWS = [
    {"split": split, "references": ["find the red"],
     "messages": [{"role": "user", "content": f"{split} number {n}"}]}
    for split, count in (("train", 8), ("dev", 4), ("test", 4)) for n in range(count)
]  # fmt: skip
CONFIG = """\
rounds: 1
data: {{source: jsonl, path: rows.jsonl}}
model: {{source: local, path: {folder}}}
train: {{plugin: lora, r: 2, epochs: 1, quantization: 4bit}}
generate: {{plugin: transformers, max_new_tokens: 4, precision: {precision}}}
metrics: [{{plugin: exact}}]
primary: exact
analyze: []
detect: []
report: []
execution: {{launcher: inline}}
"""


@pytest.mark.nightly
def test_a_run_is_quantised_from_round_0_on(wide, project, monkeypatch):
    """Through the whole loop: each time that weights are loaded, they are loaded in 4 bits."""
    (project.folder / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    project.write(CONFIG.format(folder=wide.path, precision="fp32"))
    loads = []
    real = loading.base_of

    def watched(checkpoint, dtype):
        model = real(checkpoint, dtype)
        loads.append((checkpoint.kind, type(model.model.layers[0].mlp.up_proj).__name__))
        return model

    monkeypatch.setattr(loading, "base_of", watched)
    done = project.inside("iterate")
    assert done.code == 0, done.err
    assert loads[:3] == [("base", "Linear4bit"), ("base", "Linear4bit"), ("adapter", "Linear4bit")]
    assert {kind for _, kind in loads} == {"Linear4bit"}
