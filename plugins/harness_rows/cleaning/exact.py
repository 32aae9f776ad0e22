"""Rows that repeat each other exactly: within a split, between splits, and with other answers.

Prompts are compared without system turns, whatever their letter case, width, white space and marks
of sentences; digits and symbols count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness import Example
from harness.kit.alike.exact import grouped, later
from harness.kit.folding import folded
from harness_rows.dealing import SIDES
from harness_rows.prompts import evened


def prompt_text(row: Example) -> str:
    """The conversation before the answer, without system turns."""
    turns = (m for m in row.messages if m.get("role") not in ("system", "developer"))
    return "\n".join(str(m["content"]) for m in turns if m.get("content"))


def by_prompt(rows: Sequence[Example]) -> dict[str, list[Example]]:
    """Prompt, evened -> its rows, in order."""
    return grouped(rows, lambda row: evened(row.messages))


def exact_leaks(prompts: Mapping[str, Sequence[Example]]) -> Iterator[tuple[Example, Example]]:
    """Rows of train and pool whose prompt is one of dev's or test's, each with such a row."""
    for rows in prompts.values():
        held_out = next((row for row in rows if _side(row) in ("dev", "test")), None)
        if held_out is not None:
            yield from ((row, held_out) for row in rows if _side(row) == "train")


def doubled(prompts: Mapping[str, Sequence[Example]]) -> list[Example]:
    """Rows that repeat an earlier row of their side, prompt and first answer."""
    return [
        row
        for rows in prompts.values()
        if len(rows) > 1
        for row in later(rows, lambda row: (_side(row), folded(_answer(row))))
    ]


def conflicts(prompts: Mapping[str, Sequence[Example]]) -> list[Sequence[Example]]:
    """The rows of each prompt that has different answers, the most rows first."""
    conflicting: list[Sequence[Example]] = []
    for rows in prompts.values():
        if len(rows) < 2 or len({_context(row) for row in rows}) > 1:
            continue
        firsts: dict[str, Example] = {}
        for row in rows:
            firsts.setdefault(folded(_answer(row)), row)
        answers = [{folded(text) for text in row.references} for row in firsts.values()]
        if len(firsts) > 1 and not set.intersection(*answers):
            conflicting.append(rows)
    return sorted(conflicting, key=len, reverse=True)


def _side(row: Example) -> str:
    return SIDES[row.split] if row.split else ""


def _answer(row: Example) -> str:
    return row.references[0] if row.references else ""


def _context(row: Example) -> str:
    """Its system turns: other instructions may well ask for another answer."""
    turns = (m for m in row.messages if m.get("role") in ("system", "developer"))
    return folded("\n".join(str(m.get("content")) for m in turns))
