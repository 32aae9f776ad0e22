"""A plugin made by name, with options, where no config names it."""

from __future__ import annotations

from pathlib import Path

import pytest

import harness
from harness.kit import yaml_file

FILE = """
import pathlib, harness

class Tidy(harness.Metric):
    name = "tidy"

    class Options(harness.Options):
        words: list[str] = []
        table: pathlib.Path | None = None

    def inputs(self):
        if "damaged" in self.options.words:
            raise harness.DataError("its table is damaged")
        return [self.options.table] if self.options.table else []

    def measure(self, prediction, example):
        return 1.0

@harness.hookimpl
def register_metrics():
    return [Tidy]
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("tidy.py").write_text(FILE)
    return Path("tidy.py")


def test_it_is_made_with_its_options_and_paths_from_the_working_folder(file: Path) -> None:
    made = harness.make_plugin("metric", "tidy", {"words": ["a"], "table": "t.csv"}, [file])
    assert isinstance(made, harness.Metric)
    assert made.options.model_dump() == {"words": ["a"], "table": Path.cwd() / "t.csv"}


def test_an_installed_one_and_one_of_a_stage_that_says_source_are_made_too() -> None:
    assert harness.make_plugin("metric", "exact", {}).name == "exact"
    assert harness.make_plugin("model", "hub", {"id": "acme/tiny"}).name == "hub"


def test_all_that_is_wrong_is_said_at_once(file: Path) -> None:
    with pytest.raises(harness.ConfigError) as caught:
        harness.make_plugin("metric", "tidy", {"wrods": [], "table": 3}, [file])
    assert caught.value.what == "2 problems in the options of the metric"
    told = "\n".join(caught.value.details)
    assert "metric.wrods: unknown key, did you mean 'words'?" in told and "metric.table" in told


def test_a_name_that_nothing_has_is_told_what_is_near() -> None:
    with pytest.raises(harness.ConfigError, match="1 problem in the options") as caught:
        harness.make_plugin("metric", "exakt", {})
    assert "exact" in caught.value.details[0]


def test_a_damaged_input_shows_at_once_and_names_the_plugin(file: Path) -> None:
    with pytest.raises(harness.HarnessError, match="its table is damaged"):
        harness.make_plugin("metric", "tidy", {"words": ["damaged"]}, [file])


def test_key_and_value_of_a_command_line() -> None:
    for text, pair in [
        ("a=1", ("a", 1)),
        ("a.b=[x, y]", ("a.b", ["x", "y"])),
        ("a=", ("a", None)),
        ("a=b=c", ("a", "b=c")),
        ("a", None),
        ("=1", None),
        (" =1", None),
        ("", None),
    ]:
        assert yaml_file.key_value(text) == pair, text
