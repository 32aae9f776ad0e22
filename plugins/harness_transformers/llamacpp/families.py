"""Models that llama.cpp knows: their hyperparameters as a GGUF file names them, and their weights.

Names of tensors are those of the library ``gguf``. What llama.cpp assumes of a family and does not
read from the file (the order of its sliding windows, the scale of its attention) is compared with
the model's config, and another value is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import harness

Array = np.ndarray[Any, np.dtype[np.float32]]
GEMMAS = ("gemma", "gemma2", "gemma3")


@dataclass(frozen=True, slots=True)
class Family:
    """Models of one kind.

    Attributes:
        arch: as GGUF files call it.
        permuted: the rows of q and k are put in llama.cpp's order of rotated pairs.
        shift: what is added to the weights of norms.
        tied: the output matrix is that of the embeddings, and there is no other.
        windows: every so many layers one has no sliding window; 0: windows are not used.
    """

    arch: str
    permuted: bool = False
    shift: float = 0.0
    tied: bool = False
    windows: int = 0


FAMILIES: Mapping[str, Family] = {
    "llama": Family("llama", permuted=True),
    "mistral": Family("llama", permuted=True),
    "qwen2": Family("qwen2"),
    "qwen3": Family("qwen3"),
    "gemma": Family("gemma", shift=1.0, tied=True),
    "gemma2": Family("gemma2", shift=1.0, tied=True, windows=2),
    "gemma3_text": Family("gemma3", shift=1.0, windows=6),
    "phi3": Family("phi3"),
}
"""By ``model_type`` of the config. SmolLM is a Llama."""


def family_of(config: Any) -> Family:
    """The family of a model.

    Raises:
        UsageError: it is of none that is written, or llama.cpp would compute it otherwise.
    """
    kind = config.model_type
    if kind not in FAMILIES:
        raise harness.UsageError(
            f"--gguf: models of the family '{kind}' are not written",
            hint=f"tried are {', '.join(FAMILIES)}; --merge writes whole weights, from which other "
            "programs make GGUF files, and --check compares those with the run",
        )
    family = FAMILIES[kind]
    if trouble := next(_troubles(config, family), ""):
        raise harness.UsageError(
            f"--gguf: {trouble}, which the files of the family '{kind}' cannot say",
            hint="--merge writes whole weights",
        )
    return family


def _troubles(config: Any, family: Family) -> Iterator[str]:
    """What llama.cpp would compute otherwise, in words."""
    size = head_size(config)
    if getattr(config, "use_sliding_window", False):
        yield "the model has sliding windows"
    scale = getattr(config, "query_pre_attn_scalar", None)
    if scale is not None and scale != size:
        yield f"queries are divided by the root of {scale}, not of the {size} of a head"
    if family.windows and (kinds := getattr(config, "layer_types", None)):
        due = [
            "full_attention" if (layer + 1) % family.windows == 0 else "sliding_attention"
            for layer in range(config.num_hidden_layers)
        ]
        if list(kinds) != due:
            yield "layers with and without sliding windows stand in an order of their own"
    for values in _ropes(config).values():
        kind = values.get("rope_type", "default")
        if kind not in ("default", "llama3"):
            yield f"positions are stretched by '{kind}'"
    activation = getattr(config, "hidden_activation", None) or config.hidden_act
    if activation not in (("gelu_pytorch_tanh", "gelu") if family.arch in GEMMAS else ("silu",)):
        yield f"the activation is '{activation}'"


def head_size(config: Any) -> int:
    """Numbers of a head."""
    own = getattr(config, "head_dim", None)
    return int(own or config.hidden_size // config.num_attention_heads)


def _ropes(config: Any) -> Mapping[str, Mapping[str, Any]]:
    """Kind of layer -> how positions are rotated there; one kind ``""`` where all are alike."""
    values = dict(getattr(config, "rope_parameters", None) or {})
    if "full_attention" in values:
        return {kind: value for kind, value in values.items() if value}
    return {"": values}


def context_length(config: Any, family: Family) -> int:
    """Most positions; where llama.cpp knows no window of such a model, its window."""
    longest = int(config.max_position_embeddings)
    window = getattr(config, "sliding_window", None)
    return longest if family.windows or not window else min(longest, int(window))


def write_metadata(writer: Any, config: Any, family: Family) -> None:
    """The hyperparameters.

    Args:
        writer: a ``gguf.GGUFWriter`` of the family's arch.
    """
    size, heads = head_size(config), config.num_attention_heads
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(context_length(config, family))
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(getattr(config, "num_key_value_heads", None) or heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_key_length(size)
    writer.add_value_length(size)
    ropes = _ropes(config)
    rope = ropes.get("full_attention") or ropes.get("") or {}
    part = rope.get("partial_rotary_factor", getattr(config, "partial_rotary_factor", None))
    writer.add_rope_dimension_count(int(size * (part or 1.0)))
    writer.add_rope_freq_base(float(rope.get("rope_theta", 10000.0)))
    if family.windows:
        writer.add_sliding_window(int(config.sliding_window))
        if near := ropes.get("sliding_attention"):
            writer.add_rope_freq_base_swa(float(near["rope_theta"]))
    elif family.arch == "phi3":
        writer.add_sliding_window(0)  # llama.cpp wants the key; contexts end at the window
    for name in ("attn_logit_softcapping", "final_logit_softcapping"):
        if value := getattr(config, name, None):
            getattr(writer, f"add_{name}")(float(value))


def tensors(
    config: Any, family: Family, weights: Mapping[str, Any], *, every: bool = False
) -> Iterator[tuple[str, Callable[[], Array]]]:
    """Name in the file, and what gives its numbers (float32), of each weight.

    Args:
        weights: by the names of transformers; torch tensors.
        every: an output matrix as well that is that of the embeddings.

    Raises:
        UsageError: a weight has no place in the file.
    """
    import gguf
    import torch

    arch = {name: key for key, name in gguf.MODEL_ARCH_NAMES.items()}[family.arch]
    names = gguf.get_tensor_name_map(arch, config.num_hidden_layers)
    table, head = weights.get("model.embed_tokens.weight"), weights.get("lm_head.weight")
    own_head = head is not None and table is not None and not torch.equal(head, table)
    if own_head and family.tied:
        raise harness.UsageError(
            f"--gguf: the output matrix is not that of the embeddings, and files of the family "
            f"'{config.model_type}' have one for both",
            hint="train neither of them (train.target_modules), or export with --merge",
        )
    for name, weight in weights.items():
        if name == "lm_head.weight" and not (own_head or (every and not family.tied)):
            continue
        place = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if place is None:
            raise harness.UsageError(
                f"--gguf: the weight {name} has no place in files of the family "
                f"'{config.model_type}'",
                hint="--merge writes whole weights",
            )
        yield place, lambda name=name, weight=weight: _numbers(config, family, name, weight)  # type: ignore[misc]
    rope = _ropes(config).get("") or {}
    if rope.get("rope_type") == "llama3":
        yield "rope_freqs.weight", lambda: _llama3(rope, head_size(config))


def _numbers(config: Any, family: Family, name: str, weight: Any) -> Array:
    numbers: Array = weight.detach().float().cpu().numpy()
    heads = {
        ".q_proj.": config.num_attention_heads,
        ".k_proj.": getattr(config, "num_key_value_heads", None) or config.num_attention_heads,
    }
    if family.permuted:
        for part, count in heads.items():
            if part in name:
                return _permuted(numbers, count)
    if family.shift and name.endswith("norm.weight"):
        return numbers + np.float32(family.shift)
    return numbers


def _permuted(numbers: Array, heads: int) -> Array:
    """Rows of a head's two halves in turn: transformers rotates halves, this arch neighbours."""
    halves = numbers.reshape(heads, 2, numbers.shape[0] // heads // 2, *numbers.shape[1:])
    return halves.swapaxes(1, 2).reshape(numbers.shape)


def _llama3(rope: Mapping[str, Any], size: int) -> Array:
    """By how much each rotation is slowed: Llama 3.1's rule (``rope_type: llama3``)."""
    factor, low, high = (
        float(rope[key]) for key in ("factor", "low_freq_factor", "high_freq_factor")
    )
    before = float(rope["original_max_position_embeddings"])
    rates = float(rope["rope_theta"]) ** (-np.arange(0, size, 2, dtype=np.float64) / size)
    waves = 2 * np.pi / rates
    smooth = (before / waves - low) / (high - low)
    between = 1 / ((1 - smooth) / factor + smooth)
    factors = np.where(waves < before / high, 1.0, np.where(waves > before / low, factor, between))
    return factors.astype(np.float32)
