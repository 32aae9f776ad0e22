"""The reference of rubrics says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from harness.errors import ConfigError
from harness.kit import yaml_file
from harness.records.rubrics import SCALE_KINDS
from harness_rating.rubric import conditions, file, lint, scales, scoring
from harness_rating.rubric.schema import (
    BELONGS,
    CriterionFile,
    JudgeFile,
    OverallFile,
    RubricFile,
    ScaleFile,
    ShowFile,
)

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "rubrics.md").read_text(encoding="utf-8")
SECTIONS: dict[str, type[BaseModel]] = {
    "Keys of a rubric": RubricFile,
    "`show`": ShowFile,
    "`criteria`": CriterionFile,
    "`scale`": ScaleFile,
    "`overall`": OverallFile,
    "`judge`": JudgeFile,
}


def section(title: str) -> str:
    found = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S)
    assert found, f"docs/rubrics.md lacks the section '{title}'"
    return found[1]


@pytest.mark.parametrize("title", SECTIONS)
def test_each_key_of_a_rubric_is_printed_with_what_it_means(title: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", section(title), re.M)
    fields = SECTIONS[title].model_fields
    assert dict(rows) == {field.alias or key: field.description for key, field in fields.items()}


def test_every_kind_of_scale_is_described_with_its_keys() -> None:
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", section("How values become a score"), re.M)
    assert [kind for kind, _ in rows] == list(SCALE_KINDS)
    for kind, keys in rows:
        assert set(re.findall(r"`(\w+)`", keys)) == set(BELONGS[kind]), kind


def test_the_example_is_a_rubric(tmp_path: Path) -> None:
    text = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)[0]
    path = tmp_path / "example.yaml"
    path.write_text(text, encoding="utf-8")
    made = file.load(path)
    assert lint.lint(path) == []
    values = {"accuracy": 2, "polite": True}
    assert scoring.overall(made, values) == pytest.approx(2 / 3)
    assert "0.67" in section("How values become a score")
    assert scoring.overall(made, {**values, "accuracy": 1}) == 0.0


def test_the_message_on_the_page_is_the_programs(tmp_path: Path) -> None:
    text = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)[0]
    text = text.replace("weight: 2", "wieght: 2").replace("{polite: no}]}", "{polite: never}]}")
    path = tmp_path / "answers.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        file.load(path)
    told = str(caught.value).replace(f"{tmp_path}/", "")
    assert told in PAGE.replace("\n    ", "\n")


@pytest.mark.parametrize(
    ("text", "holds"), re.findall(r"^\| `([^`]*)` \| (yes|no|open) \|", PAGE, re.M)
)
def test_the_conditions_on_the_page_hold_as_it_says(text: str, holds: str) -> None:
    values = {"accuracy": 2, "polite": False, "errors": ["wrong facts"], "clarity": None}
    found = conditions.evaluate(yaml_file.scalar(text), values)
    assert {True: "yes", False: "no", None: "open"}[found] == holds


def test_limits_on_the_page_are_those_of_the_program() -> None:
    for word in (*conditions.KEYWORDS, *conditions.TESTS):
        assert re.search(rf"`[^`]*\b{word}\b", section("Conditions")), word
    for key in scales.TAKEN_KEYS:
        assert f"`{key}`" in section("Keys on the keyboard")


def test_the_page_names_every_rubric_that_comes_along() -> None:
    page = (ROOT / "docs" / "rating-round.md").read_text(encoding="utf-8")
    for path in (ROOT / "rubrics").glob("*.yaml"):
        assert f"| `{path.stem}` |" in page
