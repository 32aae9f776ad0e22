"""What is said while a run waits for ratings."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.records import Example
from harness_rating.waiting import CurrentBatches, commands, lacking

RULES = "qualities/rules.yaml"


def rows(count: int, groups: int) -> list[Example]:
    return [Example(f"ex-{n}", (), (), "dev", f"group {n % groups}", {}) for n in range(count)]


@pytest.mark.parametrize(
    ("rated", "groups", "told"),
    [(0, 30, True), (19, 30, True), (20, 30, False), (40, 19, False), (0, 19, False)],
)
def test_it_says_how_many_answers_a_verdict_needs(rated: int, groups: int, told: bool) -> None:
    dev = rows(60, groups)
    words = " (a verdict needs answers from 20 groups of rows or more)" if told else ""
    assert lacking(dev[:rated], dev) == words


@pytest.mark.parametrize(
    ("here", "given", "shown"),
    [
        (".", RULES, RULES),
        (".", f"canned/../{RULES}", RULES),
        ("canned", f"../canned/../{RULES}", f"../{RULES}"),
    ],
)
def test_the_command_to_paste_has_the_shortest_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: str, given: str, shown: str
) -> None:
    for name in ("canned", "qualities"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / here)
    for path in (Path(given), Path.cwd() / given):
        made, _ = commands(path, CurrentBatches({}), rated=0, wanted=10, most=62)
        assert made.startswith(f"harness rate create --rubric {shown} --run RUN")
