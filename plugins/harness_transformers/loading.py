"""Loading tokenizers and weights for training and generation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import harness


def tokenizer_of(checkpoint: harness.Checkpoint) -> Any:
    """The base model's tokenizer, padding included."""
    from transformers import AutoTokenizer

    folder = _folder(checkpoint)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=_trusted(checkpoint))
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def base_of(checkpoint: harness.Checkpoint, dtype: Any, **options: Any) -> Any:
    """The base model's weights in ``dtype``; safetensors only."""
    from transformers import AutoModelForCausalLM

    folder = _folder(checkpoint)
    return AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=dtype,
        use_safetensors=True,
        trust_remote_code=_trusted(checkpoint),
        **options,
    )


def dtype_of(precision: str) -> Any:
    """``auto`` is bf16 where the device multiplies it fast, else fp32."""
    import torch

    if precision == "auto":
        if torch.cuda.is_available():
            precision = "bf16" if torch.cuda.is_bf16_supported() else "fp32"
        else:
            precision = "bf16" if _cpu_has_bf16() else "fp32"
    return {"bf16": torch.bfloat16, "fp32": torch.float32}[precision]


def _cpu_has_bf16() -> bool:
    """AMX or AVX512-BF16; elsewhere bf16 is emulated and slower than fp32."""
    import torch

    names = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, name, bool)() for name in names)


def _folder(checkpoint: harness.Checkpoint) -> str:
    """Where the whole weights lie. A missing folder must not be taken for a hub's id."""
    folder = checkpoint.base_path or checkpoint.path
    if not Path(folder).is_dir():
        raise harness.EnvironmentFailure(
            "the model's files are gone", where=folder, hint="run the same command again"
        )
    return folder


def _trusted(checkpoint: harness.Checkpoint) -> bool:
    return bool(checkpoint.info.get("trust_remote_code", False))
