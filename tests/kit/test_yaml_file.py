"""Config files: what was dumped is read part by part, and means the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.kit import yaml_file

VALUES = {
    "rounds": 3,
    "text": "two\nlines, # and a : colon\n\n  set in",
    "long": "word " * 60,
    "-": "a key that is a hyphen",
    "data": {"source": "x", "sizes": {"train": 3}, "none": None, "empty": {}},
    "metrics": [{"plugin": "rouge", "right_at": 0.5}, {"plugin": "bleu"}],
    "list": ["a", "- b", "c: d"],
}


def test_parts_make_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml_file.dump(VALUES), "utf-8")
    assert yaml_file.read_dumped(path) == yaml_file.read(path)[0] == VALUES


@pytest.mark.parametrize(
    "text",
    ["a: &x 3\nb: *x\n", "# words\na: 3\n# more\nb: 3\n", "---\na: 3\nb: 3\n", "{a: 3, b: 3}\n",
     "a: 3\n\n\nb:\n  3\n"],
)  # fmt: skip
def test_what_was_written_otherwise_is_read_all_the_same(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, "utf-8")
    assert yaml_file.read_dumped(path) == {"a": 3, "b": 3}


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: 1\nb\n", "a: *x\n", "- 1\n", "a: [\nb: 2\n"])
def test_what_is_refused_is_refused_in_parts(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, "utf-8")
    for reading in (yaml_file.read, yaml_file.read_dumped):
        with pytest.raises(ConfigError, match=r"config\.yaml"):
            reading(path)


def test_a_file_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        yaml_file.read_dumped(tmp_path / "config.yaml")
