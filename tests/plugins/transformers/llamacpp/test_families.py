"""Tiny random models of each family through llama.cpp: as transformers computes them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import harness
from harness_transformers.llamacpp import library, writing
from harness_transformers.quiet import quietly
from tests.plugins.transformers.architectures import ARCHITECTURES, save_tokenizer
from tests.support.later import Later

torch = Later("torch")
transformers = Later("transformers")

COMMON = {
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 128, "initializer_range": 0.3,
    "tie_word_embeddings": False, "vocab_size": 380,
}  # fmt: skip
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 1000.0, "factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 32,
}  # fmt: skip
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "Llama": ("llama", {"head_dim": 16}),
    "Llama, tied": ("llama", {"tie_word_embeddings": True}),
    "Llama 3.1": ("llama", {"rope_parameters": LLAMA3, "head_dim": 32}),
    "Llama with biases": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "Qwen2": ("qwen2", {}),
    "Qwen3": ("qwen3", {"head_dim": 32}),
    "Mistral": ("mistral", {"head_dim": 16, "sliding_window": None}),
    "Gemma": ("gemma2", {"head_dim": 16, "tie_word_embeddings": True}),
    "Gemma2": ("gemma2", {
        "head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 8,
        "tie_word_embeddings": True, "num_hidden_layers": 4,
    }),
    "Gemma3Text": ("gemma2", {
        "head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 8,
        "tie_word_embeddings": True, "num_hidden_layers": 7,
    }),
    "Phi3": ("phi3", {"num_key_value_heads": 4}),
}  # fmt: skip
NIGHTLY = [name for name in CASES if name != "Llama"]


def save_pieces(folder):
    """A tokenizer as Mistral's: pieces, tokens for all bytes, and a space before a text."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, trainers

    special = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
    backend = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    space = normalizers.Replace(" ", "\u2581")
    backend.normalizer = space
    trainer = trainers.BpeTrainer(vocab_size=60, show_progress=False, special_tokens=[])
    backend.train_from_iterator(["find the red list of names"] * 3, trainer)
    model = json.loads(backend.to_str())["model"]
    taken = [*special, *(f"<0x{byte:02X}>" for byte in range(256))]
    vocabulary = {token: place for place, token in enumerate([*taken, *model["vocab"]])}
    merges = [tuple(merge) for merge in model["merges"]]
    backend = Tokenizer(
        models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), space])
    backend.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback()])
    backend.add_special_tokens([AddedToken(text, normalized=False) for text in special])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    tokenizer.chat_template = ARCHITECTURES["mistral"].template
    tokenizer.save_pretrained(folder)


def made(name, folder):
    """A model with random weights, norms and biases included, and its tokenizer."""
    tokens, settings = CASES[name]
    if tokens == "mistral":
        save_pieces(folder)
    else:
        save_tokenizer(ARCHITECTURES[tokens], folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    torch.manual_seed(3)
    kind = name.split(",")[0].split(" ")[0]
    ids = {f"{token}_token_id": getattr(tokenizer, f"{token}_token_id")
           for token in ("bos", "eos", "pad")}  # fmt: skip
    config = getattr(transformers, f"{kind}Config")(**{**COMMON, **ids, **settings})
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 1:
                weight.add_(0.2 * torch.randn(weight.shape))
    return model, tokenizer


def log_probabilities(model, tokens):
    with torch.no_grad():
        values = torch.log_softmax(model(torch.tensor([tokens])).logits[0].double(), -1)
    return [values[place, token].item() for place, token in enumerate(tokens[1:])]


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["Llama", *NIGHTLY])
def test_a_familys_log_probabilities_are_those_of_transformers(name, tmp_path):
    with quietly():
        model, tokenizer = made(name, tmp_path)
    path = tmp_path / "model.gguf"
    writing.write(path, model, tokenizer, name=name, kind="f32", bos=False, said=lambda *told: None)
    tokens = [10 + 7 * place % 300 for place in range(40)]
    with library.loaded(path, 64) as loaded:
        found = loaded.log_probabilities(tokens, 1)
        text = "<b>find</b> the  red 'list'\n\n\tof 1234 names — é 漢 🎉 isn't"
        due = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert loaded.tokens(text, special=False) == due
    due = log_probabilities(model, tokens)
    assert np.std(due) > 0.5, "all alike would show nothing"
    assert np.abs(np.subtract(found, due)).max() < 0.05


@pytest.mark.parametrize("name", ["Llama", pytest.param("Phi3", marks=pytest.mark.nightly)])
def test_added_tokens_are_found_in_texts(name, tmp_path):
    with quietly():
        model, tokenizer = made(name, tmp_path)
        tokenizer.add_tokens(["<tool>", "redlist"])
        tokenizer.add_special_tokens({"additional_special_tokens": ["<seen>"]})
        model.resize_token_embeddings(len(tokenizer))
    path = tmp_path / "model.gguf"
    writing.write(path, model, tokenizer, name=name, kind="f32", bos=False, said=lambda *_: None)
    with library.loaded(path, 64) as loaded:
        for text in ("a<tool>b", "the redlists <tool>", "find <seen>a", "<seen><tool>\n"):
            due = tokenizer(text, add_special_tokens=False)["input_ids"]
            assert loaded.tokens(text, special=False) == due


@pytest.mark.nightly
def test_a_token_that_strips_is_no_phi_3(tmp_path):
    with quietly():
        model, tokenizer = made("Mistral", tmp_path)
        stripping = transformers.AddedToken("<after>", rstrip=True, special=True)
        tokenizer.add_special_tokens({"additional_special_tokens": [stripping]})
    path = tmp_path / "model.gguf"
    writing.write(path, model, tokenizer, name="m", kind="f32", bos=False, said=lambda *_: None)
    with library.loaded(path, 64) as loaded:
        assert loaded.tokens("find", special=False)


def test_a_tokenizer_that_was_not_tried_needs_llama_cpp(tmp_path, monkeypatch):
    from tokenizers import pre_tokenizers

    monkeypatch.setattr(library, "installed", bool)
    path = tmp_path / "model.gguf"
    with quietly():
        model, tokenizer = made("Llama", tmp_path)
        with pytest.raises(harness.EnvironmentFailure, match="splits texts as 'gpt-2', not tried"):
            writing.write(
                path, model, tokenizer, name="m", kind="f32", bos=False, said=lambda *_: None
            )
        as_smollm = [pre_tokenizers.Digits(individual_digits=True),
                     pre_tokenizers.ByteLevel(add_prefix_space=False)]  # fmt: skip
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(as_smollm)
        writing.write(path, model, tokenizer, name="m", kind="f32", bos=False, said=lambda *_: None)
    assert path.stat().st_size > 0
