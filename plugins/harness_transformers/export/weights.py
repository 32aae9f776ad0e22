"""The files of an export: tokenizer with template, and an adapter or merged weights."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path
from typing import Any

import torch

import harness
from harness.kit.files import read_json, write_json
from harness_transformers import loading
from harness_transformers.export.origin import ADAPTER
from harness_transformers.export.transfer import LIMITS

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


def write_merged(tuned: harness.Checkpoint, folder: Path, dtype: str | None) -> str:
    """Whole weights, of which :func:`rounding` says what they are worth.

    Args:
        dtype: as torch calls it; None: that of the base model's weights.

    Returns:
        Their type.

    Raises:
        UsageError: the base model's weights are of a type that cannot be checked.
    """
    model = merged(_adapted(tuned), dtype and getattr(torch, dtype))
    written = str(model.dtype).removeprefix("torch.")
    if written not in LIMITS:
        raise harness.UsageError(
            f"--merge: the base model's weights are of type {written}",
            hint=f"--dtype names another: {', '.join(LIMITS)}",
        )
    model.save_pretrained(folder)
    for path in folder.glob("*.safetensors"):  # which the library lets their owner alone read
        path.chmod(folder.stat().st_mode & 0o666)
    for pattern in LEGAL:
        for path in Path(str(tuned.base_path)).glob(pattern):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)
    del model
    gc.collect()  # they are loaded again, from the folder
    return written


def _adapted(tuned: harness.Checkpoint) -> Any:
    """The adapter upon the base model's weights, in their own type."""
    from peft import PeftModel

    return PeftModel.from_pretrained(loading.base_of(tuned, "auto"), tuned.path)


def merged(adapted: Any, dtype: Any = None) -> Any:
    """The base model with the adapter added in float32 and rounded once.

    Args:
        dtype: of all weights; None: each keeps its own.
    """
    for layer in layers_of(adapted).values():
        weight = layer.get_base_layer().weight
        exact = weight.detach().float() + _update(layer)
        weight.data = exact.to(dtype or weight.dtype)
    model = adapted.unload()
    return model if dtype is None else model.to(dtype)


def layers_of(adapted: Any) -> dict[str, Any]:
    """Name of a weight in the base model -> the layer of the adapter upon it."""
    from peft.tuners.lora.layer import LoraLayer

    modules = adapted.get_base_model().named_modules()
    return {f"{name}.weight": layer for name, layer in modules if isinstance(layer, LoraLayer)}


def _update(layer: Any) -> torch.Tensor:
    """What the adapter adds to the weight, in float32."""
    parts = [layer.get_delta_weight(name).detach().float() for name in layer.active_adapters]
    return torch.stack(parts).sum(0)


@torch.no_grad()
def rounding(tuned: harness.Checkpoint, model: Any) -> float:
    """What rounding merged weights did to the update.

    Args:
        model: the merged weights, as they were written.

    Returns:
        ``|W' - W - D| / |D|`` over all adapted layers (Frobenius norm), where ``D`` is the update
        as it was learned, and ``W`` and ``W'`` the weights before and after; 0 where ``D`` is 0.
    """
    after = dict(model.named_parameters())
    lost = whole = 0.0
    for name, layer in layers_of(_adapted(tuned)).items():
        update = _update(layer)
        exact = layer.get_base_layer().weight.float() + update
        lost += float((after[name].float() - exact).square().sum())
        whole += float(update.square().sum())
    return float((lost / whole) ** 0.5) if whole else 0.0


@torch.no_grad()
def strange(tuned: harness.Checkpoint, model: Any) -> list[str]:
    """Weights that are not the base model's, with the adapter's update, rounded once.

    Of the updates themselves those are named that are not what the adapter adds in answering.

    Args:
        model: the merged weights, as they were written.
    """
    adapted = _adapted(tuned).eval()
    layers = layers_of(adapted)
    before = dict(adapted.get_base_model().named_parameters())
    found = []
    for name, weight in model.named_parameters():
        layer = layers.get(name)
        if layer is not None:
            update = _update(layer)
            exact = layer.get_base_layer().weight.float() + update
        elif name in before:
            update, exact = None, before[name]
        else:  # whatever else an adapter may hold
            continue
        right = torch.equal(weight, exact.to(weight.dtype))
        if not right or (update is not None and not _adds(layer, update)):
            found.append(name)
    return found


def _adds(layer: Any, update: torch.Tensor) -> bool:
    """Whether the layer answers with its weight and the update, up to rounding in float32.

    Layers that are no linear ones are taken as they are.
    """
    if not isinstance(layer.get_base_layer(), torch.nn.Linear):
        return True
    layer = layer.float()
    x = torch.randn(4, update.shape[1], generator=torch.Generator().manual_seed(1))
    whole, due = layer(x), torch.nn.functional.linear(x, update)
    apart = (whole - layer.get_base_layer()(x) - due).norm()
    return bool(apart <= 0.01 * due.norm() + 1e-5 * whole.norm())
