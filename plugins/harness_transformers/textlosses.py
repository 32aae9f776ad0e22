"""How well a model predicts texts: the negative log likelihood of their tokens."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import torch

import harness
from harness_transformers import adapters, devices, layouts, loading
from harness_transformers.chats import Chats
from harness_transformers.encoding import IGNORED, Encoded, encode
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
    rows = encoded(texts, chats)
    model = adapters.ready(
        checkpoint, devices.dtype_of(options.precision), context, merge=options.merge
    )
    for losses in by_token(model, checkpoint, rows, context):
        yield math.fsum(losses), len(losses)


def of_answers(
    options: Any,
    checkpoint: harness.Checkpoint,
    rows: Sequence[harness.Example],
    context: harness.Context,
) -> Iterator[list[float]]:
    """See :meth:`harness.Generator.answer_losses`.

    Args:
        options: those of the generator.
    """
    encoded = encoded_answers(rows, Chats.of(checkpoint))
    fitting = [row for row in encoded if not row.truncated]
    model = adapters.ready(
        checkpoint, devices.dtype_of(options.precision), context, merge=options.merge
    )
    losses = by_token(model, checkpoint, fitting, context)
    yield from ([] if row.truncated else next(losses) for row in encoded)


def by_token(
    model: Any, checkpoint: harness.Checkpoint, rows: Sequence[Encoded], context: harness.Context
) -> Iterator[list[float]]:
    """The negative log likelihood of each learned token, in nats, row by row.

    Args:
        model: the checkpoint's, on its device.
        rows: their ids are not read.
    """
    pad = Chats.of(checkpoint).tokenizer.pad_token_id
    vocabulary = loading.config_of(checkpoint).get_text_config().vocab_size
    losses: dict[int, list[float]] = {place: [] for place in range(len(rows))}
    placed = [dataclasses.replace(row, id=str(place)) for place, row in enumerate(rows)]
    long = [row for row in placed if len(row.input_ids) > 1]
    long.sort(key=lambda row: -len(row.input_ids))
    most = min(TOKENS, max(1, CELLS // vocabulary))
    batches = [batch for rows in _by_prompt(long) for batch in _batches(rows, most)]
    at_once = AtOnce(AT_ONCE, context.say, "texts")
    done = 0
    with layouts.chosen(model, pad, long, model.device.type) as layout:
        for batch in batches:
            context.progress(done, len(long), "texts")
            for part in at_once.run(batch, lambda some: _losses(model, layout, some), _nothing):
                losses |= part
            done += len(batch)
    yield from (losses[place] for place in range(len(rows)))


def _nothing() -> None:
    """Unfinished work leaves nothing here that would have to be taken back."""


def encoded(texts: Sequence[str], chats: Chats) -> list[Encoded]:
    """Each text as tokens. A lone surrogate counts as a question mark."""
    longest = min(LONGEST, chats.context or LONGEST)
    rows = []
    for text in texts:
        plain = text.encode("utf-8", "replace").decode("utf-8")
        ids = chats.tokenizer(plain)["input_ids"] if plain else []
        # The first token follows nothing, so that it is not predicted.
        rows.append(Encoded("", ids[:longest], [IGNORED, *ids[1:longest]], False))
    return rows


def encoded_answers(rows: Sequence[harness.Example], chats: Chats) -> list[Encoded]:
    """Each row's prompt and answer as tokens, of which the answer is learned."""
    longest = chats.context or sys.maxsize
    return [encode(chats.tokenizer, row, longest, all_turns=False) for row in rows]


def _by_prompt(rows: Sequence[Encoded]) -> Iterator[list[Encoded]]:
    """Rows with one prompt, the greater part of each, together; all others in the order given.

    A batch of such rows has the prompt once (:class:`layouts.Flat`).
    """
    groups: dict[tuple[int, ...], list[Encoded]] = {}
    for row in rows:
        prompt = tuple(row.input_ids[: len(row.input_ids) - row.trained])
        groups.setdefault(prompt if len(prompt) > row.trained else (), []).append(row)
    alone = [row for prompt, of in groups.items() if not prompt or len(of) == 1 for row in of]
    yield sorted(alone, key=lambda row: -len(row.input_ids))
    yield from (of for prompt, of in groups.items() if prompt and len(of) > 1)


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
def _losses(model: Any, layout: Any, rows: Sequence[Encoded]) -> dict[int, list[float]]:
    """Place of each text -> the losses of its predicted tokens."""
    lines = [
        {"row": number, "input_ids": list(row.input_ids), "labels": list(row.labels)}
        for number, row in enumerate(rows)
    ]
    batch = {name: value.to(model.device) for name, value in layout(lines).items()}
    learned = layout.learned(model, batch)
    losses = token_losses(learned.logits, learned.wanted).double()
    sums: dict[int, list[float]] = {int(row.id): [] for row in rows}
    for place, loss in zip(learned.places.tolist(), losses.tolist(), strict=True):
        sums[int(rows[place].id)].append(loss)
    return sums
