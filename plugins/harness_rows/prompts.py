"""How prompts are compared: as what, how many, and when two are near repeats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.kit.folding import loosely

NEAR = 0.8
"""Similarity from which two prompts are near repeats."""
COMPARED = 10_000
"""Prompts among which near repeats are looked for, evenly spaced; exact ones are in all."""


def evened(messages: Iterable[Mapping[str, Any]]) -> str:
    """The conversation before the answer without system turns, as exact repeats are compared:
    letter case, width, white space and marks of sentences evened.
    """
    turns = (turn for turn in messages if turn.get("role") not in ("system", "developer"))
    spoken = ((turn.get("role"), turn["content"]) for turn in turns if turn.get("content"))
    return "\n".join(f"{role}: {loosely(str(content))}" for role, content in spoken)
