"""RMSNorm with a frozen weight, in few passes over memory."""

from __future__ import annotations

import functools
from typing import Any

import torch


class Normed(torch.autograd.Function):
    """``w x / sqrt(mean(x^2) + eps)`` (Zhang & Sennrich 2019, eq. 4); gradient for x only."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
        """Shapes: x (..., size), weight (size); computed in float32, given in x's type."""
        values = x.float()
        inverse = values.square().mean(-1, keepdim=True).add_(eps).rsqrt_()
        ctx.save_for_backward(x, weight, inverse)
        return (values * inverse).to(x.dtype).mul_(weight)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        x, weight, inverse = ctx.saved_tensors
        normed = x.float() * inverse
        inner = gradients[0].float() * weight.float()
        share = (inner * normed).mean(-1, keepdim=True)
        of_x = inner.sub_(normed.mul_(share)).mul_(inverse)
        return of_x.to(x.dtype), None, None


def norms(model: Any) -> list[Any]:
    """The model's layers that compute just that, by name and by a trial."""
    return [
        module
        for module in model.modules()
        if type(module).__name__.endswith("RMSNorm") and _plain(module)
    ]


def _plain(module: Any) -> bool:
    weight, eps = getattr(module, "weight", None), getattr(module, "variance_epsilon", None)
    if weight is None or eps is None or weight.requires_grad or weight.dim() != 1:
        return False
    x = torch.linspace(-2, 3, 2 * len(weight)).view(2, -1).to(weight)
    with torch.no_grad():
        expected = module(x)
        if expected.dtype != weight.dtype or expected.shape != x.shape:
            return False
        tolerance = 4 * torch.finfo(weight.dtype).eps
        return torch.allclose(Normed.apply(x, weight, eps), expected, tolerance, tolerance)


def forward_of(module: Any) -> Any:
    """What is to be called in place of the module's own forward."""
    return functools.partial(_forward, module)


def _forward(module: Any, hidden_states: torch.Tensor) -> torch.Tensor:
    out: torch.Tensor
    if hidden_states.dtype != module.weight.dtype:  # the trial was of equal types
        out = type(module).forward(module, hidden_states)
        return out
    out = Normed.apply(hidden_states, module.weight, module.variance_epsilon)
    return out
