"""Sections of the documentation that hold words, the best first."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

_HEADING = re.compile(r"^#{1,6} +(.*)$")
_FENCE = re.compile(r"^ *```")
_MARKS = re.compile(r"\[([^\]]*)\]\([^)]*\)|[`*]")
MOST_LINES = 2
"""Of a section, in what is shown."""


@dataclass(frozen=True, slots=True)
class DocSection:
    """What stands under one heading.

    Attributes:
        page: its name, as ``harness docs`` takes it.
        heading: empty above a page's first one.
        lines: without marks of links and code, each paragraph or row of a table as one line.
    """

    page: str
    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A section that holds words.

    Attributes:
        lines: those of it that hold most of them.
        words: how many of the words it holds.
    """

    section: DocSection
    lines: tuple[str, ...]
    words: int


def sections(page: str, text: str) -> list[DocSection]:
    """The sections of a page of Markdown."""
    parts: list[tuple[str, list[str]]] = [("", [""])]
    fenced = False
    for line in text.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
            continue
        if not fenced and (heading := _HEADING.match(line)):
            parts.append((_MARKS.sub(r"\1", heading[1]), [""]))
            continue
        lines, bare = parts[-1][1], line.strip()
        code = fenced or line.startswith("    ")
        begins = code or not bare or bare.startswith(("|", "- "))
        if begins:
            lines.append("")
        lines[-1] = f"{lines[-1]} {bare}".strip()
    return [
        DocSection(page, heading, tuple(_plain(line) for line in lines if _plain(line)))
        for heading, lines in parts
    ]


def search(words: Sequence[str], among: Sequence[DocSection]) -> list[Hit]:
    """The sections that hold any of the words, or longer ones that begin so, the best first.

    A section counts by the words that it holds, rare ones more; more in its heading and in the
    page's name than in its lines.
    """
    patterns = [_pattern(word) for word in words]
    holding = [sum(bool(_held(p, section)) for section in among) for p in patterns]
    weights = [math.log1p(len(among) / count) if count else 0.0 for count in holding]
    hits = []
    for place, section in enumerate(among):
        held = [_held(pattern, section) for pattern in patterns]
        count = sum(map(bool, held))
        if not count:
            continue
        score = sum(weight * value for weight, value in zip(weights, held, strict=True))
        hits.append((-count, -score, place, Hit(section, _best(section, patterns), count)))
    return [hit for *_, hit in sorted(hits, key=lambda ranked: ranked[:3])]


def _pattern(word: str) -> re.Pattern[str]:
    stem = word[:-1] if len(word) > 3 and word.endswith("s") else word
    return re.compile(rf"(?<![^\W_]){re.escape(stem)}", re.IGNORECASE)


def _held(pattern: re.Pattern[str], section: DocSection) -> float:
    """How much a section is about a word; 0 where it does not hold it."""
    times = sum(len(pattern.findall(line)) for line in section.lines)
    in_heading = bool(pattern.search(section.heading))
    if not times and not in_heading:
        return 0.0
    return math.log1p(times) + 3.0 * in_heading + 1.5 * bool(pattern.search(section.page))


def _best(section: DocSection, patterns: Sequence[re.Pattern[str]]) -> tuple[str, ...]:
    def held(place: int) -> int:
        return sum(bool(pattern.search(section.lines[place])) for pattern in patterns)

    places = sorted(range(len(section.lines)), key=lambda place: (-held(place), place))
    return tuple(section.lines[place] for place in sorted(places[:MOST_LINES]) if held(place))


def around(line: str, words: Sequence[str], most: int) -> str:
    """A line, or that part of it which begins shortly before the first of the words."""
    if len(line) <= most:
        return line
    first = min((m.start() for word in words if (m := _pattern(word).search(line))), default=0)
    begin = line.rfind(" ", 0, max(0, first - most // 4)) + 1 if first > most // 2 else 0
    part = line[begin : begin + most]
    if begin + most < len(line):
        part = f"{part.rpartition(' ')[0]} …"
    return f"… {part}" if begin else part


def _plain(line: str) -> str:
    """A line without marks; of a row of a table its cells."""
    if set(line) <= set("|-: "):
        return ""
    text = _MARKS.sub(r"\1", line.removeprefix("- "))
    cells = [cell.strip() for cell in text.strip("|").split("|")] if line.startswith("|") else []
    return " · ".join(cell for cell in cells if cell) if cells else text.strip()
