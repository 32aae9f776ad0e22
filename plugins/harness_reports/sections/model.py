"""The settings of the run, where the best round's model lies, and the commands that use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import harness
from harness import Analysis
from harness.kit.blocks import Block, Column, Heading, Paragraph, Table
from harness.kit.text import one_line
from harness_reports.sections.common import ReportSection

BASE, TRAINING = "base model", "training"
PAGE = "harness docs use-the-model"
NAME = 160
"""Characters of a folder or a name in a short report."""
COMMAND = 1_000
"""Characters of a command; a longer one is left out, since half of one is another."""


class ModelSection(ReportSection):
    """The settings, where the model lies, and what uses it."""

    name = "model"
    title = "Settings and model"
    order = 800

    def blocks(self, document: Analysis) -> Iterator[Block]:
        lines, used = dict(settings(document)), tuple(model(document))
        if not lines and not used:
            return
        yield Heading(self.title)
        columns = (Column("what", "word"), Column("setting"))
        if lines:
            yield Table(columns, tuple(lines.items()), "What the run was made with", ordered=True)
        yield from used

    def in_short(self, document: Analysis) -> Iterator[Block]:
        """The same with the settings in a paragraph, without options that are mappings."""
        lines = dict(settings(replace(document, settings=_flat(document.settings))))
        lines.pop(BASE, None)
        if document.model.adapter:
            lines[BASE] = document.model.base
        order = sorted(lines, key=lambda name: (name != TRAINING, name != BASE))
        levers = "; ".join(f"{name}: {lines[name]}" for name in order)
        used = tuple(model_in_short(document))
        if levers or used:
            yield Heading(self.title)
        if levers:
            yield Paragraph(levers)
        yield from used


def _flat(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Settings whose plugins have no option that is a mapping."""
    flat = dict(entries)
    for key, value in entries.items():
        if isinstance(value, Mapping):
            flat[key] = {k: v for k, v in value.items() if not isinstance(v, Mapping)}
    return flat


def settings(document: Analysis) -> Iterator[tuple[str, str]]:
    """Name and value of each line: data, base model, training, answers, added rows."""
    given, name = document.settings, document.model.base
    rows = document.data.rows
    sizes = ", ".join(f"{count} {split}" for split, count in rows.items())
    data = "; ".join(filter(None, (entry_words(given.get("data")), sizes)))
    base = entry_words(given.get("model"))
    named = {
        "data": data,
        BASE: f"{name}: {base}" if base else name,
        TRAINING: "; then ".join(map(entry_words, harness.trainers_in(given))),
        "answers": entry_words(given.get("generate")),
        "rows added": "; ".join(map(entry_words, given.get("augment") or ())),
        "seed": str(given.get("seed", "")),
    }
    yield from ((name, value) for name, value in named.items() if value)


def entry_words(entry: Mapping[str, Any] | None) -> str:
    """``lora (r 16, alpha 32, learning_rate 0.001)``."""
    if not entry:
        return ""
    head, *options = entry.items()
    words = ", ".join(f"{name} {_words(value)}" for name, value in options if _says(value))
    return f"{head[1]} ({words})" if words else str(head[1])


def _words(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, (int, float)):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k}: {_words(v)}' for k, v in value.items() if _says(v))}}}"
    return " ".join(map(_words, value)) if isinstance(value, (list, tuple)) else str(value)


def _says(value: Any) -> bool:
    """Whether an option is worth a word: an empty text, list or mapping is not."""
    return value not in ("", [], (), {}, None)


def model(document: Analysis) -> Iterator[Block]:
    """The place; what can be typed is among the commands at the end."""
    if place := where(document):
        use = f"; to use it: {PAGE}" if commands(document) else ""
        yield Paragraph(place + use, lead="model:")


def model_in_short(document: Analysis) -> Iterator[Block]:
    """The place in a line: the first screen names the base model above it."""
    model = document.model
    if model.adapter:
        document = replace(document, model=replace(model, base=""))
    if place := where(document, NAME):
        yield Paragraph(place, lead="model:")


def where(document: Analysis, limit: int = 500) -> str:
    """``.harness/artifacts/train/4f0c1b9d2e7a (round 1, trained from SmolLM2-135M-Instruct)``.

    Args:
        limit: characters of a name.
    """
    model = document.model
    base, folder = one_line(model.base, limit), one_line(model.adapter or "", limit)
    number = model.round
    if folder:
        place = f"{folder} (round {number}{base and f', trained from {base}'})"
        return f"{place}: {GONE}" if document.model_lost else place
    if number:
        return f"round {number}{base and f', trained from {base},'} left no files here"
    tried = len(document.rounds) > 1
    return base and f"the base model {base}{', on which no round improved' if tried else ''}"


GONE = "files of it are gone; harness iterate with the run's config trains it again"


def commands(document: Analysis) -> list[str]:
    """What uses the model, where there is one whose files are in place."""
    model = document.model
    if not model.round or document.model_lost:
        return []
    lines = (one_line(command, COMMAND + 1) for command in model.commands)
    return [command for command in lines if command and len(command) <= COMMAND]
