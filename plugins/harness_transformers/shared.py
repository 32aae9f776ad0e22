"""What the jobs of a run share, kept in the run's worker: chats and weights of one base.

Each job works in a fork of the worker. It takes what is kept here, and changes it as it likes:
the worker, and with it the next job, has its own. Where no process is forked nothing is kept, and
every job loads what it needs. What fills it: :mod:`harness_transformers.preloading`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import harness

CHATS = "chats"
KEPT: dict[str, Any] = {}
"""Keys (:func:`key`) and what was loaded."""


def taken(checkpoint: harness.Checkpoint, what: str) -> Any:
    """What was kept of a checkpoint's base, or None. It is the caller's, who may change it.

    Args:
        what: :data:`CHATS`, or the type of the weights.
    """
    return KEPT.pop(key(checkpoint, what), None) if KEPT else None


def key(checkpoint: harness.Checkpoint, what: str) -> str:
    """The base's folder, its files as they are now, and what the config says of chats."""
    folder = Path(checkpoint.base_path or checkpoint.path).resolve()
    files = [
        [path.name, at.st_size, at.st_mtime_ns, at.st_ino]
        for path in sorted(folder.rglob("*")) if path.is_file() and (at := path.stat())
    ]  # fmt: skip
    templates = [checkpoint.info.get(key) for key in ("chat_template", "chat_template_kwargs")]
    return json.dumps([what, str(folder), files, templates])
