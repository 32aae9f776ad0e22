"""What people call the model or trainer of a config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def named(entry: Mapping[str, Any]) -> str:
    """Of ``{source: hub, id: owner/name}`` the id, of ``{plugin: lora}`` the plugin."""
    for key in ("id", "name", "path"):
        if isinstance(entry.get(key), str):
            return str(entry[key])
    return str(entry.get("source", entry.get("plugin", "")))
