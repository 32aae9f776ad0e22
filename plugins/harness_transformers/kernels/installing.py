"""Putting the kernels into a model for as long as it is trained, or answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch

from harness_transformers.kernels import norm
from harness_transformers.kernels.attention import Unsuited


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


@torch.no_grad()
def agrees(
    model: Any,
    attention: str,
    ours: Callable[[], torch.Tensor],
    theirs: Callable[[], torch.Tensor],
) -> bool:
    """Whether a base model gives the same logits with these kernels as without them.

    The name of an architecture says little of that, so it is tried on a few tokens.

    Args:
        attention: name of one of the kernels, as transformers knows it.
        ours: gives logits; called while the kernels are in the model.
        theirs: gives logits of the same tokens; called while they are not.
    """
    with installed(model, attention) as taken:
        try:
            logits = ours() if taken else None
        except REFUSALS:
            logits = None
    return logits is not None and alike(logits, theirs())


REFUSALS = (
    Unsuited, TypeError, ValueError, RuntimeError, AttributeError, IndexError, AssertionError,
)  # fmt: skip
"""What a model raises that does not take to a way of computing which is new to it."""


def alike(logits: torch.Tensor, expected: torch.Tensor) -> bool:
    """Whether logits are those expected, up to what other orders of summing change.

    Allowed is a thousandth of the largest logit, and of types with few bits eight times their
    resolution, a sixteenth in bf16. Through the thirty layers of SmolLM2-135M in bf16 rounding
    alone made up to 2.6 % of it, scores that are wrong by a quarter 11 %, mixed rows 65 %.
    """
    if logits.shape != expected.shape or not expected.numel() or not expected.isfinite().all():
        return False
    tolerance = max(8 * torch.finfo(expected.dtype).eps, 1e-3) * float(expected.abs().max())
    return torch.allclose(logits, expected, 0, tolerance)
