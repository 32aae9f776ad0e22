"""Answers and losses of several ranks, each of which does a share of the rows on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import harness
from harness.kit.shares import deal
from harness_transformers.chats import Chats
from harness_transformers.ranks import launching


def answers(
    generator: Any,
    checkpoint: harness.Checkpoint,
    examples: Sequence[harness.Example],
    context: harness.Context,
    count: int,
) -> Iterator[harness.Prediction]:
    """See :meth:`harness.Generator.generate`."""
    options, chats = generator.options, Chats.as_trained(checkpoint)
    prompts, long = chats.prompts(
        examples, options.max_new_tokens, count=options.on_too_long == "count"
    )
    skipped = frozenset(long)
    rest = [place for place in range(len(examples)) if place not in skipped]
    rows = [examples[place] for place in rest]
    sizes = [len(prompts[place]) for place in rest]
    predictions = shared(generator, "generate", checkpoint, rows, sizes, context, count)
    chats.note_prompts(context, long, examples, options.max_new_tokens)
    for place in long:
        yield harness.Prediction(examples[place].id, "", "context", len(prompts[place]), 0)
    for prediction in predictions:
        yield harness.from_json(harness.Prediction, prediction)


def shared(
    generator: Any,
    work: str,
    checkpoint: harness.Checkpoint,
    rows: Sequence[Any],
    sizes: Sequence[int],
    context: harness.Context,
    count: int,
) -> list[Any]:
    """What a method of the generator gives for each row, as JSON values in the order of the rows.

    Args:
        work: the method's name.
        rows: examples, or texts.
        sizes: of each row; ranks get as much as others of it.
    """
    alone = type(generator)(generator.options.model_copy(update={"processes": 1}))
    shares = deal(sizes, min(count, max(1, len(rows))))
    values = [row if isinstance(row, str) else harness.to_json(row) for row in rows]
    parts = [[values[place] for place in share] for share in shares]
    described = {"checkpoint": harness.to_json(checkpoint)}
    done = launching.spread(
        alone, work, {"rows": parts}, described, context, len(shares),
        generator.options.rank_timeout,
    )  # fmt: skip
    given = {
        place: result
        for share, results in zip(shares, done, strict=True)
        for place, result in zip(share, results, strict=True)
    }
    return [given[place] for place in range(len(rows))]
