"""What the jobs of a run share, loaded once in the run's worker: libraries, chats, weights.

Each job works in a fork of the worker. It takes what is kept here, and changes it as it likes:
the worker, and with it the next job, has its own. Where no process is forked nothing is kept, and
every job loads what it needs.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import harness

CHATS = "chats"
_kept: dict[str, Any] = {}
"""Keys (:func:`_key`) and what was loaded: the chats and the weights of one base."""


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
    chats, weights = _key(checkpoint, CHATS), _key(checkpoint, str(dtype))
    for key in _kept.keys() - {chats, weights}:
        del _kept[key]
    if chats not in _kept:
        _kept[chats] = Chats.of(checkpoint)
    if weights not in _kept:
        drawn = torch.get_rng_state()
        model = loading.base_of(checkpoint, dtype)
        if loading.quantised(model) or not torch.equal(drawn, torch.get_rng_state()):
            torch.set_rng_state(drawn)  # and not all of its weights are the files'
        else:
            _kept[weights] = model


def taken(checkpoint: harness.Checkpoint, what: str) -> Any:
    """What was kept of a checkpoint's base, or None. It is the caller's, who may change it.

    Args:
        what: :data:`CHATS`, or the type of the weights.
    """
    return _kept.pop(_key(checkpoint, what), None) if _kept else None


def _key(checkpoint: harness.Checkpoint, what: str) -> str:
    """The base's folder, its files as they are now, and what the config says of chats."""
    folder = Path(checkpoint.base_path or checkpoint.path).resolve()
    files = [
        [path.name, at.st_size, at.st_mtime_ns, at.st_ino]
        for path in sorted(folder.rglob("*")) if path.is_file() and (at := path.stat())
    ]  # fmt: skip
    said = [checkpoint.info.get(key) for key in ("chat_template", "chat_template_kwargs")]
    return json.dumps([what, str(folder), files, said])
