"""Causal attention over sequences that lie behind one another, without padding.

A batch is one row of tokens: a prefix that all sequences share, which may be empty, and what
follows it in each. Each attends to the prefix and itself alone, in blocks of queries, so that of
what a causal mask hides little is computed. On CPUs without matrix tiles
(AMX) PyTorch's own kernel is three to four times slower in bf16.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

NAME = "harness_flat"
"""Name of this attention among transformers' implementations."""
BLOCK = 128
"""Queries at once: larger blocks compute more that is masked, smaller ones do smaller products."""
KEPT = 512
"""Longest sequence, in tokens, whose probabilities are kept for the backward pass.

They take memory by the square of the length; of longer ones they are computed again.
"""


class Unsuited(Exception):
    """The model's attention does more than this module knows."""


class Causal(torch.autograd.Function):
    """``softmax(scale q k' + causal mask) v`` for each sequence (Vaswani et al. 2017, eq. 1).

    ``lengths`` are those of the shared prefix, 0 where there is none, and of what follows it in
    each sequence. Keys and values may have fewer heads than queries (grouped-query attention).
    """

    @staticmethod
    def forward(
        ctx: Any,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        scale: float,
        lengths: Sequence[int],
    ) -> torch.Tensor:
        """Shapes: q (heads, tokens, size), k and v (key heads, tokens, size).

        Returns:
            (tokens, heads, size of v).
        """
        q = _grouped(q, k)
        out = q.new_empty(q.shape[2], *q.shape[:2], v.shape[-1])
        saved = []
        for block in _blocks(lengths):
            weights = _weights(q, k, scale, block)
            answer = torch.bmm(weights, block.seen(v))
            out[block.start : block.end] = _by_token(answer, q.shape[1])
            if block.keys <= KEPT:
                saved.append(weights)
        ctx.save_for_backward(q, k, v, *saved)
        ctx.scale, ctx.lengths = scale, lengths
        return out.flatten(1, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        q, k, v, *saved = ctx.saved_tensors
        gradient = gradients[0].unflatten(1, q.shape[:2]).permute(1, 2, 0, 3)
        of_q, of_k, of_v = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        # What all sequences add to is summed in float32.
        exact = torch.promote_types(k.dtype, torch.float32)
        of_prefix = [torch.zeros_like(x[:, : ctx.lengths[0]], dtype=exact) for x in (k, v)]
        stored = iter(saved)
        for block in _blocks(ctx.lengths):
            weights = next(stored) if block.keys <= KEPT else _weights(q, k, ctx.scale, block)
            queries = slice(block.start, block.end)
            out = gradient[:, :, queries].flatten(1, 2)
            inner = torch.bmm(out, block.seen(v).mT)
            inner = torch._softmax_backward_data(inner, weights, -1, q.dtype)
            of_q[:, :, queries] = torch.bmm(inner, block.seen(k)).view_as(of_q[:, :, queries])
            right = (q[:, :, queries].flatten(1, 2), out)
            for left, by, own, prefix in zip(
                (inner, weights), right, (of_k, of_v), of_prefix, strict=True
            ):
                own[:, block.first : block.end].baddbmm_(left[..., block.before :].mT, by)
                if block.before:
                    prefix += torch.bmm(left[..., : block.before].mT, by)
        for own, prefix in zip((of_k, of_v), of_prefix, strict=True):
            own[:, : ctx.lengths[0]] += prefix.to(own.dtype)
        return of_q.mul_(ctx.scale).flatten(0, 1), of_k.mul_(ctx.scale), of_v, None, None


def _grouped(q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
    """(heads, tokens, size) as (key heads, queries per key, tokens, size)."""
    grouped: torch.Tensor = q.unflatten(0, (k.shape[0], -1))
    return grouped.contiguous()


def _by_token(answer: torch.Tensor, groups: int) -> torch.Tensor:
    """(key heads, groups x tokens, size) as (tokens, key heads, groups, size)."""
    by_group: torch.Tensor = answer.unflatten(1, (groups, -1))
    return by_group.permute(2, 0, 1, 3)


@dataclass(frozen=True, slots=True)
class _Block:
    """Queries at once, and the keys that they see.

    Attributes:
        before: length of the prefix before the sequence.
        first: where the sequence begins.
        start, end: the queries.
    """

    before: int
    first: int
    start: int
    end: int

    @property
    def keys(self) -> int:
        return self.before + self.end - self.first

    def seen(self, x: torch.Tensor) -> torch.Tensor:
        """Keys or values up to the block's end (key heads, keys, size)."""
        own = x[:, self.first : self.end]
        return torch.cat([x[:, : self.before], own], 1) if self.before else own


def _blocks(lengths: Sequence[int]) -> Iterator[_Block]:
    first = 0
    for number, length in enumerate(lengths):
        for start in range(first, first + length, BLOCK):
            before = lengths[0] if number else 0
            yield _Block(before, first, start, min(start + BLOCK, first + length))
        first += length


def _weights(q: torch.Tensor, k: torch.Tensor, scale: float, block: _Block) -> torch.Tensor:
    """What a block attends to, up to its end (key heads, groups x block, keys)."""
    return causal_weights(q[:, :, block.start : block.end] * scale, block.seen(k))


def causal_weights(block: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """What a block of scaled queries attends to, whose own keys are the last ones.

    Shapes: block (key heads, queries per key, block, size), keys (key heads, keys, size); gives
    (key heads, groups x block, keys).
    """
    size = block.shape[2]
    scores = torch.bmm(block.flatten(1, 2), keys.mT)
    scores.unflatten(1, (-1, size))[..., -size:] += _hidden(size, block.dtype, block.device)
    return torch.softmax(scores, -1)


@functools.lru_cache(maxsize=2 * BLOCK)
def _hidden(size: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """What is added to the scores of a block's own keys: minus infinity for those after a query."""
    return torch.full((size, size), float("-inf"), dtype=dtype, device=device).triu_(1)


def flat_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Any,
    dropout: float = 0.0,
    scaling: float | None = None,
    *,
    sequence_lengths: Sequence[int] = (0, 0),
    **further: Any,
) -> tuple[torch.Tensor, None]:
    """transformers' attention interface; ``sequence_lengths`` comes from the call of the model.

    They are those that :class:`Causal` takes. Shapes: query (1, heads, tokens, size), key and value
    likewise; gives (1, tokens, heads, size).

    Raises:
        Unsuited: the call is not for causal attention within its sequences, and that alone.
    """
    scale = scale_of(query, scaling, attention_mask, further)
    window = further.get("sliding_window")
    if window is not None and window < sequence_lengths[0] + max(sequence_lengths[1:]):
        raise Unsuited("a window that is shorter than a sequence")
    if not sum(sequence_lengths) == query.shape[2] == key.shape[2]:
        raise Unsuited("the sequences are not those of the call")
    if dropout:
        return _dropping(query, key, value, dropout, scale, sequence_lengths), None
    return Causal.apply(query[0], key[0], value[0], scale, sequence_lengths)[None], None


def _dropping(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, dropout: float, scale: float, lengths: Any
) -> torch.Tensor:
    """Attention with dropout, by PyTorch's own function; no prefix is shared then."""
    if lengths[0]:
        raise Unsuited("dropout with a shared prefix")
    attend = torch.nn.functional.scaled_dot_product_attention
    parts = zip(*(x.split(lengths[1:], 2) for x in (q, k, v)), strict=True)
    answers = [
        attend(query, keys, values, dropout_p=dropout, is_causal=True, scale=scale, enable_gqa=True)
        for query, keys, values in parts
    ]
    return torch.cat(answers, 2).transpose(1, 2)


KNOWN = frozenset({"is_causal", "position_ids", "sliding_window"})
"""Further arguments of transformers' attention that are heeded, or change nothing.

Of others, such as a cap on scores, it is not known what they change.
"""


def scale_of(
    query: torch.Tensor, scaling: float | None, attention_mask: Any, further: Mapping[str, Any]
) -> float:
    """What queries are multiplied by, in a call of transformers' attention interface.

    Args:
        further: its arguments beyond those that all attention has.

    Raises:
        Unsuited: the call asks for something that is not known here.
    """
    unknown = [
        name
        for name, value in further.items()
        if name not in KNOWN and value is not None and value is not False
    ]
    if attention_mask is not None:  # the model's own: transformers makes none for this attention
        unknown.append("attention_mask")
    if further.get("is_causal") is False:
        unknown.append("is_causal")
    if query.shape[0] != 1:
        unknown.append("several rows")
    if unknown:
        raise Unsuited(", ".join(unknown))
    return float(query.shape[-1] ** -0.5 if scaling is None else scaling)


def register(name: str, attention: Callable[..., Any]) -> None:
    """Make it one of transformers' implementations, for which no masks are made."""
    AttentionInterface.register(name, attention)
    AttentionMaskInterface.register(name, lambda *_, **__: None)


register(NAME, flat_attention)
