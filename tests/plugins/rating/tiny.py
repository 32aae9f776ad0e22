"""The small rubric of ``tiny.yaml``, changed and written out."""

from __future__ import annotations

from pathlib import Path

TINY = (Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8")


def write(path: Path, *changes: tuple[str, str]) -> str:
    """The small rubric with these changes, as a file; its text."""
    text = TINY
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return text


def line_of(text: str, part: str) -> int:
    """The line (from 1) in which a part of a text begins."""
    return text[: text.index(part)].count("\n") + 1
