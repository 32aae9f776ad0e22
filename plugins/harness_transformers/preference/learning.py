"""A training by TRL, on rows that are encoded as for every training here.

TRL computes the losses, with a frozen copy of the adapter as the reference model. How chats become
tokens, what is logged, how a training is interrupted and goes on is that of every training here.
"""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from peft import PeftModel
from transformers import PrinterCallback, set_seed
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

import harness
from datasets import Dataset
from harness_transformers import (
    arguments,
    checkpoints,
    lora,
    memory,
    resuming,
    state,
    trackers,
)
from harness_transformers.chats import Chats
from harness_transformers.encoding import IGNORED, Encoded
from harness_transformers.lora import AdapterTrainer
from harness_transformers.preference.pairs import USUAL, pairs
from harness_transformers.ranks.exchange import ALONE
from harness_transformers.training import Watch

FIGURES = {"rewards/margins": "margin", "rewards/accuracies": "accuracy", "kl": "kl"}
"""What TRL logs of a step -> name in our log: the mean difference of the rewards of chosen and
rejected answers, the share of pairs in which it is positive, and the KL term of KTO."""


class _Resumed:
    """What both of TRL's Trainers have to do otherwise here."""

    ranks = ALONE
    remembering: Sequence[Any] = ()

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset  # it is tokens already

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        resuming.take_weights(model or self.model, Path(resume_from_checkpoint))  # type: ignore[attr-defined]

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            resuming.take_random_states(Path(checkpoint))


class Pairs(_Resumed, DPOTrainer):
    """DPO on encoded pairs."""


class Judged(_Resumed, KTOTrainer):
    """KTO on encoded answers."""


def train(
    plugin: AdapterTrainer,
    base: harness.Checkpoint,
    train: Sequence[harness.Example],
    valid: Sequence[harness.Example],
    context: harness.Context,
) -> harness.Checkpoint:
    """See :meth:`~harness_transformers.preference.trainer.PreferenceTrainer.train`."""
    options = plugin.options
    base = dataclasses.replace(base, info={**base.info, **plugin.loading()})
    set_seed(context.seed)
    chats = Chats.of(base)
    rows, encoded = encode(chats, train, options, context.seed)
    held, encoded_held = encode(chats, valid, options, context.seed)
    _need_both(rows, options.loss)
    model = _adapter(base, options)
    kto = options.loss == "kto"
    own: dict[str, Any] = {
        "beta": options.beta, "max_length": None, "bf16": False, "gradient_checkpointing": False,
    }  # fmt: skip
    if kto:
        # What KTO estimates its KL term from is the neighbour in the batch.
        own |= {
            "train_sampling_strategy": "sequential",
            "desirable_weight": options.good_weight, "undesirable_weight": options.bad_weight,
        }  # fmt: skip
    settings = arguments.make(options, context, KTOConfig if kto else DPOConfig, **own)
    belongs = checkpoints.belonging(
        encoded, encoded_held, plugin.libraries, base=base.digest, seed=context.seed,
        options=options.model_dump(mode="json"),
    )  # fmt: skip
    watch = Watch(context, further=FIGURES)
    begun = {name: value.data for name, value in state.trained(model)}
    with trackers.guarded(settings, context) as followers:
        trainer: Any = (Judged if kto else Pairs)(
            model=model, args=settings, train_dataset=Dataset.from_list(rows),
            eval_dataset=Dataset.from_list(held) if held else None,
            processing_class=chats.tokenizer, callbacks=[watch, *followers],
        )  # fmt: skip
        # Upon quantised weights TRL makes the adapter bf16, in which most steps of a usual rate are
        # rounded away, and leaves the reference as it is.
        for name, value in state.trained(trainer.model):
            value.data = begun[name]
        trainer.remove_callback(PrinterCallback)
        trainer.remembering = [watch]
        resuming.train(trainer, context, belongs)
    model = trainer.model
    if held:
        _validate(trainer, watch, context)
    model.save_pretrained(
        str(context.output), save_embedding_layers=False, selected_adapters=["default"]
    )
    (context.output / "README.md").unlink(missing_ok=True)
    lora.portable(context.output)
    reference = "the base model" if base.kind == "base" else "the adapter that it started from"
    what = "answers" if kto else "pairs"
    context.remark(
        f"round {context.round}: {options.loss.upper()} on {len(rows)} {what}; the reference model "
        f"is {reference} ({base.digest[:8]})"
    )
    context.note(
        **{what: len(rows)}, reference=base.digest,
        truncated_rows=sum(row.truncated for row in encoded),
        trained_parameters=sum(value.numel() for _, value in state.trained(model)),
        memory=memory.peak(settings.device.type),
    )  # fmt: skip
    return harness.Checkpoint(
        "adapter", str(context.output), "", base.name, base_path=base.base_path or base.path,
        template=chats.template, info={**base.info, "reference": base.digest, what: len(rows)},
    )  # fmt: skip


def encode(
    chats: Chats, rows: Sequence[harness.Example], options: Any, seed: int
) -> tuple[list[dict[str, Any]], list[Encoded]]:
    """What TRL's Trainers take, and the encoded answers that it was made of.

    Raises:
        ConfigError, DataError: as :meth:`Chats.training_rows`.
    """
    if options.loss == "dpo":
        chosen = [(row, *pair) for row in rows for pair in pairs(row)]
        good = chats.training_rows([_with(row, text) for row, text, _ in chosen], options)
        bad = chats.training_rows([_with(row, text) for row, _, text in chosen], options)
        return [_pair(*two) for two in zip(good, bad, strict=True)], [*good, *bad]
    judged = [(row, text, good) for row in rows for text, good in _judged(row)]
    # TRL reads them in this order: it is drawn here, once.
    random.Random(seed).shuffle(judged)
    encoded = chats.training_rows([_with(row, text) for row, text, _ in judged], options)
    lines = [_answer(row, good) for row, (_, _, good) in zip(encoded, judged, strict=True)]
    return list(_with_mismatched(lines, options.batch_size)), encoded


def _with(row: harness.Example, answer: str) -> harness.Example:
    """The row as one that teaches this answer; only that to its own reference was thought of."""
    thought = row.thought if row.references and answer == row.references[0] else ""
    return dataclasses.replace(row, references=(answer,), rejected=(), thought=thought)


def _judged(row: harness.Example) -> Iterator[tuple[str, bool]]:
    yield from ((text, True) for text in row.references)
    yield from ((text, False) for text in row.rejected)


def _parts(row: Encoded) -> tuple[list[int], list[int]]:
    """Prompt and answer."""
    begin = next(place for place, label in enumerate(row.labels) if label != IGNORED)
    return row.input_ids[:begin], row.input_ids[begin:]


def _pair(good: Encoded, bad: Encoded) -> dict[str, Any]:
    (prompt, chosen), (other, rejected) = _parts(good), _parts(bad)
    # Where an answer melts into the last token of the prompt, both answers begin there.
    both = zip(prompt, other, strict=False)
    shared = next((n for n, (a, b) in enumerate(both) if a != b), min(len(prompt), len(other)))
    return {
        "prompt_ids": prompt[:shared], "chosen_ids": prompt[shared:] + chosen,
        "rejected_ids": other[shared:] + rejected,
        "length": len(prompt) + len(chosen) + len(rejected),
    }  # fmt: skip


def _answer(row: Encoded, good: bool) -> dict[str, Any]:
    prompt, answer = _parts(row)
    length = len(row.input_ids)
    return {"prompt_ids": prompt, "completion_ids": answer, "label": good, "length": length}


def _with_mismatched(lines: Sequence[dict[str, Any]], size: int) -> Iterator[dict[str, Any]]:
    """Each answer with that of its neighbour in the batch, from which KTO estimates its KL term.

    As TRL does it: turned by one within each batch. An answer that is alone in the last one has
    that of the batch before, and not its own.
    """
    for start in range(0, len(lines), size):
        batch = lines[start : start + size]
        for place, line in enumerate(batch):
            other = batch[place - 1] if len(batch) > 1 else lines[start - 1]
            yield {**line, "KL_completion_ids": other["completion_ids"]}


def _need_both(rows: Sequence[dict[str, Any]], loss: str) -> None:
    if not rows:
        raise harness.DataError(
            "no row of train has a chosen and a rejected answer that differ",
            hint="harness docs training says which rows `preference` learns from",
        )
    if loss == "kto" and len({row["label"] for row in rows}) == 1:
        kind = "good" if rows[0]["label"] else "bad"
        raise harness.DataError(
            f"all {len(rows)} answers are {kind}, and KTO learns from the difference",
            hint="rows need bad answers (`rejected`) and good ones (`references`); the trainer "
            "lora learns from good ones alone",
        )


def _adapter(base: harness.Checkpoint, options: Any) -> Any:
    """The adapter that the training starts from, or a fresh one upon the base model.

    Raises:
        ConfigError: the options ask for another adapter than the one that is there.
    """
    if base.kind != "adapter":
        own = {name: getattr(options, name) or usual for name, usual in USUAL.items()}
        return lora.fresh(base, options.model_copy(update=own))
    config = json.loads((Path(base.path) / "adapter_config.json").read_text())
    for name, key in (("r", "r"), ("alpha", "lora_alpha")):
        wanted = getattr(options, name)
        if wanted is not None and wanted != config[key]:
            raise harness.ConfigError(
                f"the adapter that it starts from has {config[key]}, and is trained further as it "
                "is: leave it out",
                where=f"train.{name}",
            )
    model = lora.trainable(base, options.precision)
    return PeftModel.from_pretrained(model, base.path, is_trainable=True)


def _validate(trainer: Any, watch: Watch, context: harness.Context) -> None:
    """Loss, margin and accuracy on the pairs of valid, into the log and the facts."""
    drawn = state.random_states()
    values = trainer.evaluate()
    state.set_random_states(drawn)
    figures = {
        name: values[f"eval_{key}"] for key, name in FIGURES.items() if f"eval_{key}" in values
    }
    at = trainer.state
    watch.write(
        step=at.global_step, epoch=round(at.epoch or 0.0, 4), eval_loss=values["eval_loss"],
        **{f"eval_{name}": value for name, value in figures.items()},
    )  # fmt: skip
    context.note(**{f"valid_{name}": value for name, value in figures.items()})
