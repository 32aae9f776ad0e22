"""Pairs of real words for the benchmarks: docstrings of the standard library, and edited copies."""

from __future__ import annotations

import ast
import functools
import random
import sysconfig
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Texts:
    """References and the answers of two systems, line by line.

    Attributes:
        references: one or more for each row.
    """

    references: list[list[str]]
    first: list[str]
    second: list[str]


@functools.cache
def words() -> list[str]:
    """All words of the standard library's docstrings, in their order."""
    found: list[str] = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                found += (ast.get_docstring(node) or "").split()
    return found


def texts(rows: int, length: int, seed: int, references: int = 1) -> Texts:
    """Rows of about ``length`` words; answers differ from the first reference in a third."""
    rng = random.Random(seed)
    source = words()
    refs, first, second = [], [], []
    for _ in range(rows):
        count = max(1, round(rng.gauss(length, length / 4)))
        start = rng.randrange(len(source) - count)
        row = source[start : start + count]
        refs.append([" ".join(row)] + [edited(rng, row, 0.3) for _ in range(references - 1)])
        first.append(edited(rng, row, 0.3))
        second.append(edited(rng, row, 0.4))
    return Texts(refs, first, second)


def edited(rng: random.Random, row: list[str], share: float) -> str:
    """The row with some words dropped, replaced or swapped with the next."""
    result: list[str] = []
    for word in row:
        chance = rng.random()
        if chance < share / 3:
            continue
        if chance < 2 * share / 3:
            result.append(rng.choice(words()))
        elif chance < share and result:
            result.insert(len(result) - 1, word)
        else:
            result.append(word)
    return " ".join(result)
