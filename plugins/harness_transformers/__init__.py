"""Models, training and generation with transformers, PEFT, Accelerate and bitsandbytes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import harness
from harness_transformers.folders import HubModel, LocalModel
from harness_transformers.generator import TransformersGenerator
from harness_transformers.llamacpp.generator import LlamaCppGenerator
from harness_transformers.lora import LoraTrainer
from harness_transformers.preference.trainer import PreferenceTrainer
from harness_transformers.pypi import PypiModel


@harness.hookimpl
def register_models() -> list[type[harness.ModelProvider]]:
    return [PypiModel, HubModel, LocalModel]


@harness.hookimpl
def register_trainers() -> list[type[harness.Trainer]]:
    return [LoraTrainer, PreferenceTrainer]


@harness.hookimpl
def register_generators() -> list[type[harness.Generator]]:
    return [TransformersGenerator, LlamaCppGenerator]


@harness.hookimpl
def commands_for_model(run: str, model: harness.Checkpoint) -> Sequence[str]:
    """``harness export``, which knows adapters in PEFT's format."""
    from harness_transformers.export.origin import ADAPTER

    exported = all((Path(model.path) / name).is_file() for name in ADAPTER)
    return [shlex.join(["harness", "export", run, "-o", "model"])] if exported else []
