"""Training rows as texts of tokens, for people to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import harness
from harness_transformers import encoding
from harness_transformers.chats import Chats
from harness_transformers.encoding import Chat

NO_REFERENCE = "it has no reference, so there is nothing to learn"
NOTHING_LEARNED = "it has no token to learn within {}"
CUT = "{} cuts its answer"
NO_END = "it does not end with what stops generation"


def rendered(
    chats: Chats, rows: Sequence[harness.Example], options: Any, context: harness.Context
) -> Iterator[harness.Rendered]:
    """Each row as training sees it; one that is refused says why.

    Args:
        options: those of the trainer.

    Raises:
        ConfigError: the chat template ends no answer.
    """
    chats.need_end()
    for done, row in enumerate(rows, start=1):
        yield _row(chats, row, options)
        context.progress(done, len(rows), "rows")


def _row(chats: Chats, row: harness.Example, options: Any) -> harness.Rendered:
    limit, held = chats.longest(options)
    tokenizer = chats.tokenizer
    try:
        if row.references:
            chat = encoding.laid_out(tokenizer, row, all_turns=options.train_on == "all")
            problem = _problem(chats, chat, limit, held, options.on_truncated)
        else:
            chat = encoding.laid_out_prompt(tokenizer, row)
            problem = NO_REFERENCE
    except harness.DataError as error:
        return harness.Rendered(row.id, (), (), context=chats.context, problem=error.what)
    return harness.Rendered(
        row.id, tuple(_texts(chat)), tuple(chat.learned),
        cut=max(len(chat.tokens) - limit, 0), context=chats.context, problem=problem,
        left_out=encoding.left_out(tokenizer, row),
    )  # fmt: skip


def _problem(chats: Chats, chat: Chat, limit: int, held: str, on_truncated: str) -> str:
    """Why training refuses the row; the same reasons as in :meth:`Chats.training_rows`."""
    if not any(chat.learned[:limit]):
        return NOTHING_LEARNED.format(held)
    if len(chat.tokens) > limit:
        return CUT.format(held) if on_truncated == "refuse" else ""
    learned = [
        token for (token, _, _), taught in zip(chat.tokens, chat.learned, strict=True) if taught
    ]
    return "" if chats.stops.ended(learned) else NO_END


def _texts(chat: Chat) -> Iterator[str]:
    """What each token adds to the text.

    A character of several tokens is given to the last of them: all of them say that they are
    where it is.
    """
    done = 0
    ends = [end for _, _, end in chat.tokens]
    for place, end in enumerate(ends):
        shared = place + 1 < len(ends) and chat.tokens[place + 1][1] < end
        to = done if shared else max(done, end)
        yield chat.text[done:to]
        done = to
