"""Copies of rows as somebody might plant them: each with one edit of what the user says."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from shapes import LABELS

from harness.records import Example

Draw = random.Random
Edit = Callable[[str, Draw], str]

FILLER = "The weather in the harbour was mild, and nobody expected a letter that day. "


def typing_errors(text: str, draw: Draw) -> str:
    """One word in ten misspelt, at least one: letters swapped, left out, doubled, or another."""
    places = [m.span() for m in re.finditer(r"[^\W\d_]{3,}", text)]
    wanted = max(1, round(len(text.split()) / 10))
    for start, end in sorted(draw.sample(places, min(wanted, len(places))), reverse=True):
        at = draw.randrange(start + 1, end - 1) if end - start > 2 else start
        here, after = text[at], text[at + 1]
        other = draw.choice("abcdefghijklmnopqrstuvwxyz")
        piece = draw.choice((after + here, after, here + here + after, other + after))
        text = text[:at] + piece + text[at + 2 :]
    return text


def case(text: str, draw: Draw) -> str:
    return text.upper() if draw.random() < 0.5 else text.lower()


def punctuation(text: str, draw: Draw) -> str:
    return re.sub(r"[,.;:!?'\"]", "", text) + draw.choice(("!", "...", " ?", ""))


def clause_order(text: str, draw: Draw) -> str:
    """The halves swapped, at a line, a sentence, a comma, or in the middle word."""
    for joint, pieces in (
        ("\n", text.split("\n")), (" ", re.split(r"(?<=[.!?]) ", text)), (", ", text.split(", ")),
        (" ", text.split(" ")),
    ):  # fmt: skip
        if len(pieces) > 1:
            middle = len(pieces) // 2
            return joint.join(pieces[middle:] + pieces[:middle])
    return text


def opening(text: str, draw: Draw) -> str:
    return draw.choice(("Hi, quick question: ", "Please look at this closely. ", "Hello! ")) + text


def ending(text: str, draw: Draw) -> str:
    return text + draw.choice(
        (" Thanks in advance!", " Keep the answer short.", " Please help me.")
    )


def copied_passage(text: str, draw: Draw) -> str:
    return FILLER * 4 + text + " " + FILLER * 4


def renamed(text: str, draw: Draw) -> str:
    """Every argument, every assigned name and the name of a function."""
    found = set(re.findall(r"\b([a-z_]\w+)(?= *[=,)\[])", text)) - {"self", "None"}
    found |= set(re.findall(r"def (\w+)", text))
    for number, name in enumerate(sorted(found)):
        text = re.sub(rf"\b{re.escape(name)}\b", f"v{number}", text)
    return text


EDITS: dict[str, Edit] = {
    "typing errors": typing_errors, "letter case": case, "punctuation": punctuation,
    "order of clauses": clause_order, "an opening": opening, "an ending": ending,
    "copied passage": copied_passage, "renamed identifiers": renamed,
}  # fmt: skip


def planted(row: Example, edit: str, number: int, parent: str, draw: Draw) -> Example | None:
    """A proposal that copies the row with an edit of its user turns; None if that changes none."""
    if edit == "renamed identifiers" and not re.search(r"\bdef \w+\(", row.prompt):
        return None
    turns = tuple(
        {**turn, "content": EDITS[edit](turn["content"], draw)} if turn["role"] == "user" else turn
        for turn in row.messages
    )
    if turns == tuple(row.messages):
        return None
    answer = row.references[0] if row.references[0] in LABELS else "Another answer altogether."
    return Example(f"copy{number}", turns, (answer,), parent=parent)
