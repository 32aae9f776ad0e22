"""LoRA's linear layers in one autograd step.

PEFT keeps the adapter in float32 and casts every activation up to it, adds in float32 and
casts back: on a CPU that costs more than the adapter's products. Here the small adapter is
cast down instead, and its product is added in place. The adapter itself stays float32.
"""

from __future__ import annotations

import functools
from typing import Any

import torch


class Fused(torch.autograd.Function):
    """``x W' + b + scale (x A') B'`` with gradients for x, A and B only (W is frozen)."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        a: torch.Tensor,
        b: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        """Shapes: x (…, in), weight (out, in), a (r, in), b (out, r); gives (…, out)."""
        flat = x.reshape(-1, x.shape[-1])
        down, up = a.to(x.dtype), b.to(x.dtype)
        low = flat @ down.T
        out = torch.nn.functional.linear(flat, weight, bias)
        out.addmm_(low, up.T, alpha=scale)
        ctx.save_for_backward(flat, weight, down, up, low)
        ctx.scale, ctx.adapter = scale, a.dtype
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        flat, weight, down, up, low = ctx.saved_tensors
        gradient = gradients[0].reshape(-1, weight.shape[0])
        inner = (gradient @ up).mul_(ctx.scale)
        of_a = (inner.T @ flat).to(ctx.adapter)
        of_b = (gradient.T @ low).to(ctx.adapter).mul_(ctx.scale)
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = (gradient @ weight).addmm_(inner, down).view(*gradients[0].shape[:-1], -1)
        return of_x, None, None, of_a, of_b, None


def fuse(model: Any) -> int:
    """Use :class:`Fused` in every layer of a PEFT model where it computes the same.

    Returns:
        The number of layers; those with dropout, DoRA, quantised weights or anything else
        that this module does not know are left alone.
    """
    layers = plain_layers(model)
    for layer in layers:
        layer.forward = functools.partial(_forward, layer)
    return len(layers)


def plain_layers(model: Any) -> list[Any]:
    """The LoRA layers of a PEFT model that compute nothing but ``x W' + b + scale (x A') B'``."""
    from peft.tuners.lora.layer import Linear

    return [layer for layer in model.modules() if type(layer) is Linear and _plain(layer)]


def _plain(layer: Any) -> bool:
    """One unmerged adapter without extras on an ordinary, frozen linear layer."""
    base = layer.base_layer
    if type(base) is not torch.nn.Linear or base.weight.requires_grad or layer.merged:
        return False
    if base.bias is not None and base.bias.requires_grad:  # Fused gives it no gradient
        return False
    if base.weight.dtype not in (torch.float32, torch.bfloat16) or len(layer.active_adapters) != 1:
        return False
    name = layer.active_adapters[0]
    return (
        name in layer.lora_A
        and not getattr(layer, "lora_variant", {})
        and isinstance(layer.lora_dropout[name], torch.nn.Identity)
        and layer.lora_A[name].bias is None
        and layer.lora_B[name].bias is None
    )


def _forward(layer: Any, x: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
    name = layer.active_adapters[0]
    base = layer.base_layer
    a, b = layer.lora_A[name].weight, layer.lora_B[name].weight
    out: torch.Tensor = Fused.apply(x, base.weight, base.bias, a, b, layer.scaling[name])
    return out
