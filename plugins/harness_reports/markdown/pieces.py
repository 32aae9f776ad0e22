"""What every section is made of: nothing from data gets in but through these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from harness.kit import numbers
from harness.kit.numbers import interval, number
from harness.kit.text import markdown_safe
from harness_reports.figures import Document


def safe(value: Any, limit: int = 200) -> str:
    return markdown_safe(str(value), limit)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int]) -> str:
    """A table of cells that are safe already; ``right`` are the columns of numbers."""
    numeric = set(right)
    rule = ["---:" if place in numeric else "---" for place in range(len(headings))]
    lines = [headings, rule, *rows]
    return "\n".join("| " + " | ".join(cell or " " for cell in line) + " |" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    """A list of lines that are safe already."""
    return "\n".join(f"- {line}" for line in lines)


def section(title: str, *parts: str) -> str:
    """A heading and what is below it, without the parts that are empty."""
    return "\n\n".join([f"## {title}", *(part for part in parts if part)])


def more(count: int, what: str = "") -> str:
    """How much a short table leaves out, and what that is."""
    return f"And {count} more{f', {what}' if what else ''}." if count > 0 else ""


def scored(score: Document | None, digits: int) -> str:
    """``0.303 [0.281, 0.325]``."""
    if not score:
        return numbers.DASH
    bounds = interval(score["low"], score["high"], digits)
    missing = f" ({score['unscored']} not scored)" if score["unscored"] else ""
    return f"{number(score['value'], digits)} {bounds}".rstrip() + missing
