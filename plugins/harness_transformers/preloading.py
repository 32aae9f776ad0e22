"""Loads once, in the run's worker, what its jobs share: libraries, chats, weights."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import harness
from harness_transformers.shared import CHATS, KEPT, key


def preload(checkpoint: harness.Checkpoint | None, precision: str, modules: Sequence[str]) -> None:
    """Import libraries, and keep chats and weights of a checkpoint's base.

    Args:
        checkpoint: None: libraries alone.
        precision: of the weights, as options name it.
        modules: those that the work needs.
    """
    from harness_transformers import allocation, devices
    from harness_transformers.quiet import quietly

    with allocation.kept():
        # A process that has looked at a GPU cannot be forked, and some libraries look when they
        # are imported. Not measured: there was no GPU to try it with.
        if not devices.only_cpu():
            return
        with quietly():
            for module in modules:
                importlib.import_module(module)
            if checkpoint is not None:
                _keep(checkpoint, precision)


def _keep(checkpoint: harness.Checkpoint, precision: str) -> None:
    """Keep one base's chats and weights, in place of any other's."""
    import torch

    from harness_transformers import devices, loading
    from harness_transformers.chats import Chats

    if checkpoint.info.get(loading.QUANTIZATION) or checkpoint.info.get("trust_remote_code"):
        return  # what else the code of others loads, starts or changes cannot be known
    dtype = devices.dtype_of(precision)
    chats, weights = key(checkpoint, CHATS), key(checkpoint, str(dtype))
    for other in KEPT.keys() - {chats, weights}:
        del KEPT[other]
    if chats not in KEPT:
        KEPT[chats] = Chats.of(checkpoint)
    if weights not in KEPT:
        drawn = torch.get_rng_state()
        model = loading.base_of(checkpoint, dtype)
        if loading.quantised(model) or not torch.equal(drawn, torch.get_rng_state()):
            torch.set_rng_state(drawn)  # and not all of its weights are the files'
        else:
            KEPT[weights] = model
