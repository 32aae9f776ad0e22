from __future__ import annotations

import pytest

from tests.support.later import Later

torch = Later("torch")
attention = Later("harness_transformers.kernels.attention")
decoding = Later("harness_transformers.kernels.decoding")
loss = Later("harness_transformers.kernels.loss")
norm = Later("harness_transformers.kernels.norm")
slots = Later("harness_transformers.slots")


def sequences(lengths, heads, keys, size, values, dtype="float64"):
    torch.manual_seed(4)
    total = sum(lengths)
    shapes = ((heads, total, size), (keys, total, size), (keys, total, values))
    return [torch.randn(shape, dtype=getattr(torch, dtype)).requires_grad_() for shape in shapes]


def by_pytorch(q, k, v, scale, lengths):
    """Each sequence with the prefix before it; of the prefix, its own states alone."""
    prefix, *parts = zip(*(x.split(lengths, 1) for x in (q, k, v)), strict=True)
    whole = [[torch.cat(pair, 1) for pair in zip(prefix, part, strict=True)] for part in parts]
    found = [
        torch.nn.functional.scaled_dot_product_attention(
            *(x[None] for x in part), is_causal=True, scale=scale, enable_gqa=True
        )[0]
        for part in whole
    ]
    shared = lengths[0]
    return torch.cat([found[0][:, :shared], *(x[:, shared:] for x in found)], 1).transpose(0, 1)


@pytest.mark.nightly(but_each=6)
@pytest.mark.parametrize("kept", [0, 200], ids=["computed again", "kept"])
@pytest.mark.parametrize(("heads", "keys"), [(4, 4), (6, 2), (3, 1)])
@pytest.mark.parametrize("shared", [0, 7, 130])
def test_attention_and_its_gradients_are_pytorchs(monkeypatch, heads, keys, kept, shared):
    monkeypatch.setattr(attention, "KEPT", kept)
    lengths = [shared, 1, 300, 128, 5, 129]
    q, k, v = sequences(lengths, heads, keys, 8, 8)
    expected = by_pytorch(q, k, v, 0.3, lengths)
    found = attention.Causal.apply(q, k, v, 0.3, lengths)
    torch.testing.assert_close(found, expected)
    gradient = torch.randn_like(expected)
    for one, other in zip(
        torch.autograd.grad(found, (q, k, v), gradient),
        torch.autograd.grad(expected, (q, k, v), gradient),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_values_may_have_another_size_than_keys():
    lengths = [0, 7, 150]
    q, k, v = sequences(lengths, 4, 2, 8, 6)
    found = attention.Causal.apply(q, k, v, 0.3, lengths)
    assert found.shape == (157, 4, 6)
    torch.testing.assert_close(found, by_pytorch(q, k, v, 0.3, lengths))


@pytest.mark.parametrize(
    "further",
    ["softcap", "s_aux", "sliding_window", "is_causal", "attention_mask", "not_known_yet"],
)
def test_what_attention_does_not_know_is_refused(further):
    q, k, v = (x[None] for x in sequences([0, 5], 2, 2, 4, 4))
    values = {
        "softcap": 30.0, "s_aux": 1, "sliding_window": 4, "is_causal": False,
        "attention_mask": torch.zeros(1, 1, 5, 5), "not_known_yet": torch.zeros(2),
    }  # fmt: skip
    given = {"attention_mask": None, further: values[further]}
    with pytest.raises(attention.Unsuited):
        attention.flat_attention(None, q, k, v, sequence_lengths=[0, 5], **given)
    with pytest.raises(attention.Unsuited):
        decoding.slot_attention(None, q, k, v, slots=slots.Slots(1), **given)


def test_what_changes_nothing_is_taken_and_sequences_have_to_be_those_of_the_call():
    q, k, v = (x[None] for x in sequences([0, 5], 2, 2, 4, 4))
    plain = {"is_causal": True, "position_ids": torch.arange(5)[None], "output_attentions": False}
    attention.flat_attention(None, q, k, v, None, sequence_lengths=[0, 5], softcap=None, **plain)
    with pytest.raises(attention.Unsuited):
        attention.flat_attention(None, q, k, v, None, sequence_lengths=[0, 4])


def test_only_norms_that_compute_the_known_formula_are_replaced():
    from transformers.models.gemma.modeling_gemma import GemmaRMSNorm
    from transformers.models.llama.modeling_llama import LlamaRMSNorm

    torch.manual_seed(1)
    plain, other, learned = LlamaRMSNorm(16), GemmaRMSNorm(16), LlamaRMSNorm(16)
    for layer in (plain, other, learned):
        torch.nn.init.normal_(layer.weight, mean=1.0)
        layer.requires_grad_(layer is learned)
    model = torch.nn.ModuleList([plain, other, learned])
    assert norm.norms(model) == [plain]


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 3e-2)])
def test_a_norm_and_its_gradient_are_transformers(dtype, tolerance):
    from transformers.models.llama.modeling_llama import LlamaRMSNorm

    torch.manual_seed(1)
    dtype = getattr(torch, dtype)
    layer = LlamaRMSNorm(32).to(dtype).requires_grad_(False)
    torch.nn.init.normal_(layer.weight, mean=1.0)
    x = torch.randn(2, 5, 32, dtype=dtype).requires_grad_()
    gradient = torch.randn(2, 5, 32, dtype=dtype)
    expected, found = layer(x), norm.forward_of(layer)(x)
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)
    (one,) = torch.autograd.grad(found, x, gradient)
    (other,) = torch.autograd.grad(expected, x, gradient)
    torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


def test_a_norm_whose_weight_has_another_type_is_left_to_transformers():
    """The result then has the wider of the two types."""
    from transformers.models.llama.modeling_llama import LlamaRMSNorm

    layer, x = LlamaRMSNorm(32).requires_grad_(False), torch.randn(5, 32, dtype=torch.bfloat16)
    torch.testing.assert_close(norm.forward_of(layer)(x), layer(x), rtol=0, atol=0)


def test_losses_and_their_gradients_are_pytorchs():
    torch.manual_seed(1)
    logits = torch.randn(130, 50) * 30
    logits[3, 7] = float("-inf")
    wanted = torch.randint(8, 50, (130,))
    own, other = (logits.clone().requires_grad_() for _ in range(2))
    found = loss.token_losses(own * 1, wanted)
    expected = torch.nn.functional.cross_entropy(other, wanted, reduction="none")
    torch.testing.assert_close(found, expected)
    weights = torch.rand(130)
    (one,) = torch.autograd.grad(found @ weights, own)
    (two,) = torch.autograd.grad(expected @ weights, other)
    torch.testing.assert_close(one, two)


def test_losses_that_nobody_learns_from_leave_the_logits_alone():
    logits = torch.randn(4, 9)
    before = logits.clone()
    loss.CrossEntropy.apply(logits, torch.tensor([1, 2, 3, 4]))
    assert torch.equal(logits, before)
