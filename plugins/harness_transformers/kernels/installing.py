"""Putting the kernels into a model for as long as it is trained, or answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

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
