"""Preference tuning with TRL: DPO from pairs, KTO from answers that are good or bad."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

import harness
from harness.errors.installing import install_extra
from harness_transformers import arguments, checks
from harness_transformers.lora import SMALLER, AdapterTrainer, LoraTrainer
from harness_transformers.preference.pairs import USUAL, pairs

LEAST = "1.8"
"""The oldest TRL with which its tests were run; the newest was 1.16."""


class PreferenceTrainer(AdapterTrainer):
    """Trains an adapter towards chosen answers and away from rejected ones."""

    name = "preference"
    known_as = ("dpo", "kto", "rlhf", "orpo")
    synonyms: ClassVar[Mapping[str, str]] = {
        **LoraTrainer.synonyms, "loss_type": "loss", "method": "loss",
    }  # fmt: skip
    reported = ("loss", "beta", "learning_rate", "epochs", "batch_size")
    same_pace = ("beta", "learning_rate", "epochs", "scheduler", "warmup", "weight_decay")
    revision = 2
    libraries = ("torch", "transformers", "tokenizers", "peft", "accelerate", "trl")
    accepts = frozenset({"base", "adapter"})

    class Options(harness.Options):
        train_on: ClassVar[str] = "last"
        dropout: ClassVar[float] = 0.0  # TRL switches it off, as both models have to agree
        loss: Literal["dpo", "kto"] = Field(
            default="dpo",
            description="`dpo`: pairs, the reference of a row against each of its rejected "
            "answers; `kto`: each reference as a good answer, each rejected one as a bad one",
        )
        beta: float = Field(
            default=0.1, gt=0, description="how strongly the model is held to the reference model"
        )
        good_weight: float = Field(default=1.0, gt=0, description="weight of good answers (`kto`)")
        bad_weight: float = Field(default=1.0, gt=0, description="weight of bad answers (`kto`)")
        r: int | None = Field(
            default=None, ge=1,
            description="rank of an adapter that is begun here (16); one that a trainer before "
            "this one made is trained further as it is",
        )  # fmt: skip
        alpha: float | None = Field(default=None, gt=0, description="likewise its scale (32)")
        target_modules: str | list[str] | None = Field(
            default=None, description="likewise its layers (`all-linear`)"
        )
        learning_rate: float = Field(default=5e-5, gt=0, description="highest learning rate")
        epochs: float = Field(default=1, gt=0, description="passes over the pairs")
        batch_size: int = Field(
            default=4, ge=1, description="pairs (`kto`: answers, 2 or more) per forward pass"
        )
        accumulation: int = Field(default=2, ge=1, description="forward passes per step")
        precision: Literal["auto", "bf16", "fp32"] = Field(
            default="auto",
            description="`bf16`, `fp32`, or `auto`: bf16 where the device is fast at it",
        )
        scheduler: str = Field(
            default="cosine", description="learning-rate schedule, as transformers names it"
        )
        warmup: float = Field(default=0.05, ge=0, lt=1, description="share of steps to warm up")
        weight_decay: float = Field(default=0.0, ge=0, description="weight decay")
        max_length: int = Field(
            default=1024, ge=8, description="longest prompt with an answer, in tokens"
        )
        on_truncated: Literal["refuse", "count"] = Field(
            default="refuse",
            description="where `max_length` cuts an answer: `refuse` to train, or `count` "
            "such answers",
        )
        quantization: Literal["4bit", "8bit"] | None = Field(
            default=None,
            description="as of `lora`, whose choice holds where that comes before",
        )
        args: dict[Annotated[str, AfterValidator(arguments.allowed)], Any] = Field(
            default={}, description="further keys of transformers' `TrainingArguments`"
        )

    options: Options

    def environment(self) -> Mapping[str, str]:
        """See :meth:`harness.Plugin.environment`."""
        from harness_transformers import devices

        return devices.environment(self.options.precision)

    def learns(self, row: harness.Example) -> bool:
        """See :meth:`harness.Trainer.learns`: DPO takes pairs, KTO any answer."""
        if self.options.loss == "kto":
            return bool(row.references or row.rejected)
        return bool(row.references) and bool(pairs(row))

    def rendered(
        self,
        base: harness.Checkpoint,
        rows: Sequence[harness.Example],
        context: harness.Context,
    ) -> Iterator[harness.Rendered]:
        """See :meth:`harness.Trainer.rendered`: with its good answer, else with a bad one."""
        shown = [
            row if row.references or not self.learns(row)
            else dataclasses.replace(row, references=row.rejected[:1]) for row in rows
        ]  # fmt: skip
        yield from super().rendered(base, shown, context)

    def schedule(self, rows: int) -> harness.Schedule | None:
        """See :meth:`harness.Trainer.schedule`: where each row is one pair."""
        return arguments.schedule(self.options, rows) if self.options.loss == "dpo" else None

    def check(self, settings: Mapping[str, Any]) -> Iterator[harness.Problem]:
        """TRL is there; the adapter of a trainer before this one is what the options say."""
        options = self.options
        if lack := missing():
            yield harness.Problem(lack, level="environment")
        if options.loss == "kto" and options.batch_size < 2:
            message = "KTO compares an answer with others of its batch: 2 or more are needed"
            yield harness.Problem(message, ("batch_size",))
        trainers = harness.trainers_in(settings)
        first = trainers[0] if trainers else {}
        before = first if first.get("plugin") != self.name else {}
        if settings.get("replay") and not before and first.get("loss") == options.loss == "dpo":
            message = (
                "DPO learns from pairs, and general rows (`replay`) are none: leave replay out, or "
                "put a trainer before it that learns them, such as lora"
            )
            yield harness.Problem(message, ("loss",))
        for name in USUAL:
            own, other = getattr(options, name), before.get(name)
            if own is not None and other is not None and own != other:
                message = (
                    f"the adapter of '{before['plugin']}' has {other!r} and is trained further "
                    "as it is: leave it out"
                )
                yield harness.Problem(message, (name,))
        folder = checks.folder_of(settings.get("model", {}))
        if folder is not None and options.target_modules is not None and not before:
            yield from checks.target_problems(options.target_modules, folder)
        yield from super().check(settings)

    def train(
        self,
        base: harness.Checkpoint,
        train: Sequence[harness.Example],
        valid: Sequence[harness.Example],
        context: harness.Context,
    ) -> harness.Checkpoint:
        """See :meth:`harness.Trainer.train`; the reference model is what it starts from.

        Raises:
            ConfigError: the chat template ends no answer, or the adapter that it starts from is
                another one than the options say.
            DataError: an answer would be cut, or has no end; no pair, or no good or no bad answer.
            EnvironmentFailure: TRL is missing or too old, or memory is not enough.
            PluginError: the loss is not finite.
        """
        if lack := missing():
            raise harness.EnvironmentFailure(lack)
        from harness_transformers import allocation, memory
        from harness_transformers.quiet import quietly

        short = memory.told("to train this model on a pair", SMALLER)
        with allocation.kept(), short, quietly():
            from harness_transformers.preference import learning

            return learning.train(self, base, train, valid, context)


def missing() -> str:
    """What is missing of TRL, with the command that installs it; empty where nothing is."""
    try:
        version = importlib.metadata.version("trl")
    except importlib.metadata.PackageNotFoundError:
        return f"needs the package trl, which is not installed here: {install_extra('preference')}"
    from packaging.version import Version

    if Version(version) >= Version(LEAST):
        return ""
    return f"needs trl {LEAST} or newer, and {version} is installed: {install_extra('preference')}"
