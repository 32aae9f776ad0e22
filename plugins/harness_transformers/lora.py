"""LoRA fine-tuning: transformers' Trainer, PEFT, Accelerate; 4-bit and 8-bit by bitsandbytes."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

import harness
from harness_transformers import arguments, checks, ranks
from harness_transformers.stopping import EarlyStop, needs_validation

SMALLER = (
    "lower train.max_length or train.r, take a smaller model or train.quantization: 4bit, or "
    "close other programs; the same command goes on"
)
"""What to do where memory is short."""


class AdapterTrainer(harness.Trainer):
    """What trainers of an adapter have in common.

    Attributes:
        options: with ``quantization``, ``scheduler``, ``args``, and what
            :meth:`harness_transformers.chats.Chats.training_rows` asks for.
    """

    produces = "adapter"
    libraries: ClassVar[Sequence[str]] = ()
    options: Any

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        if self.options.quantization is not None:
            self.libraries = (*self.libraries, "bitsandbytes")  # type: ignore[misc]

    def loading(self) -> Mapping[str, Any]:
        """See :meth:`harness.Trainer.loading`: answers come from the base that is trained on."""
        bits = self.options.quantization
        return {} if bits is None else {"quantization": bits}

    def check(self, settings: Mapping[str, Any]) -> Iterator[harness.Problem]:
        """Names of schedules and arguments, trackers and packages that are not there."""
        options = self.options
        yield from arguments.misnamed(options.scheduler, options.args)
        yield from arguments.missing_trackers(options.args)
        if options.quantization and importlib.util.find_spec("bitsandbytes") is None:
            message = "needs the package bitsandbytes, which is not installed here"
            yield harness.Problem(message, ("quantization",), "environment")

    def rendered(
        self,
        base: harness.Checkpoint,
        rows: Sequence[harness.Example],
        context: harness.Context,
    ) -> Iterator[harness.Rendered]:
        """See :meth:`harness.Trainer.rendered`.

        Raises:
            ConfigError: the chat template cannot be used, or ends no answer.
        """
        from harness_transformers.quiet import quietly

        with quietly():
            from harness_transformers import rendering
            from harness_transformers.chats import Chats

            chats = Chats.of(base)
        yield from rendering.rendered(chats, rows, self.options, context)


class LoraTrainer(AdapterTrainer):
    """Trains a LoRA adapter on the assistant's tokens."""

    name = "lora"
    known_as = ("peft", "qlora", "sft", "trl", "unsloth")
    synonyms: ClassVar[Mapping[str, str]] = {
        "lora_r": "r", "rank": "r", "lora_alpha": "alpha", "lora_dropout": "dropout",
        "num_epochs": "epochs", "num_train_epochs": "epochs", "n_epochs": "epochs",
        "per_device_train_batch_size": "batch_size", "train_batch_size": "batch_size",
        "gradient_accumulation_steps": "accumulation", "grad_accum": "accumulation",
        "lr_scheduler_type": "scheduler", "lr_scheduler": "scheduler", "warmup_ratio": "warmup",
        "max_seq_length": "max_length", "max_seq_len": "max_length", "cutoff_len": "max_length",
        "load_in_4bit": "quantization", "load_in_8bit": "quantization", "bits": "quantization",
        "dtype": "precision", "torch_dtype": "precision", "bf16": "precision", "fp16": "precision",
    }  # fmt: skip
    reported = ("r", "alpha", "learning_rate", "epochs", "batch_size")
    same_pace = (
        "r", "alpha", "learning_rate", "epochs", "scheduler", "warmup", "weight_decay",
        "on_truncated", "early_stop", "keep",
    )  # fmt: skip
    revision = 3
    unkeyed: ClassVar[Mapping[str, str]] = {
        "processes": "`environment()` says how many there are",
        "strategy": "`environment()` says it, where there are several processes",
        "rank_timeout": "says when a process that is silent is taken for dead",
        "check_rows": "says how many rows are answered once the training is done",
    }
    libraries = ("torch", "transformers", "tokenizers", "peft", "accelerate")

    class Options(harness.Options):
        r: int = Field(default=16, ge=1, description="rank of the adapter")
        alpha: float = Field(default=32, gt=0, description="scale of the adapter: alpha / r")
        dropout: float = Field(
            default=0.0, ge=0, lt=1, description="dropout on the adapter's input"
        )
        target_modules: str | list[str] = Field(
            default="all-linear", description="names of layers, or `all-linear`"
        )
        learning_rate: float = Field(default=3e-4, gt=0, description="highest learning rate")
        epochs: float = Field(default=2, gt=0, description="passes over train")
        batch_size: int = Field(
            default=8, ge=1, description="rows per forward pass, of all processes together"
        )
        accumulation: int = Field(default=1, ge=1, description="forward passes per step")
        precision: Literal["auto", "bf16", "fp32"] = Field(
            default="auto",
            description="`bf16`, `fp32`, or `auto`: bf16 where the device is fast at it",
        )
        scheduler: str = Field(
            default="cosine", description="learning-rate schedule, as transformers names it"
        )
        warmup: float = Field(default=0.05, ge=0, lt=1, description="share of steps to warm up")
        weight_decay: float = Field(default=0.0, ge=0, description="weight decay")
        max_length: int = Field(default=1024, ge=8, description="longest row, in tokens")
        on_truncated: Literal["refuse", "count"] = Field(
            default="refuse",
            description="where `max_length` cuts an answer: `refuse` to train, or `count` "
            "such rows",
        )
        train_on: Literal["last", "all"] = Field(
            default="last", description="learn the `last` assistant turn, or `all` of them"
        )
        quantization: Literal["4bit", "8bit"] | None = Field(
            default=None,
            description="`4bit` or `8bit`: load the base model so (bitsandbytes), in round "
            "0, in training and for every answer",
        )
        processes: ranks.Processes = Field(
            default="auto",
            description="processes that share each step ([processes.md](processes.md)); `auto`: "
            "one for each visible GPU, one on a CPU. Part of the result where it is not 1",
        )
        strategy: Literal["ddp", "fsdp"] = Field(
            default="ddp", description="each process holds the base model, or a part of it"
        )
        rank_timeout: ranks.Timeout = ranks.TIMEOUT
        early_stop: EarlyStop | None = Field(
            default=None,
            description="`{patience: 3, min_delta: 0}` ends the training once the "
            "validation loss was not lower by more than `min_delta` in "
            "`patience` validations in a row "
            "([Training](training.md#stopping-early-keeping-the-best))",
        )
        keep: Literal["last", "best"] = Field(
            default="last",
            description="save the adapter of the `last` step, or that with the least "
            "validation loss (`best`)",
        )
        by: Literal["loss", "primary"] = Field(
            default="loss",
            description="what is `best`: the validation `loss`, or the `primary` score of answers "
            "to rows of valid ([Training](training.md#keeping-what-scores-best))",
        )
        checks: int | None = Field(
            default=None,
            ge=1,
            le=50,
            description="with `by: primary`: checkpoints to choose from, evenly spaced; by default "
            "one at the end of each epoch",
        )
        check_rows: int = Field(
            default=60,
            ge=2,
            description="with `by: primary`: rows of valid that each checkpoint answers, at most",
        )
        args: dict[Annotated[str, AfterValidator(arguments.allowed)], Any] = Field(
            default={},
            description="further keys of transformers' `TrainingArguments`; those that the "
            "harness owns are refused by name",
        )

    options: Options

    def environment(self) -> Mapping[str, str]:
        """See :meth:`harness.Plugin.environment`."""
        from harness_transformers import devices

        count = ranks.count(self.options.processes, "train.processes")
        shared = ranks.environment(count, self.options.strategy)
        return {**devices.environment(self.options.precision), **shared}

    def preload(self, checkpoint: harness.Checkpoint | None) -> None:
        """See :meth:`harness.Plugin.preload`."""
        from harness_transformers import preloading

        if self.options.processes not in ("auto", 1):
            return  # each loads for itself
        modules = ["harness_transformers.training", "harness_transformers.layouts"]
        preloading.preload(checkpoint, self.options.precision, modules)

    def check(self, settings: Mapping[str, Any]) -> Iterator[harness.Problem]:
        """Layers, trackers and packages that are not there."""
        options = self.options
        folder = checks.folder_of(settings.get("model", {}))
        if folder is not None:
            yield from checks.target_problems(options.target_modules, folder)
        elif options.target_modules != checks.ALL_LINEAR:
            message = "the model is not on this machine yet: whether it has these layers shows then"
            yield harness.Problem(message, ("target_modules",), "unknown")
        yield from super().check(settings)
        if options.by == "primary" and options.keep == "last":
            yield harness.Problem("no effect without keep: best", ("by",), "note")
        if options.by == "loss" and options.checks is not None:
            yield harness.Problem("no effect without by: primary", ("checks",), "note")
        option = needs_validation(options.early_stop, options.keep)
        if option and settings.get("valid") == 0:
            message = "needs validation rows: valid is 0, so the source has to give some"
            yield harness.Problem(message, (option,), "unknown")
        if options.quantization and options.strategy == "fsdp":
            message = f"weights of {options.quantization} cannot be cut into parts: use ddp"
            yield harness.Problem(message, ("strategy",))
        elif options.strategy == "fsdp" and options.processes == 1:
            yield harness.Problem("no effect with one process", ("strategy",), "note")
        count, rows = options.processes, options.batch_size
        if count != "auto" and rows % count:
            message = (
                f"{rows} rows are no multiple of {count} processes: some get fewer than others"
            )
            yield harness.Problem(message, ("batch_size",), "note")

    def train(
        self,
        base: harness.Checkpoint,
        train: Sequence[harness.Example],
        valid: Sequence[harness.Example],
        context: harness.Context,
    ) -> harness.Checkpoint:
        """See :meth:`harness.Trainer.train`.

        Raises:
            ConfigError: the chat template ends an answer with nothing that stops generation, or an
                option asks for the validation loss, and there are no rows for it.
            DataError: a row has nothing to learn, its answer would be cut, or it has no end.
            PluginError: the loss is not finite.
            EnvironmentFailure: the memory is not enough for a single row, or one of several
                processes was killed or hangs.
        """
        base = dataclasses.replace(base, info={**base.info, **self.loading()})
        count = ranks.count(self.options.processes, "train.processes")
        if count == 1:
            return self.work(base, train, valid, context)
        from harness_transformers.ranks import launching

        answers = launching.spread(
            self, "train",
            {name: [list(map(harness.to_json, rows))]
             for name, rows in (("train", train), ("valid", valid))},
            {"base": harness.to_json(base)}, context, count, self.options.rank_timeout,
        )  # fmt: skip
        return harness.from_json(harness.Checkpoint, answers[0])

    def work(
        self,
        base: harness.Checkpoint,
        train: Sequence[harness.Example],
        valid: Sequence[harness.Example],
        context: harness.Context,
        rank: Any = None,
    ) -> harness.Checkpoint:
        """What one process does of a training.

        Args:
            base: with how it is loaded (:meth:`loading`).
            train, valid: all rows, in every process.
            rank: which of several it is, a :class:`harness_transformers.ranks.exchange.Ranks`.
        """
        from harness_transformers import allocation, memory
        from harness_transformers.quiet import quietly

        short = memory.told("to train this model, row by row", SMALLER)
        with allocation.kept(), short, quietly():
            return self._train(base, train, valid, context, rank)

    def schedule(self, rows: int) -> harness.Schedule:
        """See :meth:`harness.Trainer.schedule`."""
        return arguments.schedule(self.options, rows)

    def choice(self) -> harness.Choice | None:
        """See :meth:`harness.Trainer.choice`."""
        options = self.options
        if options.keep == "last" or options.by == "loss":
            return None
        return harness.Choice(options.checks or math.ceil(options.epochs), options.check_rows)

    def _train(
        self, base: harness.Checkpoint, train: Any, valid: Any, context: harness.Context, rank: Any
    ) -> harness.Checkpoint:
        from transformers import set_seed

        from harness_transformers import (
            checkpoints,
            decisions,
            layouts,
            leaving,
            memory,
            resuming,
            trackers,
            training,
        )
        from harness_transformers.chats import Chats
        from harness_transformers.ranks.exchange import ALONE

        options, ranks_here = self.options, rank or ALONE
        if not valid and (option := needs_validation(options.early_stop, options.keep)):
            raise harness.ConfigError(
                "asks for the validation loss, and there are no validation rows",
                where=f"train.{option}", hint="valid: 0.1 sets a tenth of train aside",
            )  # fmt: skip
        set_seed(context.seed)
        chats = Chats.of(base)
        rows = chats.training_rows(train, options)
        held = chats.training_rows(valid, options)
        settings = arguments.make(options, context)
        model = self._adapted(base)
        belongs = checkpoints.belonging(
            rows, held, self.libraries,
            base=base.digest, seed=context.seed,
            **ranks.environment(ranks_here.size, options.strategy),
            options=options.model_dump(mode="json", exclude=set(self.unkeyed)),
        )  # fmt: skip
        pad = chats.tokenizer.pad_token_id
        by_loss = options.keep == "best" and options.by == "loss"
        decided = decisions.Decisions(model, options.early_stop, keep_best=by_loss)
        with (
            layouts.chosen(model, pad, [*rows, *held], settings.device.type) as layout,
            trackers.guarded(settings, context) as followers,
        ):
            trainer = training.make(
                model, layout, settings, rows, held, context, decided, ranks_here
            )
            left = leaving.Leaving(model, options.checks) if self.choice() else None
            if left is not None:
                trainer.add_callback(left)
                trainer.remembering.append(left)
            for follower in followers:
                trainer.add_callback(follower)
            resuming.train(trainer, context, belongs)
        if trainer.at_once.halved:
            context.remark(
                f"memory ran out in training: the {options.batch_size} rows of a batch were "
                f"computed {trainer.at_once.rows} at a time; each step learned from all of them"
            )
        write_adapter(model, context.output)
        if left is not None:
            left.write(lambda step: write_adapter(model, context.leave(step)))
        trained_tokens = sum(row.trained for row in rows)
        truncated = sum(row.truncated for row in rows)
        of_adapter = sum(p.numel() for p in model.parameters() if p.requires_grad)
        context.note(
            trained_tokens=trained_tokens, truncated_rows=truncated, trained_parameters=of_adapter
        )
        context.note(**decided.facts, **ranks_here.facts())
        context.note(
            tokens=round(sum(len(row.input_ids) for row in rows) * (trainer.state.epoch or 0)),
            memory=max(ranks_here.gathered(memory.peak(settings.device.type) or 0)) or None,
            parameters=model.get_base_model().num_parameters() - of_adapter,
        )
        return harness.Checkpoint(
            "adapter", str(context.output), "", base.name, base_path=base.path,
            template=chats.template,
            info={
                **base.info, "trained_tokens": trained_tokens, "truncated_rows": truncated,
            },
        )  # fmt: skip

    def _adapted(self, base: harness.Checkpoint) -> Any:
        """The base model with a fresh adapter upon it, whose layers are one operation each."""
        from harness_transformers import fused

        adapted = fresh(base, self.options)
        fused.fuse(adapted)
        return adapted


def trainable(base: harness.Checkpoint, precision: str) -> Any:
    """The base model's weights, ready for an adapter that is trained upon them."""
    from peft import prepare_model_for_kbit_training

    from harness_transformers import devices, loading

    model = loading.base_of(base, devices.dtype_of(precision))
    if loading.quantised(model):
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
        loading.keep_gradients(model)
    model.config.use_cache = False
    return model


def fresh(base: harness.Checkpoint, options: Any) -> Any:
    """The base model with a fresh adapter upon it.

    Args:
        options: with ``r``, ``alpha``, ``dropout``, ``target_modules`` and ``precision``.

    Raises:
        ConfigError: the model has not the layers, or of kinds that PEFT cannot adapt.
    """
    from peft import LoraConfig, get_peft_model

    targets = options.target_modules
    config = LoraConfig(
        r=options.r,
        lora_alpha=options.alpha,
        lora_dropout=options.dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        task_type="CAUSAL_LM",
    )
    try:
        adapted = get_peft_model(trainable(base, options.precision), config)
    except ValueError as error:  # no layer at all, or one of a kind that PEFT cannot adapt
        raise harness.ConfigError(str(error), where="train.target_modules") from error
    _all_found(targets, adapted)
    return adapted


def _all_found(targets: str | Sequence[str], adapted: Any) -> None:
    """PEFT is content with one name that it finds.

    Raises:
        ConfigError: some of the names are those of no layer.
    """
    layers = adapted.base_model.targeted_module_names
    names = [] if isinstance(targets, str) else targets
    missing = [n for n in names if not any(m == n or m.endswith(f".{n}") for m in layers)]
    if missing:
        raise harness.ConfigError(
            f"the model has no layer {', '.join(map(repr, missing))}", where="train.target_modules"
        )


def write_adapter(model: Any, folder: Path) -> None:
    """Write the adapter as a checkpoint that is the same on each machine."""
    model.save_pretrained(str(folder), save_embedding_layers=False)
    # PEFT writes a model card to be filled in; the harness makes its own when it exports.
    (folder / "README.md").unlink(missing_ok=True)
    portable(folder)


def portable(folder: Path) -> None:
    """Take out of the adapter's config what differs between machines and processes."""
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    config["base_model_name_or_path"] = None  # a path of this machine
    if isinstance(config["target_modules"], list):
        config["target_modules"].sort()  # PEFT's set, in the order of this process's hashes
    path.write_text(json.dumps(config, indent=1, sort_keys=True))
