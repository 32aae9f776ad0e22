"""Folders that hold what is no file, or too many files."""

from __future__ import annotations

import os

import pytest

from harness.errors import DataError
from harness.kit.readers import Problems
from harness_rows import files


def test_a_pipe_in_a_folder_is_named(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    os.mkfifo(tmp_path / "b.jsonl")
    problems = Problems()
    found = [files.parts(file, split, problems) for file, split in files.files_at(tmp_path)]
    assert [len(parts) for parts in found] == [1, 0]
    assert "b.jsonl: cannot be read: it is a pipe" in "\n".join(problems.lines)


def test_a_device_is_no_data(tmp_path):
    (tmp_path / "zero.jsonl").symlink_to("/dev/zero")
    with pytest.raises(DataError, match="a pipe or a device"):
        files.files_at(tmp_path / "zero.jsonl")


def test_a_folder_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST", 3)
    for number in range(4):
        (tmp_path / f"{number}.csv").write_text("prompt,answer\n")
    with pytest.raises(DataError, match="more than 3 files of rows"):
        files.files_at(tmp_path)
