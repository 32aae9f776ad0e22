"""What several sections print of the document: names of rounds and scores, marks, changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.kit.numbers import number
from harness.kit.text import one_line

Document = Mapping[str, Any]


def chosen_mark(document: Document, entry: Document, before: str = ", ") -> str:
    """The mark of scores on dev that led to the choice of this round, or nothing."""
    choice = document.get("chosen") or {}
    same = choice.get("round") == entry["round"]
    return before + one_line(choice["mark"], 60) if same and choice.get("mark") else ""


def shown_rounds(document: Document, most: int) -> list[Document]:
    """At most so many rounds: the base model, the best one, then the latest."""
    rounds = list(document["rounds"])
    wanted = {0, document["kept_round"]}
    for entry in reversed(rounds):
        if len(wanted) < most:
            wanted.add(entry["round"])
    return [entry for entry in rounds if entry["round"] in wanted]


def round_name(entry: Document, document: Document) -> str:
    """``round 2``, with a mark if it is the best one."""
    return f"{entry['round']}{' ●' if entry['round'] == document['kept_round'] else ''}"


def score_names(document: Document) -> list[str]:
    """All scores, the primary one first."""
    names = {name: None for entry in document["rounds"] for name in entry["scores"]}
    primary = document["primary"]
    return [*([primary] if primary in names else []), *(n for n in names if n != primary)]


def bounds_level(document: Document) -> str:
    """``each bound at 98.3 %``, or nothing before the first comparison."""
    verdict = document["rounds"][-1]["verdict"]
    if verdict["low"] is None or verdict["level"] is None:
        return ""
    percent = f"{100 * verdict['level']:.1f}".removesuffix(".0")
    return f"each bound at {percent} %"


def course(before: float | None, now: float | None, digits: int) -> str:
    """``0.121 → 0.453``."""
    return f"{number(before, digits)} → {number(now, digits)}"
