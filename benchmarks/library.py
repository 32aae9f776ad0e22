"""Texts for the shapes of rows: paragraphs and functions of the standard library, and names."""

from __future__ import annotations

import ast
import random
import re
import sysconfig
import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path


@cache
def library(deep: bool = True) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Paragraphs of docstrings and functions of the standard library, as (module, text).

    Args:
        deep: look into packages as well (10,000 functions in place of 2,000; takes longer).
    """
    root = Path(sysconfig.get_paths()["stdlib"])
    paragraphs: dict[str, str] = {}
    functions: dict[str, str] = {}
    for path in sorted(root.rglob("*.py") if deep else root.glob("*.py")):
        module = path.relative_to(root).as_posix()
        if re.search(r"(^|/)(site-packages|dist-packages|tests?|idle_test)/", module):
            continue
        for kind, text in _texts(path):
            (functions if kind == "code" else paragraphs).setdefault(text, module)
    return [(m, t) for t, m in paragraphs.items()], [(m, t) for t, m in functions.items()]


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    source = path.read_text(encoding="utf-8", errors="replace")
    lines = source.splitlines()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(source)
        except SyntaxError:
            return
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module)):
            continue
        doc = ast.get_docstring(node) or ""
        if isinstance(node, ast.FunctionDef) and len(node.body) > 1:
            first = node.body[0]
            own = lines[node.lineno - 1 : node.end_lineno]
            if doc and first.end_lineno is not None:
                own = own[: first.lineno - node.lineno] + own[first.end_lineno - node.lineno + 1 :]
            code = "\n".join(own)
            if 150 <= len(code) <= 1200:
                yield "code", code
        for part in doc.split("\n\n"):
            text = " ".join(part.split())
            letters = sum(character.isalpha() or character == " " for character in text)
            if 60 <= len(text) <= 300 and ">>>" not in text and letters > 0.85 * len(text):
                yield "paragraph", text


def unlike(texts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The texts without near copies of earlier ones, judged by edit distance of the whole text.

    The standard library copies from itself; such copies are not unrelated. (This is another
    measure than the gate's: Indel similarity of 60 % or more.)
    """
    from rapidfuzz import fuzz, process

    kept: list[tuple[str, str]] = []
    values = [text.casefold() for _, text in texts]
    for start in range(0, len(values), 500):
        block = values[start : start + 500]
        table = process.cdist(
            block, values[: start + len(block)], scorer=fuzz.ratio, score_cutoff=60,
            dtype="uint8", workers=1,
        )  # fmt: skip
        for row, place in enumerate(range(start, start + len(block))):
            if not table[row, :place].any():
                kept.append(texts[place])
    return kept


@cache
def paragraphs(deep: bool = True) -> list[tuple[str, str]]:
    return unlike(_some(library(deep)[0], 7000 if deep else 700))


@cache
def functions(deep: bool = True) -> list[tuple[str, str]]:
    return unlike(_some(library(deep)[1], 5000 if deep else 700))


def _some(texts: Sequence[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """So many of the texts, drawn by a fixed seed."""
    return random.Random(2).sample(list(texts), min(count, len(texts)))


@cache
def names(count: int = 4000) -> list[str]:
    """Invented words that can be pronounced."""
    draw = random.Random(11)
    starts = "b br c cl d dr f fl g gr h j k kr l m n p pl qu r s sh sl st t tr v w z".split()  # noqa: SIM905
    found: dict[str, None] = {}
    while len(found) < count:
        parts = [draw.choice(starts) + draw.choice("aeiou") for _ in range(draw.choice((2, 3)))]
        found["".join(parts) + draw.choice(("", "n", "r", "s", "l", "x", "m"))] = None
    return list(found)
