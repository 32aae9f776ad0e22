"""How prompts are compared: as what, how many, and when two are near repeats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

NEAR = 0.8
"""Similarity from which two prompts are near repeats."""
COMPARED = 10_000
"""Prompts among which near repeats are looked for, evenly spaced; exact ones are in all."""


def evened(messages: Iterable[Mapping[str, Any]]) -> str:
    """The conversation before the answer without system turns, letter case and spaces evened."""
    turns = (turn for turn in messages if turn.get("role") not in ("system", "developer"))
    texts = (f"{turn.get('role')}: {turn['content']}" for turn in turns if turn.get("content"))
    return " ".join("\n".join(texts).casefold().split())
