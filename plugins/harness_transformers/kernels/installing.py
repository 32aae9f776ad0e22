"""Putting the kernels into a model for as long as it is trained."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from harness_transformers.kernels import attention, norm


@contextlib.contextmanager
def installed(model: Any) -> Iterator[bool]:
    """Have a base model compute with these kernels; afterwards it is as it was.

    Yields:
        Whether its attention is :mod:`harness_transformers.kernels.attention` now; else nothing
        of it is changed.
    """
    before = model.config._attn_implementation
    with contextlib.suppress(ValueError, ImportError, AttributeError):
        model.set_attn_implementation(attention.NAME)
    taken = model.config._attn_implementation == attention.NAME
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
