"""LoRA fine-tuning: transformers' Trainer, PEFT, Accelerate; 4-bit and 8-bit by bitsandbytes."""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

import harness
from harness.errors import near as harness_near

OWNED = {
    "output_dir": "the stage's folder", "seed": "seed:", "data_seed": "seed:",
    "learning_rate": "learning_rate:", "num_train_epochs": "epochs:",
    "per_device_train_batch_size": "batch_size:", "per_device_eval_batch_size": "batch_size:",
    "gradient_accumulation_steps": "accumulation:", "bf16": "precision:", "fp16": "precision:",
    "lr_scheduler_type": "scheduler:", "warmup_ratio": "warmup:", "warmup_steps": "warmup:",
    "weight_decay": "weight_decay:", "remove_unused_columns": "the collator's needs",
    "logging_nan_inf_filter": "the check for a non-finite loss", "logging_steps": "the log",
    "save_strategy": "the store of artifacts", "resume_from_checkpoint": "the store of artifacts",
    "use_cpu": "the device", "disable_tqdm": "the progress display",
    "eval_strategy": "validation at each epoch",
}  # fmt: skip
"""TrainingArguments that the harness sets, and what to use instead."""


class LoraTrainer(harness.Trainer):
    """Trains a LoRA adapter on the assistant's tokens."""

    name = "lora"
    revision = 2
    produces = "adapter"

    class Options(harness.Options):
        r: int = Field(default=16, ge=1, description="rank of the adapter")
        alpha: float = Field(default=32, gt=0, description="scale: alpha / r")
        dropout: float = Field(default=0.0, ge=0, lt=1, description="dropout on its input")
        target_modules: str | list[str] = Field(
            default="all-linear", description="names of layers, or `all-linear`"
        )
        learning_rate: float = Field(default=3e-4, gt=0, description="highest learning rate")
        epochs: float = Field(default=2, gt=0, description="passes over train")
        batch_size: int = Field(default=8, ge=1, description="rows per forward pass")
        accumulation: int = Field(default=1, ge=1, description="forward passes per step")
        precision: Literal["auto", "bf16", "fp32"] = Field(
            default="auto", description="auto: bf16 where the device is fast at it"
        )
        scheduler: str = Field(default="cosine", description="learning-rate schedule")
        warmup: float = Field(default=0.05, ge=0, lt=1, description="share of steps to warm up")
        weight_decay: float = Field(default=0.0, ge=0, description="weight decay")
        max_length: int = Field(default=1024, ge=8, description="longest row, in tokens")
        on_truncated: Literal["refuse", "count"] = Field(
            default="refuse", description="what to do if max_length cuts an answer"
        )
        train_on: Literal["last", "all"] = Field(
            default="last", description="learn the last assistant turn, or all of them"
        )
        quantization: Literal["4bit", "8bit"] | None = Field(
            default=None, description="load the base model in 4 or 8 bits, for answers too"
        )
        args: dict[str, Any] = Field(
            default={}, description="further TrainingArguments, as transformers names them"
        )

        @field_validator("args")
        @classmethod
        def _free(cls, args: dict[str, Any]) -> dict[str, Any]:
            for key in args:
                if key in OWNED:
                    raise ValueError(f"'{key}' belongs to the harness: use {OWNED[key]}")
            known = _training_arguments() if args else frozenset()
            for key in args if known else ():
                if key not in known:
                    near = harness_near(key, sorted(known))
                    raise ValueError(f"transformers has no TrainingArguments key '{key}'{near}")
            return args

    options: Options

    def loading(self) -> Mapping[str, Any]:
        """See :meth:`harness.Trainer.loading`: answers come from the base that is trained on."""
        bits = self.options.quantization
        return {} if bits is None else {"quantization": bits}

    def train(
        self,
        base: harness.Checkpoint,
        train: Sequence[harness.Example],
        valid: Sequence[harness.Example],
        context: harness.Context,
    ) -> harness.Checkpoint:
        """See :meth:`harness.Trainer.train`.

        Raises:
            ConfigError: the chat template ends an answer with nothing that stops generation.
            DataError: a row has nothing to learn, its answer would be cut, or it has no end.
            PluginError: the loss is not finite.
        """
        from harness_transformers.quiet import quietly

        base = dataclasses.replace(base, info={**base.info, **self.loading()})
        with quietly():
            return self._train(base, train, valid, context)

    def _train(
        self, base: harness.Checkpoint, train: Any, valid: Any, context: harness.Context
    ) -> harness.Checkpoint:
        from transformers import set_seed

        from harness_transformers import training
        from harness_transformers.chats import Chats

        options = self.options
        set_seed(context.seed)
        chats = Chats.of(base)
        rows = chats.training_rows(train, options)
        held = chats.training_rows(valid, options)
        arguments = self._arguments(context)
        model = self._adapted(base)
        trainer = training.make(model, chats.tokenizer, arguments, rows, held, context)
        trainer.train()
        context.check()
        model.save_pretrained(str(context.output), save_embedding_layers=False)
        (context.output / "README.md").unlink(missing_ok=True)
        trained = sum(row.trained for row in rows)
        cut = sum(row.truncated for row in rows)
        parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
        context.note(trained_tokens=trained, truncated_rows=cut, trained_parameters=parameters)
        _portable(context.output)
        return harness.Checkpoint(
            "adapter", str(context.output), "", base.name, base_path=base.path,
            template=chats.template,
            info={**base.info, "trained_tokens": trained, "truncated_rows": cut},
        )  # fmt: skip

    def _adapted(self, base: harness.Checkpoint) -> Any:
        """The base model with a fresh adapter upon it."""
        from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

        from harness_transformers import fused, loading

        options = self.options
        model = loading.base_of(base, loading.dtype_of(options.precision))
        if base.info.get(loading.QUANTIZATION):
            model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
        model.config.use_cache = False
        targets = options.target_modules
        config = LoraConfig(
            r=options.r,
            lora_alpha=options.alpha,
            lora_dropout=options.dropout,
            target_modules=targets if isinstance(targets, str) else list(targets),
            task_type="CAUSAL_LM",
        )
        adapted = get_peft_model(model, config)
        fused.fuse(adapted)
        return adapted

    def _arguments(self, context: harness.Context) -> Any:
        import torch
        from transformers import TrainingArguments

        options = self.options
        owned = {
            "output_dir": str(context.output),
            "seed": context.seed,
            "learning_rate": options.learning_rate,
            "num_train_epochs": options.epochs,
            "per_device_train_batch_size": options.batch_size,
            "per_device_eval_batch_size": options.batch_size,
            "gradient_accumulation_steps": options.accumulation,
            "lr_scheduler_type": options.scheduler,
            "warmup_steps": options.warmup,
            "weight_decay": options.weight_decay,
            "use_cpu": not torch.cuda.is_available(),
            "remove_unused_columns": False,
            "logging_nan_inf_filter": False,
            "logging_steps": 1,
            "save_strategy": "no",
            "eval_strategy": "no",
            "disable_tqdm": True,
        }
        free: Mapping[str, Any] = {
            "report_to": "none",
            "train_sampling_strategy": "group_by_length",
            "length_column_name": "length",
            "dataloader_pin_memory": False,
            **options.args,
        }
        try:
            return TrainingArguments(**owned, **free)
        except (TypeError, ValueError, ImportError) as error:
            raise harness.ConfigError(
                f"transformers refuses these settings: {error}",
                where="train.args" if options.args else "train",
            ) from error


def _portable(folder: Path) -> None:
    """Take out of the adapter's config what differs between machines and processes."""
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    config["base_model_name_or_path"] = None
    if isinstance(config["target_modules"], list):
        config["target_modules"].sort()
    path.write_text(json.dumps(config, indent=1, sort_keys=True))


@functools.cache
def _training_arguments() -> frozenset[str]:
    """The keys of transformers' TrainingArguments, read from its source.

    Importing it takes seconds, too long for checking a config. Empty if there is no source.
    """
    spec = importlib.util.find_spec("transformers")
    if spec is None or not spec.origin:
        return frozenset()
    try:
        tree = ast.parse((Path(spec.origin).parent / "training_args.py").read_bytes())
    except (OSError, SyntaxError):
        return frozenset()
    return frozenset(
        line.target.id
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == "TrainingArguments"
        for line in node.body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    )
