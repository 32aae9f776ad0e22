"""Where the best round's model lies, and the commands that use it."""

from __future__ import annotations

from collections.abc import Iterator

from harness.kit.blocks import Block, Paragraph
from harness.kit.text import one_line
from harness_reports.figures import Document

PAGE = "harness docs use-the-model"
NAME = 160
"""Characters of a folder or a name in a short report."""
COMMAND = 1_000
"""Characters of a command; a longer one is left out, since half of one is another."""


def model(document: Document) -> Iterator[Block]:
    """The place; what can be typed is among the commands at the end."""
    if told := where(document):
        how = f"; to use it: {PAGE}" if commands(document) else ""
        yield Paragraph(told + how, lead="model:")


def model_in_short(document: Document) -> Iterator[Block]:
    """The place in a line: the first screen names the base model above it."""
    found = document["model"]
    if found["adapter"]:
        found = {**found, "base": ""}
    if told := where({**document, "model": found}, NAME):
        yield Paragraph(told, lead="model:")


def where(document: Document, limit: int = 500) -> str:
    """``.harness/artifacts/train/4f0c1b9d2e7a (round 1, trained from SmolLM2-135M-Instruct)``.

    Args:
        limit: characters of a name.
    """
    found = document["model"]
    base, folder = (one_line(str(found[key] or ""), limit) for key in ("base", "adapter"))
    number = found["round"]
    if folder:
        told = f"{folder} (round {number}{base and f', trained from {base}'})"
        return f"{told}: {GONE}" if found["lost"] else told
    if number:
        return f"round {number}{base and f', trained from {base},'} left no files here"
    tried = len(document["rounds"]) > 1
    return base and f"the base model {base}{', on which no round improved' if tried else ''}"


GONE = "files of it are gone; harness iterate with the run's config trains it again"


def commands(document: Document) -> list[str]:
    """What uses the model, where there is one whose files are in place."""
    found = document["model"]
    if not found["round"] or found["lost"]:
        return []
    told = (one_line(str(command), COMMAND + 1) for command in found["commands"])
    return [command for command in told if command and len(command) <= COMMAND]
