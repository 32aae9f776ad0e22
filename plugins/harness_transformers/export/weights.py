"""The files of an export: tokenizer with template, and an adapter or merged weights."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch

import harness
from harness.kit.files import read_json, write_json
from harness.kit.inside import inside
from harness_transformers import adapters, loading
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


def write_merged(tuned: harness.Checkpoint, folder: Path, dtype: str | None) -> tuple[str, float]:
    """Whole weights.

    Args:
        dtype: as torch calls it; None: that of the base model's weights.

    Returns:
        Their type, and what rounding did to the update (:func:`adapters.merged`).

    Raises:
        UsageError: the base model's weights are of a type that cannot be checked.
    """
    model, lost = adapters.merged(_adapted(tuned), dtype and getattr(torch, dtype))
    written = str(model.dtype).removeprefix("torch.")
    if written not in LIMITS:
        raise harness.UsageError(
            f"--merge: the base model's weights are of type {written}",
            hint=f"--dtype names another: {', '.join(LIMITS)}",
        )
    model.save_pretrained(folder)
    for path in folder.glob("*.safetensors"):  # which the library lets their owner alone read
        path.chmod(folder.stat().st_mode & 0o666)
    write_legal(tuned, folder)
    return written, lost


def write_legal(tuned: harness.Checkpoint, folder: Path) -> None:
    """Licence and notices of the base model."""
    for pattern in LEGAL:
        for path in Path(str(tuned.base_path)).glob(pattern):
            if path.is_file():
                shutil.copyfile(path, inside(folder, path.name))


def _adapted(tuned: harness.Checkpoint) -> Any:
    """The adapter upon the base model's weights, in their own type."""
    from peft import PeftModel

    return PeftModel.from_pretrained(loading.base_of(tuned, "auto"), tuned.path)


@torch.no_grad()
def strange(tuned: harness.Checkpoint, model: Any) -> list[str]:
    """Weights that are not, to the bit, what PEFT's own merge in float32 gives, rounded once.

    Layers whose merged weights do not answer as the layer does with the adapter beside it are
    named as well.

    Args:
        model: the merged weights, as they were written.
    """
    adapted = _adapted(tuned).eval()
    layers = adapters.layers_of(adapted)
    names = {f"{name}.weight" for name, layer in layers.items() if not _merges(layer)}
    due, written = adapted.merge_and_unload().state_dict(), model.state_dict()
    names |= due.keys() ^ written.keys()
    for name in due.keys() & written.keys():
        if not torch.equal(due[name].to(written[name].dtype), written[name]):
            names.add(name)
    return sorted(names)


def _merges(layer: Any) -> bool:
    """Merge a layer in float32; whether it answers as before, up to rounding.

    Layers that are no linear ones are taken as they are.
    """
    from transformers.pytorch_utils import Conv1D

    base = layer.get_base_layer()
    adapters.in_float32(base)
    if not isinstance(base, (torch.nn.Linear, Conv1D)):
        layer.merge()
        return True
    x = torch.randn(4, layer.in_features, generator=torch.Generator().manual_seed(1))
    alone, beside = base(x), layer(x)
    layer.merge()
    apart = (base(x) - beside).norm()
    return bool(apart <= 0.01 * (beside - alone).norm() + 1e-5 * beside.norm())
