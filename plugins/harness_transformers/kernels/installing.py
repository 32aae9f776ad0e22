"""Putting the kernels into a model for as long as it is trained, or answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from harness_transformers.kernels import norm


@contextlib.contextmanager
def installed(model: Any, attention: str) -> Iterator[bool]:
    """Have a base model compute with these kernels; afterwards it is as it was.

    Args:
        attention: name of one of them, as transformers knows it.

    Yields:
        Whether that is the model's attention now; else nothing of it is changed.
    """
    before = model.config._attn_implementation
    with contextlib.suppress(ValueError, ImportError, AttributeError):
        model.set_attn_implementation(attention)
    taken = model.config._attn_implementation == attention
    layers = norm.norms(model) if taken else []
    for layer in layers:
        layer.forward = norm.forward_of(layer)
    try:
        yield taken
    finally:
        for layer in layers:
            del layer.forward
        if taken:
            model.set_attn_implementation(before)


def alike(found: torch.Tensor, expected: torch.Tensor) -> bool:
    """Whether logits are those expected, up to what other orders of summing change.

    Thirty layers in float32 differ by more than a few units of the last place; what mixes rows, or
    leaves something out, differs by more than a thousandth of the largest logit.
    """
    if found.shape != expected.shape or not expected.isfinite().all():
        return False
    tolerance = max(8 * torch.finfo(expected.dtype).eps, 1e-3) * float(expected.abs().max())
    return torch.allclose(found, expected, 0, tolerance)
