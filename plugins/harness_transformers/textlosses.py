"""How well a model predicts texts: the negative log likelihood of each, and its tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch

import harness
from harness_transformers import adapters, devices, layouts, loading
from harness_transformers.chats import Chats
from harness_transformers.encoding import IGNORED, Encoded
from harness_transformers.kernels.loss import token_losses
from harness_transformers.memory import AtOnce

LONGEST = 1024
"""Tokens of a text; of a longer one the beginning counts."""
TOKENS = 1024
"""Of a batch at most, unless one text has more."""
CELLS = 1 << 26
"""Logits of a batch at most, for the same: with large vocabularies they need the most memory."""
AT_ONCE = 64
"""Texts of a batch at most."""


def measured(
    options: Any, checkpoint: harness.Checkpoint, texts: Sequence[str], context: harness.Context
) -> Iterator[tuple[float, int]]:
    """See :meth:`harness.Generator.losses`.

    Args:
        options: those of the generator.
    """
    chats = Chats.of(checkpoint)
    rows = _encoded(texts, chats)
    model = adapters.ready(
        checkpoint, devices.dtype_of(options.precision), context, merge=options.merge
    )
    vocabulary = loading.config_of(checkpoint).get_text_config().vocab_size
    found = dict.fromkeys(range(len(rows)), (0.0, 0))
    long = [row for row in rows if len(row.input_ids) > 1]
    long.sort(key=lambda row: -len(row.input_ids))
    batches = list(_batches(long, min(TOKENS, max(1, CELLS // vocabulary))))
    at_once = AtOnce(AT_ONCE, context.say, "texts")
    done = 0
    with layouts.chosen(model, chats.tokenizer.pad_token_id, long, model.device.type) as layout:
        for batch in batches:
            context.progress(done, len(long), "texts")
            for part in at_once.run(batch, lambda some: _losses(model, layout, some), _nothing):
                found |= part
            done += len(batch)
    yield from (found[place] for place in range(len(rows)))


def _nothing() -> None:
    """Unfinished work leaves nothing here that would have to be taken back."""


def _encoded(texts: Sequence[str], chats: Chats) -> list[Encoded]:
    """Each text as tokens, its place as id. A lone surrogate counts as a question mark."""
    longest = min(LONGEST, chats.context or LONGEST)
    rows = []
    for place, text in enumerate(texts):
        plain = text.encode("utf-8", "replace").decode("utf-8")
        ids = chats.tokenizer(plain)["input_ids"] if plain else []
        # The first token follows nothing, so that it is not predicted.
        rows.append(Encoded(str(place), ids[:longest], [IGNORED, *ids[1:longest]], False))
    return rows


def _batches(rows: Sequence[Encoded], tokens: int) -> Iterator[list[Encoded]]:
    """Rows of like length, the longest first, so many padded tokens at once."""
    batch: list[Encoded] = []
    for row in rows:
        width = len(batch[0].input_ids) if batch else 0
        if batch and ((len(batch) + 1) * width > tokens or len(batch) == AT_ONCE):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


@torch.no_grad()
def _losses(model: Any, layout: Any, rows: Sequence[Encoded]) -> dict[int, tuple[float, int]]:
    """Place of each text -> its loss and its predicted tokens."""
    lines = [
        {"row": number, "input_ids": list(row.input_ids), "labels": list(row.labels)}
        for number, row in enumerate(rows)
    ]
    batch = {name: value.to(model.device) for name, value in layout(lines).items()}
    learned = layout.learned(model, batch)
    losses = token_losses(learned.logits, learned.wanted).double()
    sums = torch.zeros(len(rows), dtype=torch.float64, device=losses.device)
    sums.index_add_(0, learned.places, losses)
    counts = torch.bincount(learned.places, minlength=len(rows))
    pairs = zip(rows, sums.tolist(), counts.tolist(), strict=True)
    return {int(row.id): (loss, count) for row, loss, count in pairs}
