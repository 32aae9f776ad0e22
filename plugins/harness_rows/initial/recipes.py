"""Sixty rows to start from, for each of four tasks. They lie in ``datasets/recipes``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import harness
from harness import UsageError, near

FOLDER = "datasets/recipes"


@dataclass(frozen=True, slots=True)
class Recipe:
    """A task with rows.

    Attributes:
        line: what the model learns.
        options: of the source, beside the path.
    """

    name: str
    line: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The file of its rows."""
        return harness.shipped(f"{FOLDER}/{self.name}.jsonl")


_LABELS = "billing, delivery, account, product or fault"

RECIPES = (
    Recipe("chat", "advice in two or three sentences; chats as messages"),
    Recipe("extract", "who, what, when and where of a note, as JSON; instruction, input, output"),
    Recipe(
        "classify",
        "a customer's message gets one of five labels; columns text and label",
        {"system": f"Answer with the topic of the message alone: {_LABELS}."},
    ),
    Recipe(
        "summarise",
        "a paragraph becomes a sentence; columns document and summary",
        {"prompt": "Summarise in one sentence:\n\n{document}"},
    ),
)


def named(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        UsageError: there is none.
    """
    recipes = {recipe.name: recipe for recipe in RECIPES}
    if name not in recipes:
        hint = f"recipes: {', '.join(recipes)}"
        raise UsageError(f"there is no recipe '{name}'{near(name, list(recipes))}", hint=hint)
    return recipes[name]
