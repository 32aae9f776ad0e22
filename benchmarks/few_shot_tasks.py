"""The tasks on which rules of ``few-shot`` are compared: rows of train, and rows that are asked.

Four are shipped data sets. The others are made, by a seed, of rows that ship: their instructions
stand where data have them, in the system turn, before a long text, behind one, between fixed
lines, or nowhere.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import harness
from harness import Example
from harness.config import loading
from harness.config.sourcing import rows_of

ROOT = Path(__file__).resolve().parent.parent
RECIPES = ROOT / "datasets" / "recipes"
SEED = 20


@dataclass(frozen=True)
class Task:
    """Rows, and how answers to them are scored.

    Attributes:
        train: rows that examples are taken from.
        asked: rows that are answered, with references.
        metric: name and options.
        limit: tokens of an answer at most.
    """

    train: Sequence[Example]
    asked: Sequence[Example]
    metric: str
    limit: int
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def measuring(self) -> Any:
        """The metric."""
        return harness.make_plugin("metric", self.metric, self.options)


def of_config(path: Path) -> Task:
    """Train and dev of an experiment that ships, scored by what decides there."""
    config = loading.load(path)
    with tempfile.TemporaryDirectory() as folder:
        rows = rows_of(config.data, context=harness.Context(Path(folder), config.settings.seed))
    entry = config.entries["metrics"][0]
    options = entry.instance.options.model_dump(exclude_unset=True)
    if entry.plugin == "executes":  # needs a sandbox; how much of the code is right will do
        entry_name, options = "token-f1", {}
    else:
        entry_name = entry.plugin
    sides = {name: [row for row in rows if row.split == name] for name in ("train", "dev")}
    limit = config.entries["generate"][0].instance.options.max_new_tokens
    return Task(sides["train"], sides["dev"], entry_name, limit, options)


# -- made of rows that ship -------------------------------------------------------------------


@dataclass(frozen=True)
class Piece:
    """A text, what is asked of it, and the answer.

    Attributes:
        group: of the text, of which several things are asked.
    """

    asked: str
    text: str
    answer: str
    group: str


def _recipe(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (RECIPES / f"{name}.jsonl").read_text("utf-8").split("\n")
            if line]  # fmt: skip


def several_tasks() -> list[Piece]:
    """Five things that are asked of four kinds of short texts."""
    pieces = []
    for at, row in enumerate(_recipe("summarise")):
        text, group = row["document"], f"document {at}"
        pieces.append(Piece("Sum the text up in one sentence.", text, row["summary"], group))
        pieces.append(Piece("Name the section it belongs to.", text, row["kind"], group))
    for at, row in enumerate(_recipe("extract")):
        text, group = row["input"], f"note {at}"
        pieces.append(Piece("Write the note as a record.", text, row["output"], group))
        pieces.append(Piece("Name the section it belongs to.", text, row["kind"], group))
    for at, row in enumerate(_recipe("classify")):
        pieces.append(Piece("Say which desk it is for.", row["text"], f"desk: {row['label']}",
                            f"message {at}"))  # fmt: skip
    return pieces


QUESTIONS = {
    "who": "Who is it about?", "what": "What is it about?", "when": "When is it?",
    "where": "Where is it?",
}  # fmt: skip


def notes() -> list[Piece]:
    """Four questions about short notes, whose answers are words of the note."""
    pieces = []
    for at, row in enumerate(_recipe("extract")):
        for name, value in json.loads(row["output"]).items():
            pieces.append(Piece(QUESTIONS[name], row["input"], value or "not said", f"note {at}"))
    return pieces


def documents(count: int = 60) -> list[Piece]:
    """Four questions about texts of three paragraphs, which a program answers."""
    texts = [row["document"] for row in _recipe("summarise")]
    draw, pieces = random.Random(SEED), []
    for at in range(count):
        text = "\n\n".join(draw.sample(texts, 3))
        words = [word.strip(".,;:\"'") for word in text.split()]
        names = sorted({word for word in words[1:] if word[:1].isupper()})[:3]
        asked = {
            "What is the first word?": words[0],
            "What are the last three words?": " ".join(words[-3:]),
            "Which words begin with a capital letter? Give three.": json.dumps(names),
            "How many paragraphs does the text have?": "3 paragraphs",
        }
        pieces += [Piece(what, text, answer, f"text {at}") for what, answer in asked.items()]
    return pieces


Shape = Callable[[Piece, random.Random], list[dict[str, str]]]


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


SHAPES: dict[str, Shape] = {
    "system turn": lambda piece, _: [
        {"role": "system", "content": piece.asked}, _user(piece.text)
    ],
    "before": lambda piece, _: [_user(f"{piece.asked}\n\n{piece.text}")],
    "behind": lambda piece, _: [_user(f"{piece.text}\n\n{piece.asked}")],
    "between": lambda piece, _: [
        _user(
            "Below is an instruction, with a text that it is about.\n\n### Instruction\n"
            f"{piece.asked}\n\n### Text\n{piece.text}\n\n### Response"
        )
    ],
    "in the line": lambda piece, _: [_user(f"{piece.asked} {piece.text}")],
}  # fmt: skip


def made(pieces: Sequence[Piece], shape: str, train: int = 100, asked: int = 150) -> Task:
    """Pieces in a shape; the texts of train are others than those that are asked about."""
    draw = random.Random(SEED)
    groups = sorted({piece.group for piece in pieces})
    draw.shuffle(groups)
    first = set(groups[: len(groups) // 2])
    rows: dict[bool, list[Example]] = {True: [], False: []}
    for at, piece in enumerate(draw.sample(pieces, len(pieces))):
        turns = tuple(SHAPES[shape](piece, draw))
        side = piece.group in first
        name = "train" if side else "dev"
        rows[side].append(
            Example(f"{name}-{at}", turns, (piece.answer,), "train" if side else "dev", piece.group)
        )
    return Task(rows[True][:train], rows[False][:asked], "token-f1", 32)


GREETINGS = ("Hello,", "Hi there,", "Good morning,", "Dear all,", "To whom it may concern,")


def greeted(task: Task) -> Task:
    """The same rows, each after a greeting of five that says nothing of the answer."""
    draw = random.Random(SEED)

    def with_greeting(row: Example) -> Example:
        *before, last = row.messages
        text = f"{draw.choice(GREETINGS)}\n{last['content']}"
        return replace(row, messages=(*before, {**last, "content": text}))

    return replace(task, train=[*map(with_greeting, task.train)],
                   asked=[*map(with_greeting, task.asked)])  # fmt: skip


def _shipped(name: str) -> Callable[[], Task]:
    return lambda: of_config(ROOT / "datasets" / name / "harness.yaml")


TASKS: dict[str, Callable[[], Task]] = {
    "python-questions": lambda: of_config(ROOT / "harness.yaml"),
    "several tasks, system turn": lambda: made(several_tasks(), "system turn"),
    "several tasks, between fixed lines": lambda: made(several_tasks(), "between"),
    "notes, question before": lambda: made(notes(), "before"),
    "notes, question in the line": lambda: made(notes(), "in the line"),
    "documents, question behind": lambda: made(documents(), "behind"),
    "library-desk": _shipped("library-desk"),
    "library-desk, greetings before": lambda: greeted(_shipped("library-desk")()),
    "support-billing": _shipped("support-billing"),
    "python-functions": _shipped("python-functions"),
}
