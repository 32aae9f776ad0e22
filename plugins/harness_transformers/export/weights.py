"""The files of an export: tokenizer with template, and an adapter or merged weights."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path
from typing import Any

import harness
from harness.kit.files import read_json, write_json
from harness_transformers import loading
from harness_transformers.export.origin import ADAPTER

LEGAL = ("LICENSE*", "LICENCE*", "NOTICE*")
"""Files of a base model that go with its weights."""


def write_tokenizer(tuned: harness.Checkpoint, folder: Path) -> None:
    """The tokenizer with the chat template that the model was trained with."""
    loading.tokenizer_of(tuned).save_pretrained(folder)


def write_adapter(tuned: harness.Checkpoint, base: str, folder: Path) -> None:
    """The adapter as it was trained; its config names the base model.

    Args:
        base: where the base model lies, or its id on the hub.
    """
    config, weights = ADAPTER
    shutil.copyfile(Path(tuned.path, weights), folder / weights)
    values = {**read_json(Path(tuned.path, config)), "base_model_name_or_path": base}
    if base == tuned.name and "commit" in tuned.info:
        values["revision"] = tuned.info["commit"]  # PEFT takes it for the base model's
    write_json(folder / config, values)


def write_merged(tuned: harness.Checkpoint, folder: Path) -> float:
    """Whole weights in the base model's type, and what rounding them did to the update.

    Returns:
        The relative error of the update; see :func:`merged`.
    """
    from peft import PeftModel

    base = loading.base_of(tuned, "auto")
    model, lost = merged(PeftModel.from_pretrained(base, tuned.path))
    model.save_pretrained(folder)
    for path in folder.glob("*.safetensors"):  # which the library lets their owner alone read
        path.chmod(folder.stat().st_mode & 0o666)
    for pattern in LEGAL:
        for path in Path(str(tuned.base_path)).glob(pattern):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)
    del base, model
    gc.collect()  # they are loaded again, from the folder
    return lost


def merged(adapted: Any) -> tuple[Any, float]:
    """The base model with the adapter added in float32 and rounded once, to each weight's type.

    Returns:
        The model, and ``|W' - W - D| / |D|`` over all adapted layers (Frobenius norm), where
        ``D`` is the update as it was learned, and ``W`` and ``W'`` the weights before and after.
    """
    from peft.tuners.lora.layer import LoraLayer

    lost = whole = 0.0
    for layer in [module for module in adapted.modules() if isinstance(module, LoraLayer)]:
        weight = layer.get_base_layer().weight
        update = sum(layer.get_delta_weight(name).float() for name in layer.active_adapters)
        exact = weight.detach().float() + update.detach()
        weight.data = exact.to(weight.dtype)
        lost += float((weight.detach().float() - exact).square().sum())
        whole += float(update.square().sum())
    return adapted.unload(), (lost / whole) ** 0.5 if whole else 0.0
