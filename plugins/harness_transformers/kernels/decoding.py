"""Attention of a step of decoding: keys and values are in :mod:`harness_transformers.slots`.

On a CPU PyTorch's own kernel takes one query after another; here products over all answers at
once, and over blocks of a prompt's queries, do the same in a half to a third of the time.
"""

from __future__ import annotations

from typing import Any

import torch

from harness_transformers.kernels.attention import Unsuited, causal_weights, register, scale_of
from harness_transformers.slots import Layer, Piece, Slots

NAME = "harness_slots"
"""Name of this attention among transformers' implementations."""
BLOCK = 64
"""Queries of a prompt at once."""


def slot_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Any,
    dropout: float = 0.0,
    scaling: float | None = None,
    *,
    slots: Slots,
    **further: Any,
) -> tuple[torch.Tensor, None]:
    """transformers' attention interface; ``slots`` comes from the call of the model.

    Keys and values go into the slots first. Shapes: query (1, heads, tokens, size), key and value
    (1, key heads, tokens, size); gives (1, tokens, heads, size of values).

    Raises:
        Unsuited: the call is not for causal attention, and that alone.
    """
    scale = scale_of(query, scaling, attention_mask, further)
    if dropout or further.get("sliding_window") is not None:
        raise Unsuited("dropout or a window")
    layer = slots.written(module.layer_idx, key[0], value[0])
    grouped = query[0].unflatten(0, (key.shape[1], -1))
    out = query.new_empty(query.shape[2], query.shape[1], value.shape[-1])
    last = _last if query.device.type == "cpu" else _last_by_torch
    out[: slots.rows] = last(grouped[:, :, : slots.rows] * scale, layer, slots).flatten(1, 2)
    for piece in slots.pieces:
        part = slice(piece.first, piece.first + piece.count)
        out[part] = _piece(grouped[:, :, part] * scale, layer, piece).flatten(1, 2)
    return out[None], None


def _last(query: torch.Tensor, layer: Layer, slots: Slots) -> torch.Tensor:
    """What the last tokens of all slots attend to.

    Shapes: query (key heads, queries per key, rows, size), scaled; gives (rows, key heads, queries
    per key, size of values).
    """
    rows, longest = slots.rows, slots.bias.shape[-1]
    keys, values = (
        memory[:rows].flatten(0, 1)[:, :longest] for memory in (layer.keys, layer.values)
    )
    by_row = query.permute(2, 0, 3, 1).flatten(0, 1)
    # Keys times queries: the other way round takes oneDNN five times as long in bf16.
    scores = torch.bmm(keys, by_row).mT.unflatten(0, (rows, -1)).float()
    weights = (scores + slots.bias).softmax(-1).to(query.dtype)
    answers: torch.Tensor = torch.bmm(weights.flatten(0, 1), values).unflatten(0, (rows, -1))
    return answers


def _last_by_torch(query: torch.Tensor, layer: Layer, slots: Slots) -> torch.Tensor:
    """The same by the kernel that the device brings. Unmeasured."""
    longest = slots.bias.shape[-1]
    return torch.nn.functional.scaled_dot_product_attention(
        query.permute(2, 0, 1, 3),
        layer.keys[: slots.rows, :, :longest],
        layer.values[: slots.rows, :, :longest],
        attn_mask=slots.bias.to(query.dtype),
        scale=1.0,
    )


def _piece(query: torch.Tensor, layer: Layer, piece: Piece) -> torch.Tensor:
    """What a prompt's tokens attend to: those before them.

    Shapes: query (key heads, queries per key, tokens, size), scaled; gives (tokens, key heads,
    queries per key, size of values).
    """
    groups, count = query.shape[1:3]
    keys, values = layer.keys[piece.slot], layer.values[piece.slot]
    out = query.new_empty(count, *query.shape[:2], values.shape[-1])
    for start in range(0, count, BLOCK):
        end = min(start + BLOCK, count)
        seen = piece.place + end
        weights = causal_weights(query[:, :, start:end], keys[:, :seen])
        answer = torch.bmm(weights, values[:, :seen]).unflatten(1, (groups, -1))
        out[start:end] = answer.permute(2, 0, 1, 3)
    return out


register(NAME, slot_attention)
