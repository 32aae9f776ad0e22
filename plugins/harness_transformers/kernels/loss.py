"""Cross entropy over a large vocabulary without further copies of the logits."""

from __future__ import annotations

from typing import Any

import torch

ROWS = 64
"""Tokens at once: few enough for their float32 copy to stay in the processor's cache."""


class CrossEntropy(torch.autograd.Function):
    """``log sum exp z - z[wanted]`` of each token, computed in float32, or float64 of such logits.

    The gradient ``softmax z - onehot(wanted)`` is made on the way forward and takes the place of
    the logits, which nobody may read afterwards (as in Hsu et al. 2024, Liger Kernel).
    """

    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        """Shapes: logits (tokens, vocabulary), wanted (tokens); gives (tokens) of that type."""
        kind = torch.promote_types(logits.dtype, torch.float32)
        losses = torch.empty(len(logits), dtype=kind, device=logits.device)
        gradient = logits.detach() if ctx.needs_input_grad[0] else None
        for start in range(0, len(logits), ROWS):
            part = slice(start, start + ROWS)
            rows, own = logits[part].to(kind), wanted[part, None]
            chances = torch.softmax(rows, -1)
            # log sum exp z = max z - log(softmax at the maximum), which never underflows.
            losses[part] = rows.amax(-1) - chances.amax(-1).log() - rows.gather(1, own)[:, 0]
            if gradient is not None:
                less = torch.full_like(own, -1, dtype=chances.dtype)
                gradient[part] = chances.scatter_add_(1, own, less)
        if gradient is not None:
            ctx.save_for_backward(gradient)
        return losses

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        (gradient,) = ctx.saved_tensors
        return gradient.mul_(gradients[0].to(gradient.dtype)[:, None]), None


def token_losses(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """The cross entropy (nats) of each token.

    Shapes: logits (tokens, vocabulary), which may be overwritten; wanted (tokens).
    """
    if logits.device.type == "cpu":
        losses: torch.Tensor = CrossEntropy.apply(logits, wanted)
        return losses
    return torch.nn.functional.cross_entropy(logits.float(), wanted, reduction="none")
