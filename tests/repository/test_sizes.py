"""The table of rooms in docs/architecture.md: how large each is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import count  # noqa: E402


def test_the_table_of_rooms_is_up_to_date() -> None:
    page = count.PAGE.read_text(encoding="utf-8")
    assert page == count.page_with(count.table()), "run: make count"


def test_lines_of_code_are_neither_blank_nor_prose_nor_imports() -> None:
    text = (
        '"""Doc."""\n\nimport a\nfrom b import (\n    c,\n)\n\n# why\nx = 1\n\n\n'
        'def f():\n    """Doc."""\n    return """a\n\n    b"""\n'
    )
    assert count.code_lines(text) == 4


@pytest.mark.parametrize("rest", ["", "\nMore prose.\n"])
def test_the_table_alone_is_written_anew(
    rest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Before.\n\n{count.HEAD}| harness/old | 1 | 2 | 3 |\n{rest}")
    monkeypatch.setattr(count, "PAGE", page)
    assert count.page_with(f"{count.HEAD}| new |\n") == f"Before.\n\n{count.HEAD}| new |\n{rest}"
