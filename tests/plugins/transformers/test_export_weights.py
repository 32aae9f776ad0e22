"""Merged weights as they are written: the base model's with the adapter, to the bit."""

from __future__ import annotations

import gc
import shutil
import weakref

import pytest

import harness
from harness_transformers import loading
from harness_transformers.quiet import quietly
from tests.plugins.transformers.architectures import ARCHITECTURES
from tests.plugins.transformers.test_adapters import adapter, logits
from tests.support.later import Later

torch = Later("torch")
weights = Later("harness_transformers.export.weights")


@pytest.fixture(autouse=True)
def quiet():
    with quietly():
        yield


def with_head(base, folder):
    """An adapter upon all linear layers but the head, which was trained whole."""
    from peft import PeftModel

    tuned = adapter(base, folder, modules_to_save=["lm_head"])
    adapted = PeftModel.from_pretrained(
        loading.base_of(tuned, "auto"), tuned.path, is_trainable=True
    )
    with torch.no_grad():
        adapted.get_output_embeddings().modules_to_save["default"].weight.mul_(1.5)
    adapted.save_pretrained(tuned.path)
    return tuned


def written(tuned, folder, dtype=None):
    """The merged weights, loaded from the files."""
    folder.mkdir(exist_ok=True)
    weights.write_merged(tuned, folder, dtype)
    return loading.base_of(harness.Checkpoint("base", str(folder), "w"), "auto")


def beside(tuned):
    """What PEFT computes with the adapter beside the weights."""
    from peft import PeftModel

    return logits(PeftModel.from_pretrained(loading.base_of(tuned, "auto"), tuned.path).eval())


@pytest.fixture
def tied(architectures, tmp_path):
    """A head that is the embeddings; layers with biases, which keep their weights transposed."""
    from transformers import AutoConfig, AutoModelForCausalLM

    base, folder = architectures("gpt2").base, tmp_path / "tied"
    shutil.copytree(base.path, folder)
    config = AutoConfig.from_pretrained(folder, tie_word_embeddings=True)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return harness.Checkpoint("base", str(folder), "t", "tied")


@pytest.mark.nightly
def test_a_head_that_was_trained_is_written(architectures, tied, tmp_path):
    for base in (architectures("qwen2").base, tied):
        tuned = with_head(base, tmp_path / f"adapter of {base.name}")
        model = written(tuned, tmp_path / f"merged {base.name}")
        assert weights.strange(tuned, model) == []
        torch.testing.assert_close(logits(model.eval()), beside(tuned), rtol=1e-4, atol=1e-4)


@pytest.mark.nightly(but_each=9)
@pytest.mark.parametrize("name", sorted(ARCHITECTURES.keys() - {"mamba"}))  # PEFT adapts no Mamba
def test_faithful_merges_are_accepted_whatever_the_architecture(architectures, tmp_path, name):
    tuned = with_head(architectures(name).base, tmp_path / "adapter")
    assert weights.strange(tuned, written(tuned, tmp_path / "merged", "bfloat16")) == []


def test_an_adapter_upon_a_tied_head_leaves_the_embeddings_alone(tied, tmp_path):
    tuned = adapter(tied, tmp_path / "adapter", target_modules=["lm_head"])
    model = written(tuned, tmp_path / "merged")
    assert weights.strange(tuned, model) == []
    torch.testing.assert_close(logits(model.eval()), beside(tuned), rtol=1e-4, atol=1e-4)


def test_a_bias_that_was_trained_is_written(architectures, tmp_path):
    tuned = adapter(
        architectures("qwen2").base, tmp_path / "adapter", target_modules=["q_proj"], lora_bias=True
    )
    model = written(tuned, tmp_path / "merged")
    assert weights.strange(tuned, model) == []
    torch.testing.assert_close(logits(model.eval()), beside(tuned), rtol=1e-4, atol=1e-4)


@pytest.mark.nightly(but_each=6)
@pytest.mark.parametrize("name", [
    "model.layers.0.self_attn.q_proj.bias", "lm_head.weight", "model.norm.weight",
    "model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight",
])  # fmt: skip
def test_each_kind_of_weight_that_is_another_one_is_named(architectures, tmp_path, name):
    tuned = with_head(architectures("qwen2").base, tmp_path / "adapter")
    model = written(tuned, tmp_path / "merged")
    with torch.no_grad():
        model.get_parameter(name).view(-1)[1] += 1
    assert weights.strange(tuned, model) == [name]


def test_no_model_is_left_in_memory(base, tmp_path, monkeypatch):
    """Also before Python looks for circles: the next step loads another one."""
    tuned = adapter(base, tmp_path / "adapter")
    model = written(tuned, tmp_path / "merged")
    load, models = loading.base_of, []

    def watched(*given):
        whole = load(*given)
        models.append(weakref.ref(whole))
        return whole

    monkeypatch.setattr(loading, "base_of", watched)
    gc.disable()
    try:
        weights.write_merged(tuned, tmp_path / "merged", None)
        assert [whole() for whole in models] == [None]
        assert weights.strange(tuned, model) == []
        assert [whole() for whole in models] == [None, None]
    finally:
        gc.enable()


def test_a_head_that_is_not_in_the_files_is_named(tied, tmp_path):
    """As it would be where the config still ties it to the embeddings."""
    tuned = with_head(tied, tmp_path / "adapter")
    model = written(tuned, tmp_path / "merged")
    with torch.no_grad():
        model.lm_head.weight.copy_(model.get_input_embeddings().weight)
    assert weights.strange(tuned, model) == ["lm_head.weight"]


def test_a_transposed_update_that_is_not_what_the_adapter_adds_is_named(
    tied, tmp_path, monkeypatch
):
    from peft.tuners.lora.layer import Linear

    tuned = adapter(tied, tmp_path / "adapter", target_modules=["c_attn"])
    update = Linear.get_delta_weight
    monkeypatch.setattr(Linear, "get_delta_weight", lambda *given: 0.9 * update(*given))
    names = weights.strange(tuned, written(tuned, tmp_path / "merged"))
    assert names and all(name.endswith("attn.c_attn.weight") for name in names)
