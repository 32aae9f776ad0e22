"""A GGUF file asked as the model that it was made from: by the same chats."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

import harness
from harness_transformers import adapters, loading
from harness_transformers.chats import Chats
from harness_transformers.encoding import Encoded
from harness_transformers.grammar import Grammar
from harness_transformers.llamacpp import library, writing

SPARE = 8
"""Tokens of a context beyond those that are needed."""


def written(
    tuned: harness.Checkpoint, path: Path, kind: str, said: Callable[[int, int, str], None]
) -> None:
    """The checkpoint's model as a file: an adapter is added to the weights in float32.

    Raises:
        UsageError: such a model is not written.
        EnvironmentFailure: the kind needs llama.cpp, which is not installed.
    """
    chats = Chats.of(tuned)
    writing.write(
        path, merged(tuned), chats.tokenizer,
        name=Path(tuned.name).name, kind=kind, bos=begins(chats), said=said,
    )  # fmt: skip


def merged(tuned: harness.Checkpoint) -> Any:
    """The model in float32, its adapter added to the weights.

    Raises:
        ConfigError: the weights are quantised.
    """
    model = loading.base_of(tuned, torch.float32)
    if loading.quantised(model):
        raise harness.ConfigError(
            "a file for llama.cpp is made of whole weights, and those of this model are quantised",
            where="model",
            hint="take the model's whole weights, without train.quantization",
        )
    if tuned.kind == "adapter":
        from peft import PeftModel

        model, _ = adapters.merged(PeftModel.from_pretrained(model, tuned.path), torch.float32)
    return model


def begins(chats: Chats) -> bool:
    """Whether the chat template puts the token of the beginning before a prompt."""
    from harness_transformers import encoding

    bos = chats.tokenizer.bos_token_id
    row = harness.Example("begins", ({"role": "user", "content": "?"},))
    prompt = encoding.prompt(chats.tokenizer, row)
    # A template may begin its first turn with that token: then it is no mark of the beginning.
    own = str(chats.tokenizer.bos_token)
    return bos is not None and prompt.startswith(own) and prompt.count(own) == 1


def log_probabilities(
    path: Path, rows: Sequence[Encoded], report: harness.Report
) -> list[list[float]]:
    """Of each learned token, in nats, row by row.

    Raises:
        DataError: llama.cpp does not load the file.
        EnvironmentFailure: it fails.
    """
    longest = max((len(row.input_ids) for row in rows), default=1)
    values = []
    with library.loaded(path, longest + SPARE) as model:
        for done, row in enumerate(rows):
            report(done, len(rows), "texts")
            first = len(row.input_ids) - row.trained
            values.append(model.log_probabilities(row.input_ids, max(1, first)))
    return values


def answers(
    path: Path,
    chats: Chats,
    prompts: Sequence[Sequence[int]],
    most: int,
    form: harness.Form | None,
    report: harness.Report,
) -> Iterator[list[int]]:
    """The tokens of the likeliest answer to each prompt, with what ends it, one after the other.

    Args:
        most: tokens of an answer.
        form: what answers are held to; None: nothing.

    Raises:
        DataError: llama.cpp does not load the file.
        EnvironmentFailure: it fails.
    """
    longest = max(map(len, prompts), default=1)
    with library.loaded(path, longest + most + SPARE) as model:
        chosen = None
        if form is not None:
            grammar = Grammar(form, chats.tokenizer, chats.stops, model.size)
            chosen = functools.partial(grammar.token, 0)
        for done, prompt in enumerate(prompts):
            report(done, len(prompts), "answers")
            yield model.greedy(prompt, most, chats.stops.ended, chosen)


def prediction(
    chats: Chats, row: harness.Example, prompt: Sequence[int], answer: Sequence[int]
) -> harness.Prediction:
    """A row's answer, made of its tokens."""
    ended = chats.stops.ended(answer)
    text, message = chats.answer(row, answer, prompt)
    return harness.Prediction(
        row.id, text, "stop" if ended else "length", len(prompt), len(answer), message=message
    )
