"""How large things are: the table of rooms in benchmarks/sizes.md, and the files of a clone."""

from __future__ import annotations

import subprocess
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


def test_a_clone_holds_no_caches_and_no_large_files() -> None:
    """A cache of 85 MB was committed once, and each later commit of it cost as much again."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    files = [Path(name) for name in listed.stdout.decode().split("\0") if (ROOT / name).is_file()]
    assert files
    assert not [file for file in files if (ROOT / file).stat().st_size > 1_000_000]
    assert not [file for file in files if any("cache" in part for part in file.parts[:-1])]
