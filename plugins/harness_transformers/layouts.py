"""How the rows of a batch lie in memory: padded to one width, or flat, one behind the other.

A layout makes a batch of rows, and says what the model gives for the tokens that are learned.
"""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from harness_transformers.encoding import IGNORED, Encoded
from harness_transformers.greedy import stretches
from harness_transformers.kernels import attention
from harness_transformers.kernels.installing import agrees, installed

Batch = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Learned:
    """What a model gives for the learned tokens of a batch.

    Attributes:
        outputs: the model's answer, as it gave it.
        logits: (tokens, vocabulary).
        wanted: the tokens to be learned (tokens).
        places: for each of them, the place of its row in the batch (tokens).
    """

    outputs: Any
    logits: torch.Tensor
    wanted: torch.Tensor
    places: torch.Tensor


class Padded:
    """Rows of one width, filled up on the right.

    Batches have ``input_ids``, ``labels`` and ``attention_mask`` (rows x width), and ``row``: the
    rows' numbers.
    """

    def __init__(self, model: Any, pad: int) -> None:
        self.pad, self.chooses = pad, _chooses(model)

    def __call__(self, rows: Sequence[Any]) -> Batch:
        width = max(len(row["input_ids"]) for row in rows)
        ids = torch.full((len(rows), width), self.pad)
        labels = torch.full((len(rows), width), IGNORED)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        for place, row in enumerate(rows):
            size = len(row["input_ids"])
            ids[place, :size] = torch.tensor(row["input_ids"])
            labels[place, :size] = torch.tensor(row["labels"])
            mask[place, :size] = 1
        return {"input_ids": ids, "labels": labels, "attention_mask": mask, "row": _numbers(rows)}

    def learned(self, model: Any, batch: Batch) -> Learned:
        wanted = torch.nn.functional.pad(batch["labels"], (0, 1), value=IGNORED)[:, 1:]
        learned = wanted != IGNORED
        if self.chooses:
            # No mask: what follows in a causal row cannot change what precedes it. And positions
            # as one list for all rows, which every version and architecture takes.
            columns = learned.any(dim=0).nonzero().flatten()
            outputs = model(input_ids=batch["input_ids"], logits_to_keep=columns, use_cache=False)
            logits = outputs.logits[learned[:, columns]]
        else:
            inputs = {key: batch[key] for key in ("input_ids", "attention_mask")}
            outputs = model(**inputs, use_cache=False)
            logits = outputs.logits[learned]
        return Learned(outputs, logits, wanted[learned], learned.nonzero()[:, 0])


class Flat:
    """All rows behind one another, without padding; each attends to itself alone.

    A prefix that all rows of a batch have in common, such as the system's turn, stands before them
    once: in a causal model its states are the same for all. Batches have ``input_ids``, ``labels``
    and ``position_ids`` (1 x all tokens), ``ends``: where the prefix and then what follows it in
    each row ends (1 + rows), and ``row``: the rows' numbers.

    Args:
        shares: False: each row's prefix is computed for itself.
    """

    def __init__(self, shares: bool = True) -> None:
        self.shares = shares

    def __call__(self, rows: Sequence[Any]) -> Batch:
        shared = _shared(rows) if self.shares else 0
        ids = rows[0]["input_ids"][:shared]
        labels = [IGNORED] * shared
        positions = [torch.arange(shared)]
        for row in rows:
            ids += row["input_ids"][shared:]
            # What a row's first token follows is another row: it is never learned.
            labels += [IGNORED, *row["labels"][shared + 1 :]]
            positions.append(torch.arange(shared, len(row["input_ids"])))
        return {
            "input_ids": torch.tensor([ids]),
            "labels": torch.tensor([labels]),
            "position_ids": torch.cat(positions)[None],
            "ends": torch.tensor([len(part) for part in positions]).cumsum(0),
            "row": _numbers(rows),
        }

    def learned(self, model: Any, batch: Batch) -> Learned:
        wanted = torch.nn.functional.pad(batch["labels"][0], (0, 1), value=IGNORED)[1:]
        columns = (wanted != IGNORED).nonzero().flatten()
        outputs = model(
            input_ids=batch["input_ids"],
            position_ids=batch["position_ids"],
            logits_to_keep=columns,
            use_cache=False,
            sequence_lengths=batch["ends"].diff(prepend=batch["ends"].new_zeros(1)).tolist(),
        )
        places = torch.searchsorted(batch["ends"], columns, right=True) - 1
        return Learned(outputs, outputs.logits.flatten(0, 1), wanted[columns], places)


Layout = Padded | Flat

LEAST = 4
"""Tokens of a prefix from which on it is worth the extra blocks of attention."""


def _shared(rows: Sequence[Any]) -> int:
    """Tokens that all rows begin with, short of the first that predicts a learned one."""
    limit = min(_first_learned(row["labels"]) for row in rows) - 1
    first, others = rows[0]["input_ids"], [row["input_ids"] for row in rows[1:]]
    if not others:
        return 0
    size = 0
    while size < limit and all(other[size] == first[size] for other in others):
        size += 1
    return size if size >= LEAST else 0


def _first_learned(labels: Sequence[int]) -> int:
    """The place of the first learned token, or the row's length where none is."""
    return next((place for place, label in enumerate(labels) if label != IGNORED), len(labels))


def _numbers(rows: Sequence[Any]) -> torch.Tensor:
    return torch.tensor([row["row"] for row in rows])


def _base(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def _chooses(model: Any) -> bool:
    """Whether the model's forward can be told of which positions logits are wanted."""
    return "logits_to_keep" in inspect.signature(_base(model).forward).parameters


@contextlib.contextmanager
def chosen(model: Any, pad: int, rows: Sequence[Encoded], device: str) -> Iterator[Layout]:
    """The quickest layout for training the model on the rows, the model made ready for it.

    Args:
        rows: all that it will see, those for validation included.
        device: type of the device. Flat rows are quick on a CPU; elsewhere they are unmeasured.
    """
    if device == "cpu" and rows and _lies_flat(model, rows):
        with installed(_base(model), attention.NAME):
            yield Flat(shares=not _drops(model))
    else:
        yield Padded(model, pad)


def _lies_flat(model: Any, rows: Sequence[Encoded]) -> bool:
    """Whether the model gives for rows behind one another what it gives for each alone.

    States, convolutions, windows and positions of a model's own would mix rows. The ends of two
    rows are computed flat behind a prefix that they share, with the kernels, and one by one,
    without them.
    """
    config = _base(model).config
    longest = max(len(row.input_ids) for row in rows)
    if not _chooses(model) or stretches(config, longest) or _window(config) < longest:
        return False
    ends = [rows[0].input_ids[:LEAST] + row.input_ids[-8:] for row in (rows[0], rows[-1])]
    alone = Padded(model, 0)
    training = model.training
    model.eval()
    try:
        return agrees(
            _base(model),
            attention.NAME,
            lambda: _logits(model, Flat(), ends),
            lambda: torch.cat([_logits(model, alone, [end]) for end in ends]),
        )
    finally:
        model.train(training)


_HEADS = {"classifier", "summary"}
"""Parts of options' names that are those of heads for other tasks."""


def _drops(model: Any) -> bool:
    """Whether rows that share a prefix would share the noise of a dropout, too."""
    config = _base(model).config.to_dict()
    names = [name for name in config if "drop" in name and not _HEADS & {*name.split("_")}]
    rates = [config[name] for name in names]
    rates += [module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)]
    return any(isinstance(rate, float) and rate > 0 for rate in rates)


def _window(config: Any) -> float:
    """Tokens that each token attends to in every layer: what short rows cannot show."""
    if "local" in getattr(config, "attention_layers", ()):
        return 0
    windows = [math.inf]
    for layer in DynamicCache(config=config).layers:
        if type(layer) is DynamicSlidingWindowLayer:
            windows.append(layer.sliding_window)
        elif type(layer) is not DynamicLayer:
            return 0
    return min(windows)


def _logits(model: Any, layout: Layout, rows: Sequence[list[int]]) -> torch.Tensor:
    unlearned = [IGNORED] * (LEAST + 1)
    labels = [(unlearned + row[LEAST + 1 :])[: len(row)] for row in rows]
    batch = layout(
        [{"row": 0, "input_ids": row, "labels": to} for row, to in zip(rows, labels, strict=True)]
    )
    return layout.learned(model, batch).logits
