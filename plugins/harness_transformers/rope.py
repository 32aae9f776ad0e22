"""Rotary positions: how far they reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def ropes(config: Any) -> list[Mapping[str, Any]]:
    """The settings of rotary positions; some models have one for each type of layer."""
    whole = getattr(config, "rope_parameters", None) or {}
    return [whole, *(inner for inner in whole.values() if isinstance(inner, Mapping))]


def original(config: Any, rope: Mapping[str, Any]) -> int:
    """Positions that the model was trained with before they were stretched."""
    positions = rope.get("original_max_position_embeddings")
    positions = positions or getattr(config, "original_max_position_embeddings", None)
    return int(positions or config.max_position_embeddings)


def reach(config: Any) -> int:
    """Positions after stretching, 0 if they are not stretched."""
    lengths = [0]
    for rope in ropes(config):
        if rope.get("rope_type", "default") != "default" and rope.get("factor"):
            lengths.append(int(original(config, rope) * rope["factor"]))
    return max(lengths)
