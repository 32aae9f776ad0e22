"""Writing whole or not at all, and appending past a cut line."""

from __future__ import annotations

import errno
import math

import pytest

from harness import files
from harness.errors import DataError, EnvironmentFailure


def test_equal_values_have_equal_digests():
    assert files.digest({"a": 1, "b": [2.5, None]}) == files.digest({"b": [2.5, None], "a": 1})
    assert files.digest({"a": 1}) != files.digest({"a": 1.5})


def test_any_text_has_a_digest_and_can_be_read_again(tmp_path):
    text = "lone \ud800 surrogate, \u2028 separator, \x00 and 日本"
    assert len(files.digest(text)) == 64
    files.write_jsonl(tmp_path / "rows.jsonl", [text, {"t": text}])
    assert list(files.read_jsonl(tmp_path / "rows.jsonl")) == [text, {"t": text}]


def test_what_is_no_number_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "x.json", math.nan)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, {"old": True})

    def values():
        yield 1
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        files.write_jsonl(path, values())
    assert files.read_json(path) == {"old": True}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_cut_line_is_ignored_and_cannot_spoil_the_next(tmp_path, cut):
    path = tmp_path / "log.jsonl"
    files.append_line(path, {"n": 1})
    files.append_line(path, {"n": 2})
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert files.read_lines(path) == [{"n": 1}]
    files.append_line(path, {"n": 3})
    assert files.read_lines(path) == [{"n": 1}, {"n": 3}]


def test_files_count_by_content_and_name_and_not_by_folder(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.txt").write_text("same")
    digests = [files.files_digest([tmp_path / f / "x.txt"]) for f in ("a", "b")]
    assert digests[0] == digests[1]
    (tmp_path / "b" / "x.txt").write_text("other")
    assert files.files_digest([tmp_path / "b" / "x.txt"]) != digests[0]
    with pytest.raises(DataError, match=r"y\.txt"):
        files.files_digest([tmp_path / "y.txt"])


def test_trouble_with_the_disk_is_told_from_other_errors():
    full = files.disk_trouble(OSError(errno.ENOSPC, "No space", "/somewhere"))
    assert isinstance(full, EnvironmentFailure) and "full" in full.what
    assert full.where == "/somewhere"
    assert files.disk_trouble(PermissionError(errno.EACCES, "Permission denied", "x"))
    assert files.disk_trouble(OSError(errno.EPIPE, "pipe")) is None
