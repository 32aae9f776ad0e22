"""Kinds of weights that a GGUF file can have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Kind = Literal["f32", "f16", "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PLAIN = ("f32", "f16", "bf16", "q8_0")
"""Kinds that are written here; llama.cpp makes the others of a file of float32."""
WHOLE = ("f32", "f16")
"""Kinds whose answers have to be those of the weights themselves, but for near ties."""
FILE_TYPES: Mapping[str, str] = {
    "f32": "ALL_F32", "f16": "MOSTLY_F16", "bf16": "MOSTLY_BF16", "q8_0": "MOSTLY_Q8_0",
    "q6_k": "MOSTLY_Q6_K", "q5_k_m": "MOSTLY_Q5_K_M", "q4_k_m": "MOSTLY_Q4_K_M",
}  # fmt: skip
"""Kind -> the name of llama.cpp's ``llama_ftype``, without ``LLAMA_FTYPE_``."""
