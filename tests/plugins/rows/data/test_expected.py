"""The time left of a reading: rows are estimated by the size of files."""

from __future__ import annotations

from pathlib import Path

from harness_rows.commands.data.expected import counting, expected
from harness_rows.options import RowsOptions

from .conftest import lines, shop, table


def test_lines_are_estimated_by_size(tmp_path: Path) -> None:
    rows = shop() * 20
    (tmp_path / "a.jsonl").write_bytes(lines(rows))
    (tmp_path / "b.csv").write_bytes(table(rows))
    for name in ("a.jsonl", "b.csv"):
        assert abs(expected(tmp_path / name) / len(rows) - 1) < 0.05
    assert abs(expected(tmp_path) / (2 * len(rows)) - 1) < 0.05


def test_what_is_no_line_file_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1\n\n\n")
    assert expected(tmp_path / "a.parquet") == expected(tmp_path) == 0
    assert expected(tmp_path / "nowhere.csv") == expected(None) == 0
    heard: list[tuple[int, int, str]] = []
    told = counting(RowsOptions(path=tmp_path / "a.parquet"), lambda *step: heard.append(step))
    told(5)
    assert heard == []


def test_more_rows_than_expected_are_no_more_than_all(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{}\n" * 4)
    heard: list[tuple[int, int, str]] = []
    told = counting(RowsOptions(path=tmp_path / "a.jsonl"), lambda *step: heard.append(step))
    told(3)
    told(9)
    assert heard == [(3, 4, "rows"), (4, 4, "rows")]
