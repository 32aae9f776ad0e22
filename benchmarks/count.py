"""Lines of Python by room of ``harness/``, of plugins and of tests, always counted in one way.

    python benchmarks/count.py

*Lines* are all lines. *Code* leaves out blank lines, comments, docstrings and imports. The kernel
is what the loop itself is made of.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KERNEL = (
    "records", "rubrics", "errors", "context", "stages", "hookspecs", "boundary", "registry",
    "config", "engine", "loop", "stored", "data", "scoring", "stats", "verdicts", "kit",
)  # fmt: skip


def main() -> None:
    counts = {name: count(files) for name, files in parts()}
    for name, (files, lines, code) in counts.items():
        print(f"{name:24}{files:6}{lines:9,}{code:9,}")
    kernel = sum(code for name, (_, _, code) in counts.items() if name.split("/")[-1] in KERNEL)
    print(f"kernel: {kernel:,} lines of code")


def parts() -> Iterator[tuple[str, list[Path]]]:
    """Name -> files: the rooms, and the three folders whole."""
    for room in sorted((ROOT / "harness").iterdir()):
        files = sorted(room.rglob("*.py")) if room.is_dir() else [room]
        if room.suffix in ("", ".py") and files and room.name != "__pycache__":
            yield f"harness/{room.stem}", files
    for folder in ("harness", "plugins", "tests"):
        yield folder, sorted((ROOT / folder).rglob("*.py"))


def count(files: list[Path]) -> tuple[int, int, int]:
    """Files, lines, and lines of code."""
    texts = [path.read_text(encoding="utf-8") for path in files]
    return len(files), sum(text.count("\n") for text in texts), sum(map(code_lines, texts))


def code_lines(text: str) -> int:
    left_out: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        prose = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, (ast.Import, ast.ImportFrom)) or (
            prose and isinstance(node.value.value, str)  # type: ignore[attr-defined]
        ):
            left_out |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = enumerate((line.strip() for line in text.splitlines()), start=1)
    return sum(bool(line) and line[0] != "#" and n not in left_out for n, line in lines)


if __name__ == "__main__":
    main()
