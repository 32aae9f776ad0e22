"""Greedy decoding that computes nothing twice and nothing for answers that have ended.

Prompts of one experiment mostly begin alike (the system turn, the instruction): their common
beginning goes through the model once, not once a prompt. Answers that have ended leave the
batch. The answers are those of ``model.generate``.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import DynamicCache

from harness_transformers.rope import original, ropes
from harness_transformers.stops import Stops


def suits(model: Any, length: int) -> bool:
    """True if the model can be decoded here: its cache grows by a key and a value a token.

    Not so with sliding windows, states in place of a cache, positions of the model's own, or
    windows over places in the batch (GPT-Neo), where padding counts.

    Args:
        length: tokens of the longest prompt and its answer.
    """
    from transformers.cache_utils import DynamicLayer

    known = inspect.signature(model.forward).parameters
    return (
        {"logits_to_keep", "position_ids", "attention_mask"} <= set(known)
        and bool(_cache_name(model))
        and "local" not in getattr(model.config, "attention_layers", ())
        and not stretches(model.config, length)
        and all(type(layer) is DynamicLayer for layer in DynamicCache(config=model.config).layers)
    )


def stretches(config: Any, length: int) -> bool:
    """True if rotary positions change once a sequence is as long as that.

    They then depend on the longest sequence of a batch, and cached keys on when they were made.
    """
    text = config.get_text_config()
    return any(
        rope.get("rope_type") in ("dynamic", "longrope") and length > original(text, rope)
        for rope in ropes(text)
    )


def _cache_name(model: Any) -> str:
    """What this version of transformers calls the cache of keys and values."""
    known = inspect.signature(model.forward).parameters
    return next((name for name in ("cache", "past_key_values") if name in known), "")


def shared(prompts: Sequence[Sequence[int]]) -> int:
    """Length of the beginning that all prompts have in common, at least one token left over."""
    first, last = min(prompts), max(prompts)
    limit = min(map(len, prompts)) - 1
    for place in range(limit):
        if first[place] != last[place]:
            return place
    return max(limit, 0)


class Greedy:
    """Decodes batches of prompts that share a beginning.

    Args:
        prompts: all prompts that will come, as tokens.
        stops: what ends an answer.
        check: called at each step; may raise.
    """

    def __init__(
        self,
        model: Any,
        prompts: Sequence[Sequence[int]],
        stops: Stops,
        pad: int,
        check: Callable[[], None],
    ) -> None:
        self.model, self.pad, self.check = model, pad, check
        self.stops = stops
        self.name = _cache_name(model)
        self.length = shared(prompts)
        self.start = DynamicCache(config=model.config)
        if self.length:
            with torch.inference_mode():
                ids = torch.tensor([list(prompts[0][: self.length])], device=model.device)
                mask = torch.ones_like(ids)
                self._logits(ids, mask, mask.cumsum(1) - 1, self.start)

    def answer(self, prompts: Sequence[Sequence[int]], limit: int) -> list[list[int]]:
        """Up to ``limit`` tokens for each prompt, the stop token included."""
        with torch.inference_mode():
            return self._answer(prompts, limit)

    def _answer(self, prompts: Sequence[Sequence[int]], limit: int) -> list[list[int]]:
        ids, mask = self._padded(prompts)
        cache = copy.deepcopy(self.start)
        if self.length:
            cache.batch_repeat_interleave(len(prompts))
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, self.length :]
        answers: list[list[int]] = [[] for _ in prompts]
        open_rows = list(range(len(prompts)))
        for _ in range(limit):
            tokens = self._logits(ids, mask, positions, cache).argmax(-1)
            for row, token in zip(open_rows, tokens.tolist(), strict=True):
                answers[row].append(token)
            going = [k for k, row in enumerate(open_rows) if not self.stops.ended(answers[row])]
            if not going:
                break
            ids, positions = tokens[:, None], positions[:, -1:] + 1
            mask = torch.cat([mask, torch.ones_like(ids)], dim=1)
            if len(going) < len(open_rows):
                keep = torch.tensor(going, device=ids.device)
                open_rows = [open_rows[k] for k in going]
                ids, mask, positions = ids[keep], mask[keep], positions[keep]
                cache.batch_select_indices(keep)
            self.check()
        return answers

    def _padded(self, prompts: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """What follows the common beginning, padded on the left, and the mask of the whole."""
        width = max(map(len, prompts)) - self.length
        ids = torch.full((len(prompts), width), self.pad)
        mask = torch.zeros((len(prompts), self.length + width), dtype=torch.long)
        mask[:, : self.length] = 1
        for row, prompt in enumerate(prompts):
            rest = torch.tensor(prompt[self.length :])
            ids[row, width - len(rest) :] = rest
            mask[row, self.length + width - len(rest) :] = 1
        return ids.to(self.model.device), mask.to(self.model.device)

    def _logits(
        self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: Any
    ) -> torch.Tensor:
        """Logits of the last position (rows x vocabulary); the cache grows."""
        # A list of positions, not 1: that would be a view with gaps, for which torch copies the
        # whole output matrix once a row (measured: two thirds of a prompt's time, 1.8 GB).
        last = torch.tensor([ids.shape[1] - 1], device=ids.device)
        logits: torch.Tensor = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            use_cache=True,
            logits_to_keep=last,
            **{self.name: cache},
        ).logits
        return logits[:, -1]
