"""Files and lines of code by room of ``harness/`` and by package of plugins, as a Markdown table.

    python benchmarks/count.py            # print it
    python benchmarks/count.py --write    # put it into benchmarks/sizes.md

*Code* leaves out blank lines, comments, docstrings and imports.
"""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "benchmarks" / "sizes.md"
HEAD = "| room or package | files | code |\n|---|---:|---:|\n"


def parts() -> Iterator[tuple[str, list[Path]]]:
    """Name -> files: each room and each package, and both folders whole."""
    for folder in ("harness", "plugins"):
        for room in sorted((ROOT / folder).iterdir()):
            files = sorted(room.rglob("*.py")) if room.is_dir() else [room]
            if room.suffix in ("", ".py") and files and room.name != "__pycache__":
                yield f"{folder}/{room.name}", files
        yield f"**{folder}/**", sorted((ROOT / folder).rglob("*.py"))


def table() -> str:
    rows = []
    for name, files in parts():
        code = sum(code_lines(path.read_text(encoding="utf-8")) for path in files)
        rows.append(f"| {name} | {len(files):,} | {code:,} |\n")
    return HEAD + "".join(rows)


@functools.cache
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


def page_with(counts: str) -> str:
    """The page with these counts in place of its own: from the table's head to its last line."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(HEAD)
    lines = rest.splitlines(keepends=True)
    end = next((n for n, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return before + counts + "".join(lines[end:])


def main(words: Sequence[str]) -> None:
    counts = table()
    print(counts, end="")
    if words == ["--write"]:
        PAGE.write_text(page_with(counts), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
