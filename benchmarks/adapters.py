"""What an adapter costs when answering: merged, beside the weights, and by PEFT's own layers.

    python benchmarks/adapters.py [--prompts 64] [--tokens 48] [--repeats 5] [--model FOLDER]

The model is one of random weights with the sizes of SmolLM2-135M (30 layers of 576), unless a
folder is given; the adapter has rank 16 on all linear layers. All three ways answer the same
prompts by our own greedy loop, in turn in one process, so that whatever else the machine does
meets all of them. Prints the median seconds and the cost over merged weights; then, for updates of
several sizes, what merging them into bf16 weights does to them. Run it alone.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

import harness
from harness_transformers import adapters, devices, fused, greedy, loading
from harness_transformers.quiet import quietly
from harness_transformers.stops import Stops

SIZES = {
    "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
    "num_attention_heads": 9, "num_key_value_heads": 3, "tie_word_embeddings": True,
}  # fmt: skip
WAYS = ("merged", "beside", "peft")
SHARES = (0.05, 0.02, 0.01, 0.005)
"""Sizes of the update, as a share of the weights' (Frobenius norms)."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--dtype", choices=["bf16", "fp32"], default="bf16")
    parser.add_argument("--model", type=Path)
    given = parser.parse_args()
    dtype = devices.dtype_of(given.dtype)
    with tempfile.TemporaryDirectory() as folder, quietly():
        base = given.model or _random(Path(folder) / "base")
        checkpoint = _adapter(base, Path(folder) / "adapter", dtype)
        models = {way: _ready(way, checkpoint, dtype) for way in WAYS}
        prompts = _prompts(given.prompts, models["merged"].config.vocab_size)
        seconds: dict[str, list[float]] = {way: [] for way in WAYS}
        for way in WAYS * given.repeats:
            begin = time.perf_counter()
            _answer(models[way], prompts, given)
            seconds[way].append(time.perf_counter() - begin)
        least = statistics.median(seconds["merged"])
        for way, values in seconds.items():
            median = statistics.median(values)
            print(f"{way:8} {median:7.2f} s  {median / least - 1:+.1%} over merged")
        for share in SHARES:
            error = _lost(checkpoint, share)
            print(
                f"update of {share:.1%} of the weights: merging in bf16 changes {error:.1%} of it"
            )


def _random(folder: Path) -> Path:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    LlamaForCausalLM(LlamaConfig(**SIZES)).to(torch.bfloat16).save_pretrained(folder)
    return folder


def _adapter(base: Path, folder: Path, dtype: Any) -> harness.Checkpoint:
    """A random adapter with an update of about one percent of the weights."""
    from peft import LoraConfig, get_peft_model

    whole = loading.base_of(harness.Checkpoint("base", str(base), "b"), dtype)
    config = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted = get_peft_model(whole, config)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=1e-4)
    adapted.save_pretrained(str(folder))
    return harness.Checkpoint("adapter", str(folder), "a", base_path=str(base))


def _lost(checkpoint: harness.Checkpoint, share: float) -> float:
    """The relative error of an update of that size after merging it into bf16 weights."""
    from peft import PeftModel

    adapted = PeftModel.from_pretrained(
        loading.base_of(checkpoint, torch.bfloat16), checkpoint.path
    )
    for layer in fused.plain_layers(adapted):
        a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
        size = (layer.scaling["default"] * (b @ a)).norm() / layer.base_layer.weight.float().norm()
        b.data *= share / size
    return adapters.merged(adapted)[1]


def _ready(way: str, checkpoint: harness.Checkpoint, dtype: Any) -> Any:
    context = harness.Context(Path(checkpoint.path))
    if way != "peft":
        return adapters.ready(checkpoint, dtype, context, merge=way == "merged")
    from peft import PeftModel

    adapted = PeftModel.from_pretrained(loading.base_of(checkpoint, dtype), checkpoint.path)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return adapted.to(device).get_base_model().eval()


def _prompts(count: int, vocabulary: int) -> list[list[int]]:
    generator = torch.Generator().manual_seed(2)
    lengths = torch.randint(60, 200, (count,), generator=generator).tolist()
    prompts = [torch.randint(5, vocabulary, (n,), generator=generator).tolist() for n in lengths]
    return sorted(prompts, key=len, reverse=True)


def _answer(model: Any, prompts: list[list[int]], given: Any) -> None:
    """Every answer has the same number of tokens: no token stops it."""
    loop = greedy.Greedy(model, Stops(frozenset()), given.batch, lambda: None)
    for _ in loop.answers(prompts, given.tokens):
        pass


if __name__ == "__main__":
    main()
