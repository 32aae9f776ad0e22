"""An adapter's part in answering: applied beside the base's weights, or merged into them.

Merging rounds the sum of weight and update to the weight's precision. An update is mostly a few
percent of its weight, so that bf16, with eight bits, loses a large part of it; quantised weights
lose more. Beside the weights it stays what was learned.
"""

from __future__ import annotations

import functools
from typing import Any

import torch

import harness
from harness_transformers import devices, fused, loading


def ready(
    checkpoint: harness.Checkpoint, dtype: Any, context: harness.Context, *, merge: bool
) -> Any:
    """The checkpoint's model on the device, ready to answer.

    Raises:
        ConfigError: merging is asked for, and the base is quantised.
    """
    model = loading.base_of(checkpoint, dtype)
    quantised = loading.quantised(model)
    if merge and quantised:
        raise harness.ConfigError(
            "an adapter cannot be merged into quantised weights", where="generate.merge",
            hint="leave merge out: the adapter is applied beside the weights then",
        )  # fmt: skip
    if checkpoint.kind == "adapter":
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, checkpoint.path)
    if not quantised:  # those are where they belong already
        model = model.to(devices.current().type)
    if checkpoint.kind == "adapter":
        if merge:
            model, error = merged(model)
            _tell(error, dtype, context)
        else:
            model = beside(model)
    return model.eval().requires_grad_(False)


def _tell(error: float, dtype: Any, context: harness.Context) -> None:
    """Keep what merging did to the update, and say it."""
    context.note(merge_error=error)
    name = str(dtype).removeprefix("torch.")
    context.remark(
        f"round {context.round}: merging the adapter into {name} weights changed its update by "
        f"{error:.2%} (relative error)"
    )


ALIGNED = 16
"""Ranks are filled up with zeros to a multiple of this, which matrix products are quick at."""


def beside(adapted: Any) -> Any:
    """The base model with the adapter in its layers, for answering alone.

    ``x W' + scale (x A') B'`` is one product of ``[x, x A']`` with ``[W, scale B]'``: beside the
    product that merged weights need there is only the small one with A. Layers that are not plain
    (those of quantised weights above all) stay PEFT's.

    Args:
        adapted: a PEFT model on its device.
    """
    for layer in fused.plain_layers(adapted):
        name = layer.active_adapters[0]
        base = layer.base_layer
        weight, size = base.weight.detach(), base.weight.shape[1]
        a, b = (part[name].weight.detach() for part in (layer.lora_A, layer.lora_B))
        fill = -a.shape[0] % ALIGNED
        down = torch.nn.functional.pad(a, (0, 0, 0, fill)).to(weight.dtype)
        up = torch.nn.functional.pad(layer.scaling[name] * b, (0, fill)).to(weight.dtype)
        joined = torch.cat([weight, up], dim=1)
        base.weight.data = joined[:, :size]  # the same numbers, held once
        layer.forward = functools.partial(_answer, joined, base.bias, down)
    return adapted.get_base_model()


def _answer(joined: Any, bias: Any, down: Any, x: torch.Tensor) -> torch.Tensor:
    """Shapes: joined (out, in + r), down (r, in), x (…, in); gives (…, out)."""
    whole = torch.cat([x, torch.nn.functional.linear(x, down)], dim=-1)
    return torch.nn.functional.linear(whole, joined, bias)


@torch.no_grad()
def merged(adapted: Any, dtype: Any = None) -> tuple[Any, float]:
    """The base model with the adapter added in float32 and rounded once.

    Args:
        adapted: a PEFT model.
        dtype: of all weights; None: each keeps its own.

    Returns:
        The model, and what rounding did to the update: ``|W' - W - D| / |D|`` over all adapted
        layers (Frobenius norm), where ``D`` is the update as it was learned, and ``W`` and ``W'``
        the weights before and after; 0 where ``D`` is 0.
    """
    lost = whole = 0.0
    for layer in layers_of(adapted).values():
        base = layer.get_base_layer()
        before = in_float32(base)
        layer.merge()
        for name, old in before.items():
            weight = base.get_parameter(name)
            exact = weight.detach()
            weight.data = exact.to(dtype or old.dtype)
            lost += float((weight.detach().float() - exact).square().sum())
            whole += float((exact - old.float()).square().sum())
    model = adapted.merge_and_unload()
    return model if dtype is None else model.to(dtype), (lost / whole) ** 0.5 if whole else 0.0


def layers_of(adapted: Any) -> dict[str, Any]:
    """Name in the base model -> the adapter's layer of that place."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    modules = adapted.get_base_model().named_modules()
    return {name: layer for name, layer in modules if isinstance(layer, BaseTunerLayer)}


def in_float32(layer: Any) -> dict[str, torch.Tensor]:
    """Give a layer weights of its own in float32; those that are tied to others leave these alone.

    Returns:
        Name -> the weight that it had.
    """
    before = dict(layer.named_parameters(recurse=False))
    for name, weight in before.items():
        exact = weight.detach().to(torch.float32, copy=True)
        setattr(layer, name, torch.nn.Parameter(exact, requires_grad=False))
    return before
