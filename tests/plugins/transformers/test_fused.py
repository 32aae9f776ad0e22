from __future__ import annotations

import copy

import pytest

from harness_transformers import loading
from harness_transformers.quiet import quietly
from tests.support.later import Later

torch = Later("torch")
fused = Later("harness_transformers.fused")


def adapted(base, dtype=None, **options):
    from peft import LoraConfig, get_peft_model

    settings = {"r": 4, "lora_alpha": 12, "target_modules": "all-linear", **options}
    torch.manual_seed(5)
    with quietly():
        model = get_peft_model(
            loading.base_of(base, dtype or torch.float32),
            LoraConfig(task_type="CAUSAL_LM", **settings),
        )
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    return model


def outcome(model):
    """Logits and the adapter's gradients for one batch."""
    torch.manual_seed(6)
    ids = torch.randint(2, 300, (3, 17))
    logits = model(input_ids=ids, use_cache=False).logits.float()
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten()).backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.requires_grad}
    return logits.detach(), gradients


def test_it_computes_what_peft_computes(base):
    plain = adapted(base)
    quick = copy.deepcopy(plain)
    assert fused.fuse(quick) == 14
    logits, gradients = outcome(plain)
    found, quick_gradients = outcome(quick)
    torch.testing.assert_close(found, logits, rtol=1e-4, atol=1e-5)
    assert len(gradients) == 28
    for name, gradient in gradients.items():
        torch.testing.assert_close(quick_gradients[name], gradient, rtol=1e-4, atol=1e-6)


def test_in_bf16_it_is_as_near_to_float32_as_peft_is(base):
    exact, _ = outcome(adapted(base))
    plain = adapted(base, torch.bfloat16)
    quick = copy.deepcopy(plain)
    fused.fuse(quick)
    _, gradients = outcome(quick)
    far = (outcome(plain)[0] - exact).abs().mean()
    assert (outcome(quick)[0] - exact).abs().mean() < 1.5 * far
    assert {gradient.dtype for gradient in gradients.values()} == {torch.float32}


@pytest.mark.parametrize(
    "options", [{"lora_dropout": 0.1}, {"use_dora": True}, {"lora_bias": True}], ids=str
)
def test_what_it_does_not_know_it_leaves_alone(base, options):
    assert fused.fuse(adapted(base, **options)) == 0


@pytest.mark.parametrize("bias", ["lora_only", "all"])
def test_layers_whose_bias_is_trained_are_left_alone(architectures, bias):
    model = adapted(architectures("qwen2").base, bias=bias)
    biased = [n for n, p in model.named_parameters() if n.endswith("bias") and p.requires_grad]
    assert biased
    fused.fuse(model)
    _, gradients = outcome(model)
    assert all(gradients[name] is not None for name in biased)


def test_the_weights_under_the_adapter_get_no_gradient(base):
    model = adapted(base)
    fused.fuse(model)
    outcome(model)
    assert all(p.grad is None for n, p in model.named_parameters() if "lora_" not in n)
