"""Models, training and generation with transformers, PEFT, Accelerate and bitsandbytes."""

from __future__ import annotations

import harness
from harness_transformers.folders import HubModel, LocalModel
from harness_transformers.generator import TransformersGenerator
from harness_transformers.lora import LoraTrainer
from harness_transformers.pypi import PypiModel


@harness.hookimpl
def register_models():
    return [PypiModel, HubModel, LocalModel]


@harness.hookimpl
def register_trainers():
    return [LoraTrainer]


@harness.hookimpl
def register_generators():
    return [TransformersGenerator]
